package inputs

import "slices"

// Input is an input that action.yml declares.
type Input struct {
	Name        string
	Default     string // as action.yml writes it; empty for most
	Description string // what it is; for one that is refused, what to use instead
	Of          string // the action that has it, of an input that is refused; empty for one that is taken
}

// Refused reports whether the input is declared only so that giving it is an error: the runner would only warn of an input
// that is not declared.
func (i Input) Refused() bool { return i.Of != "" }

// The actions whose inputs are taken or refused.
const (
	buildPush = "docker/build-push-action"
	metadata  = "docker/metadata-action"
	attest    = "actions/attest"
)

// All are the inputs of the action, those that are refused last.
func All() []Input {
	return slices.Concat(general, described, renamed, refused)
}

// general are the inputs that go with every release.
var general = []Input{
	{Name: "config", Description: "Release file; default `taglast.yaml` where neither `images` nor `repository` describes an image"},
	{Name: "dry-run", Default: "auto", Description: "`true`, `false` or `auto`: dry on pull_request, pull_request_target and merge_group, and on nothing else"},
	{Name: "release-version", Description: "The version of the release, where it is not the git tag"},
	{Name: "registry", Description: "Only the repositories on these hosts, one a line"},
	{Name: "only", Description: "Only these images of the release file, one a line"},
	{Name: "rebuild", Description: "`true` builds even where a fixed tag already names an attested image"},
	{Name: "registry-auth", Description: "Logins: a YAML list of {registry, username, password}. Pass a secret; nothing is written to disk"},
	{Name: "github-token", Default: "${{ github.token }}", Description: "Token for ghcr.io, the attestations and the API"},
	{Name: "store", Description: "Where attestations are kept, one a line; default `github`"},
	{Name: "output-dir", Description: "Folder for the bundles and report.json; default `taglast-out`"},
	{Name: "timeout", Description: "Of the whole run, such as `90m`; default 1h"},
	{Name: "jobs", Description: "Requests in flight; default 32, of them at most 8 that carry layers"},
	{Name: "offline", Description: "`true`, with a dry run: nothing leaves the runner"},
	{Name: "signing-config", Description: "File: Sigstore signing config; default: that of the public-good instance, or of GitHub's"},
	{Name: "trusted-root", Description: "File: Sigstore trusted root; default: by TUF"},
	{Name: "rekor", Description: "`v1` or `v2`: which version of the log to take from the signing config"},
	{Name: "format", Description: "`json` prints the report to the log as one JSON document"},
	{Name: "all", Description: "`true` lists every image in the log"},
	{Name: "show-summary", Default: "true", Description: "`false` writes no job summary"},
	{Name: "version", Description: "Run another release of taglast than that of this checkout, such as `v1.2.3`; its attestation is verified first"},
}

// described are the flags of publish that describe one image without a release file.
var described = []Input{
	{Name: "repository", Description: "Where the image goes, one a line"},
	{Name: "source", Description: "KIND=VALUE, as the keys of the release file, one a line"},
	{Name: "tag", Description: "Tag rules, one a line"},
	{Name: "platform", Description: "Platforms that the image must have, one a line"},
	{Name: "annotation", Description: "[LEVEL:]KEY=VALUE, one a line"},
	{Name: "label", Description: "KEY=VALUE, one a line"},
	{Name: "flavor", Description: "latest=, prefix=, suffix=, one a line"},
}

// renamed describe one image, by the names that docker/metadata-action, docker/build-push-action and actions/attest have.
var renamed = []Input{
	{Name: "images", Description: "Repositories, one a line; `tags` are then tag rules"},
	{Name: "tags", Description: "With `images` docker/metadata-action's rules, without it full references"},
	{Name: "labels", Description: "KEY=VALUE, one a line"},
	{Name: "annotations", Description: "[LEVEL:]KEY=VALUE, one a line"},
	{Name: "context", Description: "Build context; default the checkout"},
	{Name: "file", Description: "The Dockerfile; default `Dockerfile` in the context"},
	{Name: "platforms", Description: "Platforms to build, separated by commas or lines"},
	{Name: "build-args", Description: "KEY=VALUE, one a line"},
	{Name: "build-contexts", Description: "NAME=PATH or NAME=SOURCE, one a line"},
	{Name: "secrets", Description: "Build secrets, ID=VALUE, one a line"},
	{Name: "secret-envs", Description: "Build secrets from the job's environment, ID=VARIABLE, one a line"},
	{Name: "secret-files", Description: "Build secrets from files, ID=PATH, one a line"},
	{Name: "target", Description: "Stage of the Dockerfile"},
	{Name: "cache-from", Description: "Where the builder's cache comes from, one a line"},
	{Name: "cache-to", Description: "Where the builder's cache goes, one a line"},
	{Name: "builder", Description: "The buildx builder"},
	{Name: "pull", Description: "`true` asks for newer base images"},
	{Name: "no-cache", Description: "`true` builds without cache"},
	{Name: "push", Description: "`false` is `dry-run: true`, and `true` is `dry-run: false`"},
	{Name: "sbom", Description: "`true` lets BuildKit make an SBOM of each platform, which is attested"},
	{Name: "provenance", Description: "`true` and `false` are both what is done: provenance is signed in any case; `mode=max` is refused"},
	{Name: "push-to-registry", Description: "`true` keeps the attestations in the registry too, as `store: registry`"},
}

