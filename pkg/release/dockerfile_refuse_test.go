package release_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/taglast/taglast/pkg/release"
)

func TestParseRefusesDockerfiles(t *testing.T) {
	const stdin = "`-` is the standard input, which is not read here; it is a path"
	const credentials = " has credentials in it, which would stand in arguments and in provenance\nhint: leave them out, and give the builder the token as a secret: \"id=GIT_AUTH_TOKEN,env=NAME\""
	refuses(t, map[string]refusal{
		"an address with a signature":      {builds("    context: 'https://example.com/x.tgz?sig=SECRET'"), "taglast.yaml:7:14: `context`: https://example.com/x.tgz has a query with `sig`, which would stand in arguments, output and provenance\nhint: known are ref, tag, branch, commit, checksum, subdir, keep-git-dir, submodules; a signed address is fetched before this step"},
		"an address of an unknown kind":    {builds("    context: 'git+https://u:p@example.com/x.git'"), "taglast.yaml:7:14: `context` is an address of a kind that is not known; it is https://, http://, git:// or ssh://, or a folder"},
		"an image with credentials":        {builds("    contexts: {b: 'docker-image://u:p@example.com/x'}"), "taglast.yaml:7:19: context `b`: what stands behind docker-image:// is not an image reference"},
		"a key without its kind":           {image("name: app, source: {oci: x, context: .}"), "taglast.yaml:4:32: misplaced key `context`; it goes with `dockerfile`"},
		"a mistyped key":                   {builds("    targe: x"), "taglast.yaml:7:5: unknown key `targe`; did you mean `target`?"},
		"an empty path":                    {image("name: app, source: {dockerfile: }"), "taglast.yaml:4:36: one text is asked for here"},
		"two Dockerfiles":                  {image("name: app, source: {dockerfile: [a, b]}"), "taglast.yaml:4:36: one text is asked for here"},
		"a control character in its path":  {image("name: app, source: {dockerfile: \"a\\eb\"}"), "taglast.yaml:4:36: `dockerfile` has a control character"},
		"a Dockerfile on standard input":   {image("name: app, source: {dockerfile: '-'}"), "taglast.yaml:4:36: " + stdin},
		"a Dockerfile at a URL":            {image("name: app, source: {dockerfile: 'https://example.com/Dockerfile'}"), "taglast.yaml:4:36: `dockerfile` is a path, not a URL\nhint: a URL stands in `context`, and the Dockerfile's path is within it"},
		"a Dockerfile outside a URL":       {image("name: app, source: {dockerfile: a/../../x, context: github.com/a/b}"), "taglast.yaml:4:36: the Dockerfile `a/../../x` is not within the context, which is a URL"},
		"an absolute one beside a URL":     {image("name: app, source: {dockerfile: /x, context: github.com/a/b}"), "taglast.yaml:4:36: the Dockerfile `/x` is not within the context, which is a URL"},
		"a context on standard input":      {builds("    context: '-'"), "taglast.yaml:7:14: " + stdin},
		"a list of contexts":               {builds("    context: [a, b]"), "taglast.yaml:7:14: one text is asked for here"},
		"a context on two lines":           {builds("    context: \"a\\nb\""), "taglast.yaml:7:14: one text is asked for here"},
		"a control character in a stage":   {builds("    target: \"a\\tb\""), "taglast.yaml:7:13: `target` has a control character"},
		"a control character in a builder": {builds("    builder: \"a\\ab\""), "taglast.yaml:7:14: `builder` has a control character"},
		"a password in a context":          {builds("    context: https://me:secret@github.com/acme/app.git#main"), "taglast.yaml:7:14: `context`: https://github.com/acme/app.git" + credentials},
		"a token in a context":             {builds("    context: https://secret@github.com/acme/app.git"), "taglast.yaml:7:14: `context`: https://github.com/acme/app.git" + credentials},
		"a password in an SSH address":     {builds("    context: ssh://git:secret@example.com/app"), "taglast.yaml:7:14: `context`: ssh://example.com/app" + credentials},
		"a URL that cannot be read":        {builds("    context: 'https://me:sec%ret@example.com'"), "taglast.yaml:7:14: `context` is a URL that cannot be read"},
		"an unknown network":               {builds("    network: bridge"), "taglast.yaml:7:14: `network` is `bridge`; it is `default` or `none` or `host`"},
		"a pull that is no switch":         {builds("    pull: always"), "taglast.yaml:7:11: `pull` is `always`; it is `false` or `true`"},
		"a no-cache that is no switch":     {builds("    no-cache: \"1\""), "taglast.yaml:7:15: `no-cache` is `1`; it is `false` or `true`"},
		"no cache at all, and for a stage": {builds("    no-cache: true\n    no-cache-filters: [a]"), "taglast.yaml:8:24: `no-cache` and `no-cache-filters` exclude each other\nhint: `no-cache` is about every stage: leave one of them out"},
		"build-push-action's name":         {builds("    build-args: {A: b}"), "taglast.yaml:7:5: unknown key `build-args`\nhint: build arguments are `args`, a map"},
		"a stage that is empty":            {builds("    no-cache-filters: ['a,,b']"), "taglast.yaml:7:24: `no-cache-filters` has an empty entry: `a,,b`"},
		"a host without address":           {builds("    add-hosts: ['db:10.0.0.1', db]"), "taglast.yaml:7:32: host `db`: it is HOST:IP, or HOST:host-gateway"},
		"a host with a bad address":        {builds("    add-hosts: db:10.0.0"), "taglast.yaml:7:16: host `db:10.0.0`: it is HOST:IP, or HOST:host-gateway"},
		"an address without host":          {builds("    add-hosts: '=10.0.0.1'"), "taglast.yaml:7:16: host `=10.0.0.1`: it is HOST:IP, or HOST:host-gateway"},
		"a mistyped entitlement":           {builds("    allow: [network-host]"), "taglast.yaml:7:13: unknown entitlement `network-host`; did you mean `network.host`?"},
		"an unknown entitlement":           {builds("    allow: [buildx.local.delete]"), "taglast.yaml:7:13: unknown entitlement `buildx.local.delete`; it is one of network.host, security.insecure, device"},
		"an entitlement with a value":      {builds("    allow: [network.host=x]"), "taglast.yaml:7:13: unknown entitlement `network.host=x`; did you mean `network.host`?"},
		"a limit without number":           {builds("    ulimit: [nofile]"), "taglast.yaml:7:14: ulimit `nofile`: it is NAME=SOFT or NAME=SOFT:HARD"},
		"a size that is none":              {builds("    shm-size: big"), "taglast.yaml:7:15: `shm-size` is `big`; it is a number of bytes, or one with a unit: 512m"},
		"an agent without id":              {builds("    ssh: ['=/tmp/x']"), "taglast.yaml:7:11: ssh `=/tmp/x`: it is default, or ID=SOCKET or ID=KEY,KEY"},
		"an agent without socket":          {builds("    ssh: ['a=']"), "taglast.yaml:7:11: ssh `a=`: it is default, or ID=SOCKET or ID=KEY,KEY"},
		"a control character in a list":    {builds("    ssh: [\"a\\tb\"]"), "taglast.yaml:7:11: `ssh` has a control character"},
	})
}

