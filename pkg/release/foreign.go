package release

// foreignNames are names by which people who come from docker/build-push-action or a bake file know something that has
// another name here, or is not here at all; and what to write.
var foreignNames = map[string]string{ //nolint:gosec // names of keys, no secrets
	"file":           "the Dockerfile's path is the value of `dockerfile`",
	"build-args":     "build arguments are `args`, a map",
	"build-arg":      "build arguments are `args`, a map",
	"build-contexts": "they are `contexts`, a map",
	"build-context":  "they are `contexts`, a map",
	"secret-envs":    "write `secrets: [\"id=NAME,env=VARIABLE\"]`",
	"secret-files":   "write `secrets: [\"id=NAME,src=FILE\"]`",
	"secret":         "write `secrets: [\"id=NAME,env=VARIABLE\"]`",
	"attests":        "an SBOM is `sbom: true` on the image; provenance is always made and signed",
	"attest":         "an SBOM is `sbom: true` on the image; provenance is always made and signed",
	"provenance":     "it is always made and signed; `keep-attestations: true` on the image keeps BuildKit's own too",
	"outputs":        "what is built is pushed by this program, by digest, and to nowhere else",
	"output":         "what is built is pushed by this program, by digest, and to nowhere else",
	"push":           "`taglast publish` pushes; `--dry-run` does not",
	"load":           "nothing is loaded into an engine; `docker buildx build --load` does that",
	"github-token":   "a build gets a token as a secret: `secrets: [\"id=GIT_AUTH_TOKEN,env=VARIABLE\"]`",
	"call":           "checks and outlines are `docker buildx build --call`'s",
	"cgroup-parent":  "it is not supported",
	"inherits":       "what images have in common stands above `images`",
	"matrix":         "write an image for each",
}
