package inputs_test

import (
	"strings"
	"testing"

	"github.com/taglast/taglast/internal/hint"
	"github.com/taglast/taglast/internal/inputs"
)

func TestRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		inputs map[string]string
		want   string // error, and hint on a line of its own
	}{
		"a release file beside names of docker's actions": {
			map[string]string{"config": "taglast.yaml", "images": "ghcr.io/acme/app", "push": "true", "push-to-registry": "true"},
			"input `config` excludes `images`, `push`, `push-to-registry`\nwrite what they say into the release file; `push` is `dry-run` there, and `push-to-registry` is `store`",
		},
		"a release file beside flags": {
			map[string]string{"config": "taglast.yaml", "flavor": "latest=true", "repository": "ghcr.io/acme/app"},
			"input `config` excludes `repository`, `flavor`\nwrite what they say into the release file; `push` is `dry-run` there, and `push-to-registry` is `store`",
		},
		"no place": {
			map[string]string{"context": "."},
			"neither `images` nor `repository` nor `tags` says where the image goes\nname the repositories in `images`; or write a release file and name it in `config`",
		},
		"rules without images": {
			map[string]string{"tags": "type=semver,pattern={{version}}"},
			"input `tags`: `type=semver` is not a full reference, registry/repository:tag\nname the repositories in `images`: then `tags` are rules",
		},
		"a rule of nothing": {map[string]string{"tag": "1.2.3"}, "input `tag` is a rule, and neither `images` nor `repository` says of what"},
		"full references and a flavor": {
			map[string]string{"tags": full, "flavor": "latest=true"},
			"input `flavor` is about rules, and `tags` without `images` are full references\nname the repositories in `images`",
		},
		"a repository and tags": {
			map[string]string{"repository": "ghcr.io/acme/app", "tags": "1.2.3"},
			"inputs `tags` and `repository` exclude each other: without `images`, `tags` are full references\nwrite rules into `tag`, or the repositories into `images`",
		},
		"a repository without a rule": {
			map[string]string{"repository": "ghcr.io/acme/app"},
			"input `repository` goes with `tag`: an image needs a rule\nwrite one tag or rule a line: `tag: type=semver,pattern={{version}}`; a bare word is itself",
		},
		"two names for repositories": {
			map[string]string{"repository": "ghcr.io/acme/app", "images": "quay.io/acme/app", "tag": "1"},
			"inputs `repository` and `images` are two names of one thing, and differ\nkeep one of them",
		},
		"two names for rules": {
			map[string]string{"images": "quay.io/acme/app", "tag": "1", "tags": "2"}, "inputs `tag` and `tags` are two names of one thing, and differ\nkeep one of them",
		},
		"two names for platforms": {
			map[string]string{"tags": full, "platform": "linux/amd64", "platforms": "linux/arm64"},
			"inputs `platform` and `platforms` are two names of one thing, and differ\nkeep one of them",
		},
		"two names for labels": {
			map[string]string{"tags": full, "label": "a=b", "labels": "a=c"}, "inputs `label` and `labels` are two names of one thing, and differ\nkeep one of them",
		},
		"no image is enabled":  {map[string]string{"images": "name=ghcr.io/acme/app,enable=false"}, "input `images`: no image is enabled"},
		"a mistyped attribute": {map[string]string{"images": "nam=ghcr.io/acme/app"}, "input `images`: unknown image attribute `nam`; did you mean `name`?"},
		"an image with a tag": {
			map[string]string{"images": "ghcr.io/acme/app:1"}, "input `images`: repository `ghcr.io/acme/app:1` has a tag or digest\ntags come from `tags`",
		},
		"a wrong rule":                 {map[string]string{"images": "ghcr.io/acme/app", "tags": "type=semver"}, "input `tags`: tag rule `type=semver`: type=semver needs `pattern=`"},
		"a wrong flavor":               {map[string]string{"images": "ghcr.io/acme/app", "flavor": "x"}, "input `flavor`: flavor `x`: flavor `x` has no value: it is latest=, prefix=, suffix= or onlatest="},
		"a digest":                     {map[string]string{"tags": "ghcr.io/acme/app@sha256:aa"}, "input `tags`: `ghcr.io/acme/app@sha256:aa` has a digest: it is registry/repository:tag"},
		"a tag that is none":           {map[string]string{"tags": "ghcr.io/acme/app:-1"}, "input `tags`: `ghcr.io/acme/app:-1`: `-1` is not a tag"},
		"a wrong platform":             {map[string]string{"tags": full, "platforms": "linux"}, "input `platforms`: platform `linux`: it is os/arch or os/arch/variant"},
		"a label without value":        {map[string]string{"tags": full, "labels": "a"}, "input `labels`: `a` is not KEY=VALUE"},
		"a label twice by its flag":    {map[string]string{"tags": full, "label": "a=b\na=c"}, "input `label`: `a` is given twice"},
		"an open quote":                {map[string]string{"tags": full, "labels": "\"a=b"}, "input `labels`: a double quote is not closed"},
		"a level that is none":         {map[string]string{"tags": full, "annotations": "manifest-descriptor:a=b"}, "input `annotations`: annotation `manifest-descriptor:a`: before the colon stands index, manifest or manifest[os/arch]"},
		"an argument that is a secret": {map[string]string{"tags": full, "build-args": "A=b\nTAGLAST_BUILD_SECRET_1"}, "input `build-args`: an argument begins with TAGLAST_BUILD_SECRET_, which secrets have for themselves"},
		"a template in a label":        {map[string]string{"tags": full, "labels": "a={{sha}}"}, "input `labels`: unknown placeholder `{{sha}}`; the only one here is {{image}}"},
		"provenance of BuildKit": {
			map[string]string{"tags": full, "provenance": "mode=max"},
			"input `provenance`: `mode=max`; it is `true` or `false`\nleave it out: SLSA provenance is made, signed and stored in any case, and BuildKit's own is not kept",
		},
		"an SBOM's generator": {
			map[string]string{"tags": full, "sbom": "generator=docker/scout-sbom-indexer"},
			"input `sbom`: `generator=docker/scout-sbom-indexer`; it is `true` or `false`\nBuildKit makes one of each platform with its own generator; for another SBOM write `sbom: {path: …}` into a release file",
		},
		"a source and a build": {
			map[string]string{"tags": full, "source": "oci=dist", "secret-envs": "A=B"},
			"input `secret-envs` is about the build of a Dockerfile, and `source` says what is published\n" +
				"leave one of them out; the source of a Dockerfile has keys for all of it, one KEY=VALUE a line: dockerfile=Dockerfile",
		},
		"a source that nobody knows": {map[string]string{"tags": full, "source": "digest=x"}, "input `source`: unknown kind `digest`; did you mean `digests`?"},
		"the Git context": {
			map[string]string{"tags": full, "context": "{{ defaultContext }}:sub"},
			"input `context`: `{{defaultContext}}` is the Git context, and the checkout is built here\nleave it out; a folder of the checkout is `context: folder`",
		},
		"the context of metadata-action": {
			map[string]string{"tags": full, "context": "git"},
			"input `context` is the build's, a folder or a URL; tag rules always see the event of the workflow\nleave it out; a folder of that name is `./git`",
		},
		"a build argument of two lines": {map[string]string{"tags": full, "build-args": "\"A=1\n2\""}, "input `build-args`: a control character in `A=1\\n2`"},
		"a build argument twice":        {map[string]string{"tags": full, "build-args": "A=1\nA=2"}, "input `build-args`: build argument `A` stands twice"},
		"a cache of GitHub's": {
			map[string]string{"tags": full, "cache-from": "type=gha"},
			"input `cache-from`: cache-from: `type=gha` needs the runner's token, which a builder is never given\n" +
				"use `type=registry` with a repository of its own; or build in a job without permissions, where type=gha works, and publish the OCI layout that it leaves: `source: {oci: …}`",
		},
		"a secret without a name":   {map[string]string{"tags": full, "secrets": "hunter2"}, "input `secrets`: an entry is not ID=VALUE; a value of several lines stands in double quotes, with its ID: \"ID=line\nline\""},
		"a secret twice":            {map[string]string{"tags": full, "secrets": "a=hunter2", "secret-envs": "a=B"}, "input `secret-envs`: secret `a` stands twice"},
		"a secret's open quote":     {map[string]string{"tags": full, "secrets": "\"a=hunter2"}, "input `secrets`: a double quote is not closed"},
		"a variable without a name": {map[string]string{"tags": full, "secret-envs": "a"}, "input `secret-envs`: `a` is not ID=VARIABLE"},
		"a file without a path":     {map[string]string{"tags": full, "secret-files": "a="}, "input `secret-files`: `a=` is not ID=PATH"},
		"the job's own token":       {map[string]string{"tags": full, "secret-envs": "a=ACTIONS_RUNTIME_TOKEN"}, "input `secret-envs`: ACTIONS_RUNTIME_TOKEN is this job's own: a build that has it could act as this job"},
		"no number":                 {map[string]string{"jobs": "0"}, "input `jobs`: `0` is not a number from 1"},
		"no duration":               {map[string]string{"timeout": "5"}, "input `timeout`: `5` is not a duration\na number with its unit: 90m, 1h30m"},
		"no boolean":                {map[string]string{"rebuild": "yes"}, "input `rebuild`: `yes`; it is `true` or `false`"},
		"a path of two lines":       {map[string]string{"config": "a\nb"}, "input `config`: a control character; one text on one line is asked for"},
		"a version of two words":    {map[string]string{"tags": full, "release-version": "1 2"}, "input `release-version`: release-version `1 2` is not a version"},
		"1 MiB":                     {map[string]string{"tags": strings.Repeat("x", 1<<20)}, "input `tags`: 1048576 bytes; at most 262144 are read"},
		"no text":                   {map[string]string{"labels": "a=\xff"}, "input `labels`: not valid UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := inputs.Parse(get(c.inputs), inputs.Job{})
			if err == nil {
				t.Fatalf("no error, but %+v", got)
			}
			text := err.Error()
			if h := hint.Of(err); h != "" {
				text += "\n" + h
			}
			if text != c.want {
				t.Errorf("got\n%s\nwant\n%s", text, c.want)
			}
			if got.File != nil {
				t.Errorf("a release was made: %+v", got.File)
			}
		})
	}
}