func TestParseRefusesBuildInputs(t *testing.T) {
	const runner = " is this job's own: a build that has it could act as this job"
	const quoted = "\nhint: it is \"id=NAME,env=VARIABLE\" or \"id=NAME,src=FILE\", in quotes: [ ] ends a text at its comma"
	refuses(t, map[string]refusal{
		"an argument twice":                  {builds("    args: [A=1, B, A]"), "taglast.yaml:7:20: build argument `A` stands twice"},
		"an argument twice in a map":         {builds("    args: {A: 1, A: 2}"), "taglast.yaml:7:18: repeated key `A`"},
		"an argument without name":           {builds("    args: ['=1']"), "taglast.yaml:7:12: build argument ``: its name is empty or has `=`"},
		"an argument with = in its name":     {builds("    args: {A=B: c}"), "taglast.yaml:7:12: build argument `A=B`: its name is empty or has `=`"},
		"an argument on two lines":           {builds("    args: {A: \"b\\nc\"}"), "taglast.yaml:7:15: build argument `A` has a control character in its value"},
		"a control character in a list":      {builds("    args: [\"A=b\\ac\"]"), "taglast.yaml:7:12: build argument `A` has a control character"},
		"an argument that is a list":         {builds("    args: {A: [b]}"), "taglast.yaml:7:15: a text is asked for here, not a list"},
		"GitHub's token as an argument":      {builds("    args: {GITHUB_TOKEN: }"), "taglast.yaml:7:12: GITHUB_TOKEN is a secret, and build arguments stand in the image's history\nhint: give it as a secret: `secrets: [\"id=github,env=GITHUB_TOKEN\"]`"},
		"the runner's token as an argument":  {builds("    args: [ACTIONS_RUNTIME_TOKEN]"), "taglast.yaml:7:12: ACTIONS_RUNTIME_TOKEN" + runner},
		"the runner's token as a secret":     {builds("    secrets: ['id=a,env=ACTIONS_ID_TOKEN_REQUEST_TOKEN']"), "taglast.yaml:7:15: ACTIONS_ID_TOKEN_REQUEST_TOKEN" + runner},
		"and by its id, in small letters":    {builds("    secrets: id=actions_id_token_request_url"), "taglast.yaml:7:14: ACTIONS_ID_TOKEN_REQUEST_URL" + runner},
		"a secret in a list without quotes":  {builds("    secrets: [id=a,env=A]"), "taglast.yaml:7:20: secret `env=A` has no `id`" + quoted},
		"a secret that is a word":            {builds("    secrets: token"), "taglast.yaml:7:14: secret: a part is not KEY=VALUE"},
		"an unknown part":                    {builds("    secrets: 'id=a,en=A'"), "taglast.yaml:7:14: secret: unknown part `en`; did you mean `env`?"},
		"a part that is far from all":        {builds("    secrets: 'id=a,required=true'"), "taglast.yaml:7:14: secret: unknown part `required`; it is one of id, env, src, source, type"},
		"a part twice":                       {builds("    secrets: 'id=a,env=A,env=B'"), "taglast.yaml:7:14: secret: `env` stands twice"},
		"a part without value":               {builds("    secrets: 'id=a,src='"), "taglast.yaml:7:14: secret: `src` has no value"},
		"a file in both spellings":           {builds("    secrets: 'id=a,src=x,source=y'"), "taglast.yaml:7:14: secret: `src` and `source` are the same; one of them is asked for"},
		"a variable and a file":              {builds("    secrets: 'id=a,env=A,src=x'"), "taglast.yaml:7:14: secret `a` is a variable or a file, not both"},
		"an unknown type of secret":          {builds("    secrets: 'id=a,type=value'"), "taglast.yaml:7:14: secret `a`: unknown type `value`; it is `env` or `file`"},
		"a file that is a variable":          {builds("    secrets: 'id=a,type=file,env=A'"), "taglast.yaml:7:14: secret `a`: `type=file` goes with `src`"},
		"a file without path":                {builds("    secrets: 'id=a,type=file'"), "taglast.yaml:7:14: secret `a`: `type=file` goes with `src`"},
		"a variable with = in its name":      {builds("    secrets: 'id=a,env=A=b'"), "taglast.yaml:7:14: secret `a`: `A=b` is not the name of a variable"},
		"quotes within a part":               {builds("    secrets: 'id=a,src=\"x\"'"), "taglast.yaml:7:14: secret: quotes go around a whole part: \"src=a,b\""},
		"a secret twice":                     {builds("    secrets: |\n      id=a\n      id=b\n      id=a,src=x"), "taglast.yaml:10:7: secret `a` stands twice"},
		"a control character in a secret":    {builds("    secrets: \"id=a\\tb\""), "taglast.yaml:7:14: `secrets` has a control character"},
		"a map of secrets":                   {builds("    secrets: {a: b}"), "taglast.yaml:7:14: a list is asked for here, not a map"},
		"a context without value":            {builds("    contexts: {a: }"), "taglast.yaml:7:16: context `a` has no value: it is a folder, a URL or image:NAME"},
		"a context on standard input":        {builds("    contexts: {a: '-'}"), "taglast.yaml:7:19: `-` is the standard input, which is not read here; it is a path"},
		"credentials in a named context":     {builds("    contexts: {a: 'https://x@example.com/a.git'}"), "taglast.yaml:7:19: context `a`: https://example.com/a.git has credentials in it, which would stand in arguments and in provenance\nhint: leave them out, and give the builder the token as a secret: \"id=GIT_AUTH_TOKEN,env=NAME\""},
		"a named context twice":              {builds("    contexts: [a=b, a=c]"), "taglast.yaml:7:21: context `a` stands twice"},
		"the image itself as its context":    {builds("    contexts: {a: 'image:app'}"), "taglast.yaml:7:19: context `a` of image app is the image itself"},
		"an image that is not there":         {builds("    contexts: {a: 'image:base'}"), "taglast.yaml:7:19: context `a`: there is no image `base`, and no other image"},
		"a mistyped image":                   {builds("    contexts: {a: 'image:bas'}\n- {name: base, source: {oci: x}}"), "taglast.yaml:7:19: context `a`: there is no image `bas`; did you mean `base`?"},
		"an image that is far from all":      {builds("    contexts: [a=image:x]\n- {name: one, source: {oci: x}}\n- {name: two, source: {oci: x}}\n- {name: three, source: {oci: x}}\n- {name: four, source: {oci: x}}"), "taglast.yaml:7:16: context `a`: there is no image `x`; others are one, two, three and 1 more"},
		"a platform that the base lacks":     {builds("    contexts: {b: 'image:b'}\n  platforms: [linux/amd64, linux/arm64]\n- {name: b, source: {dockerfile: b}, platforms: [linux/amd64]}"), "taglast.yaml:7:19: context `b`: image app is for linux/arm64, and image b, from which it is built, is not\nhint: add the platform to both, or take it out of both; `platforms` above `images` is for all of them"},
		"two images in a circle":             {builds("    contexts: {b: 'image:b'}\n- {name: b, source: {dockerfile: b, contexts: {a: 'image:app'}}}"), "taglast.yaml:7:19: images are built from each other in a circle: app from b from app"},
		"a circle behind another image":      {builds("    contexts: {b: 'image:b'}\n- {name: b, source: {dockerfile: b, contexts: {c: 'image:c'}}}\n- {name: c, source: {dockerfile: c, contexts: {x: 'image:d', b: 'image:b'}}}\n- {name: d, source: {oci: x}}"), "taglast.yaml:8:51: images are built from each other in a circle: b from c from b"},
		"a circle of many is not told whole": {circle(12), "taglast.yaml:4:64: images are built from each other in a circle: i0 from i1 from i2 from i3 from i4 from i5 from … from i0"},
	})
}

