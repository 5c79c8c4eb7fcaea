package release_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/taglast/taglast/internal/hint"
	"github.com/taglast/taglast/pkg/release"
)

// head and tail make a release file of the line or lines under test, which is line 2.
const (
	head = "tags: [a]\n"
	tail = "\nrepositories: [ghcr.io/acme/app]\nimages:\n- {name: app, source: {oci: x}}\n"
)

func TestParseRefusesKeys(t *testing.T) {
	refuses(t, map[string]refusal{
		"a repeated key":                          {head + "tags: [b]" + tail, "taglast.yaml:2:1: repeated key `tags`; it stands at line 1 already"},
		"a mistyped key with a list":              {head + "plaforms: [linux/amd64]" + tail, "taglast.yaml:2:1: unknown key `plaforms`; did you mean `platforms`?"},
		"a mistyped key with a text":              {head + "lables: x" + tail, "taglast.yaml:2:1: unknown key `lables`; did you mean `labels`?"},
		"a mistyped list with braces in its text": {head + "platform: 'x{{y}}'" + tail, "taglast.yaml:2:1: unknown key `platform`; did you mean `platforms`?"},
		"an unknown key":                          {head + "whatever: 1" + tail, "taglast.yaml:2:1: unknown key `whatever`; the top of the file takes allow-downgrade, annotations, fixed, flavor, if-no-tags, images, labels, moving, platforms, release-version, repositories, tags"},
		"a merge key":                             {head + "<<: {}" + tail, "taglast.yaml:2:1: unknown key `<<`; the top of the file takes allow-downgrade, annotations, fixed, flavor, if-no-tags, images, labels, moving, platforms, release-version, repositories, tags"},
		"an image's key above images":             {head + "source: {oci: x}" + tail, "taglast.yaml:2:1: misplaced key `source`; it belongs to an entry of `images`"},
		"a source's key on an image":              {image("name: app, oci: x, source: {oci: x}"), "taglast.yaml:4:15: misplaced key `oci`; it belongs to `source`"},
		"a general key in a source":               {image("name: app, source: {oci: x, platforms: []}"), "taglast.yaml:4:32: misplaced key `platforms`; it belongs to the top of the file"},
		"a mistyped key in a source":              {image("name: app, source: {ocr: x}"), "taglast.yaml:4:24: unknown key `ocr`; did you mean `oci`? It takes a list: oci: [x]"},
		"a base":                                  {image("name: app, source: {base: scratch, copy: []}"), "taglast.yaml:4:24: `base` is not supported by this version of taglast"},
		"a required attestation":                  {image("name: app, source: {image: x, require: {repo: a/b}}"), "taglast.yaml:4:34: `require` is not supported by this version of taglast"},
		"variants, before the name's placeholder": {image("name: '{{variant}}', variants: [], source: {oci: x}"), "taglast.yaml:4:25: `variants` is not supported by this version of taglast"},
		"an image without name":                   {image("source: {oci: x}"), "taglast.yaml:4:3: missing key `name`"},
		"an image without source":                 {image("name: app"), "taglast.yaml:4:3: missing key `source`"},
		"a file without images":                   {"tags: []\n", "taglast.yaml:1:1: missing key `images`"},
		"a file without tags":                     {"repositories: [ghcr.io/a/b]\nimages:\n- {name: app, source: {oci: x}}\n", "taglast.yaml:3:3: image app: missing key `tags`\nhint: add it, or write `tags: []` to publish by digest alone"},
		"a file without repositories":             {"tags: []\nimages:\n- {name: app, source: {oci: x}}\n", "taglast.yaml:3:3: image app: missing key `repositories`"},
		"a GitHub expression in a key":            {head + "labels: {\"${{ inputs.k }}\": v}" + tail, "taglast.yaml:2:11: `${{ inputs.k }}` is not evaluated here: GitHub does not read this file\nhint: set `env: {K: \"${{ inputs.k }}\"}` on the step and write \"${K}\""},
		"a key that is no text":                   {head + "[a]: b" + tail, "taglast.yaml:2:1: a key is a text, not a list"},
		"control characters in a key are escaped": {head + "\"\\e[31mred\": 1" + tail, "taglast.yaml:2:1: unknown key `\\x1b[31mred`; the top of the file takes allow-downgrade, annotations, fixed, flavor, if-no-tags, images, labels, moving, platforms, release-version, repositories, tags"},
	})
}