// advice for inputs that have the same answer.
const (
	byLayout    = "build with docker/build-push-action (`outputs: type=oci,dest=PATH`) and pass the layout: `source: oci=PATH`"
	byPredicate = "the image's provenance and SBOMs are attested; for another predicate run actions/attest with the output `digest` after this step"
)

// inSource is the advice for an option of a build that the source of a Dockerfile has under a key.
func inSource(key string) string {
	return "write `dockerfile=Dockerfile` and `" + key + "=…` as lines of `source`, or both as keys of `source` in a release file"
}

// refused are the other inputs of those actions: docker/build-push-action v7, docker/metadata-action v6, actions/attest v4
// and actions/attest-build-provenance.
var refused = []Input{
	{Name: "add-hosts", Of: buildPush, Description: inSource("add-hosts")},
	{Name: "allow", Of: buildPush, Description: inSource("allow")},
	{Name: "attests", Of: buildPush, Description: "use `sbom: true`; the provenance is made and signed in any case"},
	{Name: "call", Of: buildPush, Description: "run `docker buildx build --call` in a step of its own"},
	{Name: "cgroup-parent", Of: buildPush, Description: byLayout},
	{Name: "load", Of: buildPush, Description: "nothing is loaded into a Docker engine; run `docker pull` by the digest of the outputs after this step"},
	{Name: "network", Of: buildPush, Description: inSource("network")},
	{Name: "no-cache-filters", Of: buildPush, Description: inSource("no-cache-filters")},
	{Name: "outputs", Of: buildPush, Description: "the image is always pushed by digest and tagged last; for another form run docker/build-push-action and pass its layout: `source: oci=PATH`"},
	{Name: "shm-size", Of: buildPush, Description: inSource("shm-size")},
	{Name: "ssh", Of: buildPush, Description: inSource("ssh")},
	{Name: "ulimit", Of: buildPush, Description: inSource("ulimit")},
	{Name: "bake-target", Of: metadata, Description: "there is no bake file; write several images into a release file and use `config`"},
	{Name: "sep-annotations", Of: metadata, Description: "the output `json` has them as a list"},
	{Name: "sep-labels", Of: metadata, Description: "the output `json` has them as a map"},
	{Name: "sep-tags", Of: metadata, Description: "the output `tags` has one reference a line; `json` has them as a list"},
	{Name: "create-storage-record", Of: attest, Description: "storage records are not written; run actions/attest with `create-storage-record` and the output `digest` after this step"},
	{Name: "predicate", Of: attest, Description: byPredicate},
	{Name: "predicate-path", Of: attest, Description: byPredicate},
	{Name: "predicate-type", Of: attest, Description: byPredicate},
	{Name: "private-signing", Of: attest, Description: "the visibility of the repository decides where to sign"},
	{Name: "sbom-path", Of: attest, Description: "use `sbom: true`, or `sbom: {path: …}` in a release file"},
	{Name: "subject-checksums", Of: attest, Description: "the subject is what this step publishes; attest files with actions/attest"},
	{Name: "subject-digest", Of: attest, Description: "the subject is what this step publishes; pass an image that is there as `source: image=REF`"},
	{Name: "subject-name", Of: attest, Description: "use `images`"},
	{Name: "subject-path", Of: attest, Description: "the subject is what this step publishes; attest files with actions/attest"},
	{Name: "subject-version", Of: attest, Description: "use `release-version`"},
}