// circle is a release file whose images are each built from the next, and the last from the first.
func circle(n int) string {
	var b strings.Builder
	b.WriteString("tags: [a]\nrepositories: [ghcr.io/acme/app]\nimages:\n")
	for i := range n {
		fmt.Fprintf(&b, "- {name: i%d, source: {dockerfile: Dockerfile, contexts: {base: 'image:i%d'}}}\n", i, (i+1)%n)
	}
	return b.String()
}

// Many paths through the images are no circle, and each image is looked at once.
func TestManyPathsAreNoCircle(t *testing.T) {
	var b strings.Builder
	b.WriteString("tags: [a]\nrepositories: [ghcr.io/acme/app]\nimages:\n- {name: i0, source: {oci: x}}\n- {name: i1, source: {oci: x}}\n")
	for i := 2; i < 60; i++ {
		fmt.Fprintf(&b, "- {name: i%d, source: {dockerfile: Dockerfile, contexts: {a: 'image:i%d', b: 'image:i%d'}}}\n", i, i-1, i-2)
	}
	f, err := release.Parse("taglast.yaml", []byte(b.String()), nil)
	if err != nil || len(f.Images) != 60 {
		t.Errorf("got %v", err)
	}
}

func TestParseRefusesCaches(t *testing.T) {
	const kinds = "registry, local, inline, s3, azblob"
	const gha = ": `type=gha` needs the runner's token, which a builder is never given\nhint: use `type=registry` with a repository of its own; or build in a job without permissions, where type=gha works, and publish the OCI layout that it leaves: `source: {oci: …}`"
	const arguments = "` would stand in the arguments of a process\nhint: leave it out, "
	const aws = "and set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN in the environment"
	taken := func(repo string) string {
		return "image app: cache-to would write a tag into " + repo + ", a repository of this release, and nobody attests it\nhint: name another repository: " + repo + "-cache"
	}
	refuses(t, map[string]refusal{
		"a repository with the default port": {builds("    cache-to: 'ghcr.io:443/acme/app:latest'"), "taglast.yaml:7:15: " + taken("ghcr.io:443/acme/app")},
		"a repository with the dot of DNS":   {builds("    cache-to: 'ghcr.io./acme/app'"), "taglast.yaml:7:15: " + taken("ghcr.io./acme/app")},
		"Docker Hub with the default port":   {builds("    cache-to: 'docker.io:443/acme/app'"), "taglast.yaml:7:15: " + taken("docker.io:443/acme/app")},
		"this machine by another name": {
			strings.Replace(builds("    cache-to: '127.0.0.1:5000/acme/app'"), "ghcr.io/acme/app,", "'localhost:5000/acme/app',", 1),
			"taglast.yaml:7:15: " + taken("127.0.0.1:5000/acme/app"),
		},
		"GitHub's cache to write":               {builds("    cache-to: 'type=gha,mode=max'"), "taglast.yaml:7:15: cache-to" + gha},
		"GitHub's cache to read":                {builds("    cache-from: [type=gha]"), "taglast.yaml:7:18: cache-from" + gha},
		"a kind without type":                   {builds("    cache-to: inline"), "taglast.yaml:7:15: cache-to: `inline` is a kind of cache, not a reference\nhint: write it as \"type=inline\", with what else it needs"},
		"GitHub's kind without type":            {builds("    cache-from: [gha]"), "taglast.yaml:7:18: cache-from: `gha` is a kind of cache, not a reference\nhint: write it as \"type=gha\", with what else it needs"},
		"an inline cache to read":               {builds("    cache-from: type=inline"), "taglast.yaml:7:17: cache-from has no `type=inline`; it is one of registry, local, s3, azblob\nhint: an inline cache is read from the image that has it: `type=registry,ref=…`"},
		"a mistyped kind":                       {builds("    cache-to: 'type=Registry,ref=x'"), "taglast.yaml:7:15: cache-to: unknown type `Registry`; did you mean `registry`?"},
		"an unknown kind":                       {builds("    cache-to: 'type=gcs,name=x'"), "taglast.yaml:7:15: cache-to: unknown type `gcs`; it is one of " + kinds},
		"no kind":                               {builds("    cache-to: 'ref=acme/x'"), "taglast.yaml:7:15: cache-to: no `type=`; it is one of " + kinds},
		"no reference, for want of quotes":      {builds("    cache-to: [type=registry,ref=acme/x]"), "taglast.yaml:7:16: cache-to: `type=registry` needs `ref=`\nhint: write it as \"type=registry,ref=…\", in quotes: [ ] ends a text at its comma"},
		"a folder to write without path":        {builds("    cache-to: 'type=local,src=x'"), "taglast.yaml:7:15: cache-to: `type=local` needs `dest=`\nhint: write it as \"type=local,dest=…\", in quotes: [ ] ends a text at its comma"},
		"a folder to read without path":         {builds("    cache-from: 'type=local,dest=x'"), "taglast.yaml:7:17: cache-from: `type=local` needs `src=`\nhint: write it as \"type=local,src=…\", in quotes: [ ] ends a text at its comma"},
		"a part that is no pair":                {builds("    cache-to: 'type=local,x'"), "taglast.yaml:7:15: cache-to: a part is not KEY=VALUE"},
		"a part twice":                          {builds("    cache-to: 'type=registry,ref=acme/x,REF=acme/y'"), "taglast.yaml:7:15: cache-to: `ref` stands twice"},
		"a bare text that is no reference":      {builds("    cache-to: 'acme/x,acme/y'"), "taglast.yaml:7:15: cache-to: `acme/x,acme/y` is not an image reference\nhint: it is registry/repository:tag, or \"type=KIND,…\""},
		"a reference that is none":              {builds("    cache-from: 'type=registry,ref=a b'"), "taglast.yaml:7:17: cache-from: `a b` is not an image reference\nhint: it is registry/repository:tag, or \"type=KIND,…\""},
		"a control character":                   {builds("    cache-to: \"type=local,dest=a\\tb\""), "taglast.yaml:7:15: `cache-to` has a control character"},
		"an access key":                         {builds("    cache-to: 'type=s3,access_key_id=x'"), "taglast.yaml:7:15: cache-to: `access_key_id" + arguments + aws},
		"a secret key":                          {builds("    cache-from: 'type=s3,Secret_Access_Key=x'"), "taglast.yaml:7:17: cache-from: `secret_access_key" + arguments + aws},
		"a session's token":                     {builds("    cache-to: 'type=s3,session_token=x'"), "taglast.yaml:7:15: cache-to: `session_token" + arguments + aws},
		"Azure's key":                           {builds("    cache-to: 'type=azblob,secret_access_key=x'"), "taglast.yaml:7:15: cache-to: `secret_access_key` would stand in the arguments of a process\nhint: leave it out: BuildKit takes AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET from the environment that it runs in"},
		"Azure's key in a URL":                  {builds("    cache-to: 'type=azblob,account_url=https://a.test/?sig=x'"), "taglast.yaml:7:15: cache-to: `account_url` is a URL without credentials or a query: they would stand in the arguments of a process\nhint: leave it out: BuildKit takes AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET from the environment that it runs in"},
		"S3's key in a URL":                     {builds("    cache-to: 'type=s3,endpoint_url=https://a:b@c.test'"), "taglast.yaml:7:15: cache-to: `endpoint_url` is a URL without credentials or a query: they would stand in the arguments of a process\nhint: leave it out, " + aws},
		"a cache among the release's tags":      {builds("    cache-to: 'type=registry,ref=ghcr.io/acme/app:cache'"), "taglast.yaml:7:15: " + taken("ghcr.io/acme/app")},
		"a bare reference without tag":          {builds("    cache-to: [acme/x, ghcr.io/acme/app]"), "taglast.yaml:7:24: " + taken("ghcr.io/acme/app")},
		"Docker Hub by its other name":          {builds("    cache-to: index.docker.io/acme/app:cache"), "taglast.yaml:7:15: " + taken("docker.io/acme/app")},
		"Docker Hub by no name":                 {builds("    cache-to: acme/app:cache"), "taglast.yaml:7:15: " + taken("docker.io/acme/app")},
		"Docker Hub by its API's name":          {builds("    cache-to: registry-1.docker.io/acme/app:cache"), "taglast.yaml:7:15: " + taken("docker.io/acme/app")},
		"a host in capitals":                    {builds("    cache-to: GHCR.IO/acme/app:cache"), "taglast.yaml:7:15: " + taken("ghcr.io/acme/app")},
		"a tag and a digest":                    {builds("    cache-to: 'ghcr.io/acme/app:cache@sha256:" + hex + "'"), "taglast.yaml:7:15: " + taken("ghcr.io/acme/app")},
		"a repository of a later image":         {builds("    cache-to: ghcr.io/acme/other:cache\n- {name: other, repositories: [ghcr.io/acme/other], source: {oci: x}}"), "taglast.yaml:7:15: " + taken("ghcr.io/acme/other")},
		"a library image by its short spelling": {"tags: [a]\nrepositories: [docker.io/library/app]\nimages:\n- {name: app, source: {dockerfile: x, cache-to: app}}\n", "taglast.yaml:4:49: " + taken("docker.io/library/app")},
	})
}