func TestParseRefusesYAML(t *testing.T) {
	refuses(t, map[string]refusal{
		"an empty file":              {"", "taglast.yaml: the release file is empty"},
		"a file of comments":         {"# x\n", "taglast.yaml: the release file is empty"},
		"a list":                     {"- a\n", "taglast.yaml:1:1: the top of the file is a map of keys, not a list"},
		"a second document":          {head + "fixed: []" + tail + "---\na: b\n", "taglast.yaml:6:1: a second YAML document; a release file has one"},
		"bytes that are no UTF-8":    {"a: \xff\n", "taglast.yaml: the release file is not valid UTF-8"},
		"a control character":        {"tags: []\nx: \x07\n", "taglast.yaml:2:4: a control character; in double quotes it is written as an escape"},
		"a large file":               {"#" + strings.Repeat("x", 1<<20), "taglast.yaml: the release file has more than 1048576 bytes"},
		"a broken line":              {head + "a: b: c\n", "taglast.yaml:2: not valid YAML: mapping values are not allowed in this context"},
		"a YAML tag":                 {head + "fixed: !!binary aGk=" + tail, "taglast.yaml:2:8: YAML tag `!!binary`; every value here is the text that is written"},
		"deep nesting":               {"a: " + strings.Repeat("[", 40) + strings.Repeat("]", 40), "taglast.yaml:1:36: nested more than 32 deep"},
		"an alias of itself":         {"a: &a [*a]\n", "taglast.yaml:1:8: nested more than 32 deep"},
		"a billion laughs":           {laughs(), "taglast.yaml:1:16: too much: aliases included, a release file has at most 50000 values and 4194304 bytes of text"},
		"an unquoted list entry":     {"repositories:\n  - {{image}}/x # why\n", "taglast.yaml:2:5: a value that begins with {{ must be quoted, or YAML reads it as a map\n           - {{image}}/x # why\n             ^\nhint: - \"{{image}}/x\" # why"},
		"an unquoted flow entry":     {"repositories: [{{image}}, b]\n", "taglast.yaml:1:16: a value that begins with {{ must be quoted, or YAML reads it as a map\n           repositories: [{{image}}, b]\n                          ^\nhint: repositories: [\"{{image}}\", b]"},
		"an unquoted pattern":        {"labels:\n  a: {{major}}.{{minor}}\n", "taglast.yaml:2:6: a value that begins with {{ must be quoted, or YAML reads it as a map\n           a: {{major}}.{{minor}}\n              ^\nhint: a: \"{{major}}.{{minor}}\""},
		"an unquoted value in a map": {image("name: {{image}}, source: {oci: x}"), "taglast.yaml:4:10: a value that begins with {{ must be quoted, or YAML reads it as a map\n           {name: {{image}}, source: {oci: x}}\n                  ^\nhint: {name: \"{{image}}\", source: {oci: x}}"},
		"an unquoted rule in a list": {"tags: [type=semver,pattern={{version}}]\n", "taglast.yaml:1: not valid YAML: did not find expected ',' or ']'\nhint: quote a value with {{ or a comma: both mean something to YAML inside [ ]"},
	})
}

func TestParseRefusesPlaceholders(t *testing.T) {
	const known = "\nhint: only ${NAME} and ${NAME:-default} are; a dollar is written $$"
	refuses(t, map[string]refusal{
		"an unset variable":                 {head + "fixed: [\"x${NONE}\"]" + tail, "taglast.yaml:2:11: environment variable NONE is not set\nhint: set it, or write ${NONE:-default}"},
		"an unset variable in a block":      {head + "fixed: |\n  a\n  b${NONE}" + tail, "taglast.yaml:4:4: environment variable NONE is not set\nhint: set it, or write ${NONE:-default}"},
		"an unset variable in a default":    {head + "fixed: '${A:-${NONE}}'" + tail, "taglast.yaml:2:14: environment variable NONE is not set\nhint: set it, or write ${NONE:-default}"},
		"another form of Compose":           {head + "fixed: '${A-b}'" + tail, "taglast.yaml:2:9: `${A-b}` is not known here" + known},
		"an empty name":                     {head + "fixed: '${}'" + tail, "taglast.yaml:2:9: `${}` is not known here" + known},
		"an open brace":                     {head + "fixed: '${A'" + tail, "taglast.yaml:2:9: `${` without its `}`\nhint: a dollar is written $$"},
		"GitHub's token in a value":         {head + "labels: {a: '${GITHUB_TOKEN:-none}'}" + tail, "taglast.yaml:2:14: GITHUB_TOKEN is a secret, and values of this file are published\nhint: a build gets one by `secrets`: id=NAME,env=VAR"},
		"a token of the runner in a value":  {head + "labels: {a: '${ACTIONS_RUNTIME_TOKEN}'}" + tail, "taglast.yaml:2:14: ACTIONS_RUNTIME_TOKEN is a secret, and values of this file are published\nhint: a build gets one by `secrets`: id=NAME,env=VAR"},
		"a name without braces":             {head + "fixed: a$HOME" + tail, "taglast.yaml:2:9: `$HOME` is no placeholder\nhint: write ${HOME} for the environment variable, or $$HOME for the text itself"},
		"an unknown placeholder":            {head + "fixed: 'a{{version}}'" + tail, "taglast.yaml:2:10: unknown placeholder `{{version}}`; the only one here is {{image}}"},
		"braces that do not close":          {head + "fixed: 'a{{version'" + tail, "taglast.yaml:2:10: `{{` without `}}`; the only placeholder here is {{image}}"},
		"the image in its own name":         {image("name: 'a{{image}}', source: {oci: x}"), "taglast.yaml:4:12: {{image}} is the image's name and cannot stand in it"},
		"two GitHub expressions":            {head + "labels: {a: \"${{ inputs.tag-name }}/${{ github.repository_owner }}\"}" + tail, "taglast.yaml:2:14: `${{ inputs.tag-name }}` is not evaluated here: GitHub does not read this file\nhint: set `env: {TAG_NAME: \"${{ inputs.tag-name }}\", OWNER: \"${{ github.repository_owner }}\"}` on the step and write \"${TAG_NAME}/${OWNER}\""},
		"an expression that is a call":      {head + "labels: {a: \"${{ format('a') }}\"}" + tail, "taglast.yaml:2:14: `${{ format('a') }}` is not evaluated here: GitHub does not read this file\nhint: set `env: {VALUE: \"${{ format('a') }}\"}` on the step and write \"${VALUE}\""},
		"a name that a step needs":          {head + "labels: {a: \"${{ inputs.path }}\"}" + tail, "taglast.yaml:2:14: `${{ inputs.path }}` is not evaluated here: GitHub does not read this file\nhint: set `env: {RELEASE_PATH: \"${{ inputs.path }}\"}` on the step and write \"${RELEASE_PATH}\""},
		"an expression in a tag rule":       {"tags: |\n  a\n  ${{ github.ref_name }}\nfixed: []" + tail, "taglast.yaml:3:3: `${{ github.ref_name }}` is not evaluated here: GitHub does not read this file\nhint: set `env: {REF_NAME: \"${{ github.ref_name }}\"}` on the step and write \"${REF_NAME}\""},
		"an expression that does not close": {head + "labels: {a: \"${{ x\"}" + tail, "taglast.yaml:2:14: `${{` is not evaluated here: GitHub does not read this file\nhint: a dollar is written $$"},
		"a value that grows without bound":  {head + "labels: {a: '" + strings.Repeat("${LONG}", 20) + "'}" + tail, "taglast.yaml:2:13: the value has more than 262144 bytes once its placeholders are replaced"},
		"a variable that is no UTF-8":       {head + "labels: {a: '${BYTES}'}" + tail, "taglast.yaml:2:13: the value is not valid UTF-8 once its placeholders are replaced"},
	})
}

func TestParseRefusesValues(t *testing.T) {
	refuses(t, map[string]refusal{
		"a map for a list":                 {head + "fixed: {a: b}" + tail, "taglast.yaml:2:8: a list is asked for here, not a map"},
		"a list in a list":                 {head + "fixed: [[a]]" + tail, "taglast.yaml:2:9: a text is asked for here, not a list"},
		"a list for a map":                 {head + "labels: [a=b]" + tail, "taglast.yaml:2:9: a map of labels is asked for here, not a list"},
		"an empty entry":                   {head + "fixed: [a, '']" + tail, "taglast.yaml:2:12: an empty entry"},
		"a glob that cannot be read":       {head + "moving: ['[a']" + tail, "taglast.yaml:2:10: glob `[a` cannot be read: syntax error in pattern"},
		"no rule at all":                   {"tags:\nfixed: []" + tail, "taglast.yaml:1:6: `tags` is empty\nhint: write `tags: []` to publish by digest alone"},
		"a bad rule in a list":             {"tags: [a, 'type=semver,patern=x']\nfixed: []" + tail, "taglast.yaml:1:11: tag rule `type=semver,patern=x`: unknown attribute `patern`; did you mean `pattern`?"},
		"a bad rule in a block":            {"tags: |\n  a\n\n  type=shaa\nfixed: []" + tail, "taglast.yaml:4:3: tag rule `type=shaa`: unknown type `shaa`; did you mean `sha`?"},
		"a bad flavor":                     {head + "flavor: [latest=maybe]" + tail, "taglast.yaml:2:10: flavor `latest=maybe`: flavor latest=maybe: it is `auto`, `true` or `false`"},
		"a bad word":                       {head + "if-no-tags: ignore" + tail, "taglast.yaml:2:13: `if-no-tags` is `ignore`; it is `error` or `skip`"},
		"a bad switch":                     {image("name: app, keep-attestations: yes, source: {oci: x}"), "taglast.yaml:4:34: `keep-attestations` is `yes`; it is `false` or `true`"},
		"a bad version":                    {head + "release-version: 1.2 3" + tail, "taglast.yaml:2:18: release-version `1.2 3` is not a version"},
		"a repository without registry":    {head + "repositories: [acme/app]\nimages:\n- {name: app, source: {oci: x}}\n", "taglast.yaml:2:16: repository `acme/app` has no registry\nhint: write docker.io/acme/app, or the name of another registry before it"},
		"a repository with a tag":          {head + "repositories: ['ghcr.io/acme/app:1']\nimages:\n- {name: app, source: {oci: x}}\n", "taglast.yaml:2:16: repository `ghcr.io/acme/app:1` has a tag or digest\nhint: tags come from `tags`"},
		"a repository with a bad name":     {head + "repositories: [ghcr.io/acme//app]\nimages:\n- {name: app, source: {oci: x}}\n", "taglast.yaml:2:16: repository `ghcr.io/acme//app`: the name after the registry is lower-case letters and digits, with . _ - / between them"},
		"a repository named twice":         {head + "repositories: [docker.io/a/b, Index.docker.io/A/b]\nimages:\n- {name: app, source: {oci: x}}\n", "taglast.yaml:2:31: repository docker.io/a/b is named twice"},
		"a platform without architecture":  {head + "platforms: [linux]" + tail, "taglast.yaml:2:13: platform `linux`: it is os/arch or os/arch/variant"},
		"a platform named twice":           {head + "platforms: [linux/arm64, linux/arm64/v8]" + tail, "taglast.yaml:2:26: platform linux/arm64 is named twice"},
		"a bad name":                       {image("name: App, source: {oci: x}"), "taglast.yaml:4:10: image name `App`: it is 1 to 64 of a-z 0-9 . _ - and begins with a letter or digit"},
		"a long name":                      {image("name: " + strings.Repeat("a", 65) + ", source: {oci: x}"), "taglast.yaml:4:10: image name `" + strings.Repeat("a", 65) + "`: it is 1 to 64 of a-z 0-9 . _ - and begins with a letter or digit"},
		"a name of an SBOM's file":         {image("name: app.linux-amd64.sbom, source: {oci: x}"), "taglast.yaml:4:10: image name `app.linux-amd64.sbom`: names that end in .sbom would share the file of an SBOM's bundle"},
		"a name that is given twice":       {image("name: app, source: {oci: x}") + "- {name: app, source: {oci: y}}\n", "taglast.yaml:5:10: image name `app` stands at line 4 already"},
		"a source of two kinds":            {image("name: app, source: {oci: x, image: y}"), "taglast.yaml:4:23: image app: a source has exactly one of " + kinds + "; here are `oci` and `image`"},
		"a source of none":                 {image("name: app, source: {}"), "taglast.yaml:4:23: image app: a source has exactly one of " + kinds + ""},
		"a source that is a text":          {image("name: app, source: dist"), "taglast.yaml:4:23: `source` is a map of keys, not a text"},
		"a ref beside digests":             {image("name: app, source: {digests: x, ref: y}"), "taglast.yaml:4:36: misplaced key `ref`; it goes with `oci`"},
		"a repository beside oci":          {image("name: app, source: {oci: x, repository: y}"), "taglast.yaml:4:32: misplaced key `repository`; it goes with `digests`"},
		"an empty path":                    {image("name: app, source: {oci: }"), "taglast.yaml:4:29: `oci` is empty"},
		"a digest that is none":            {image("name: app, source: {digests: [abc]}"), "taglast.yaml:4:34: `abc` is not a digest: it is 64 hex digits, with or without sha256: before them"},
		"a digest named twice":             {image("name: app, source: {digests: [" + hex + ", sha256-" + hex + "]}"), "taglast.yaml:4:100: digest sha256:" + hex + " is named twice"},
		"an image that is no reference":    {image("name: app, source: {image: 'a b'}"), "taglast.yaml:4:31: `a b` is not an image reference\nhint: it is registry/repository:tag or registry/repository@sha256:…"},
		"a list of images to copy":         {image("name: app, source: {image: [a, b]}"), "taglast.yaml:4:31: one text is asked for here"},
		"a control character":              {head + "annotations: {a: \"b\\ac\"}" + tail, "taglast.yaml:2:18: annotation `a` has a control character in its value"},
		"a block as an annotation":         {head + "annotations:\n  a: |\n    b" + tail, "taglast.yaml:3:6: annotation `a` has a control character in its value\nhint: a block keeps its line breaks; write the value in quotes on one line"},
		"a control character in a key":     {head + "labels: {\"a\\ab\": c}" + tail, "taglast.yaml:2:10: label key `a\\ab` is empty or has a control character"},
		"an empty key":                     {head + "labels: {'': c}" + tail, "taglast.yaml:2:10: label key `` is empty or has a control character"},
		"a repeated label":                 {head + "labels: {a: b, a: c}" + tail, "taglast.yaml:2:16: repeated key `a`"},
		"one annotation in two spellings":  {head + "annotations: {a: b, 'index:a': c}" + tail, "taglast.yaml:2:21: annotation `index:a` stands twice"},
		"an unknown level":                 {head + "annotations: {'manifest-descriptor:a': c}" + tail, "taglast.yaml:2:15: annotation `manifest-descriptor:a`: before the colon stands index, manifest or manifest[os/arch]"},
		"an index of a platform":           {head + "annotations: {'index[linux/amd64]:a': c}" + tail, "taglast.yaml:2:15: annotation `index[linux/amd64]:a`: before the colon stands index, manifest or manifest[os/arch]"},
		"a level's bad platform":           {head + "annotations: {'manifest[linux]:a': c}" + tail, "taglast.yaml:2:15: annotation `manifest[linux]:a`: platform `linux`: it is os/arch or os/arch/variant"},
		"too many bytes of annotations":    {head + "annotations: {a: '${LONG}', b: '${LONG}', c: '${LONG}', d: '${LONG}', e: '${LONG}'}" + tail, "taglast.yaml:2:14: annotations of image app: 100005 bytes; at most 65536"},
		"attestations kept beside a label": {image("name: app, keep-attestations: true, labels: {a: b}, source: {oci: x}"), "taglast.yaml:4:34: `keep-attestations` and `labels` exclude each other: a label changes the manifest that the attestation is about"},
		"and beside a manifest annotation": {image("name: app, keep-attestations: true, annotations: {'manifest:a': b}, source: {oci: x}"), "taglast.yaml:4:34: `keep-attestations` and the annotation `a` of manifests exclude each other: it changes the manifest that the attestation is about"},
		"images that are no list":          {"tags: []\nimages: {a: b}\n", "taglast.yaml:2:9: `images` is a list, not a map"},
		"no image":                         {"tags: []\nimages: []\n", "taglast.yaml:2:9: `images` is empty"},
	})
}

type refusal struct{ file, want string }

func refuses(t *testing.T, cases map[string]refusal) {
	t.Helper()
	lookup := env("LONG="+strings.Repeat("x", 20_000), "BYTES=\xff")
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := release.Parse("taglast.yaml", []byte(tc.file), lookup)
			if err == nil {
				t.Fatal("no error")
			}
			got := err.Error()
			if h := hint.Of(err); h != "" {
				got += "\nhint: " + h
			}
			if got != tc.want {
				t.Errorf("got\n%s\nwant\n%s", got, tc.want)
			}
		})
	}
}

// image is a release file whose only image is on line 4.
func image(entry string) string {
	return "tags: [a]\nrepositories: [ghcr.io/acme/app]\nimages:\n- {" + entry + "}\n"
}

func laughs() string {
	var b strings.Builder
	b.WriteString("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n")
	for i := 1; i < 9; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i-1), 10), ","))
	}
	return b.String()
}
