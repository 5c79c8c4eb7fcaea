package buildx_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/taglast/taglast/internal/buildx"
	"github.com/taglast/taglast/internal/testkit/buildxtest"
)

// The output of buildx v0.37.2 and BuildKit v0.33.1.
const (
	failingRun = `#5 [2/2] RUN fail
#5 0.159 going down
#5 0.160 ` + "\x1b[31mred\x1b[0m" + ` ::error::x
#5 ERROR: process "/bin/sh -c fail" did not complete successfully: exit code: 3
------
 > [2/2] RUN fail:
0.159 going down
0.160 ` + "\x1b[31mred\x1b[0m" + ` ::error::x
------
Dockerfile:4
--------------------
   2 |     COPY app /bin/sh
   3 |     # hello
   4 | >>> RUN fail
   5 |     
--------------------
ERROR: failed to build: failed to solve: process "/bin/sh -c fail" did not complete successfully: exit code: 3
`
	foreignRun = `#5 [2/2] RUN x
#5 0.157 exec /bin/sh: exec format error
#5 ERROR: process "/bin/sh -c x" did not complete successfully: exit code: 1
------
 > [linux/arm64 2/2] RUN x:
0.157 exec /bin/sh: exec format error
------
Dockerfile:3
--------------------
   1 |     FROM scratch
   2 |     COPY app64 /bin/sh
   3 | >>> RUN x
   4 |     
--------------------
ERROR: failed to build: failed to solve: process "/bin/sh -c x" did not complete successfully: exit code: 1
`
	unknownInstruction = `#1 DONE 0.0s
Dockerfile:2
--------------------
   1 |     FROM scratch
   2 | >>> COPPY a b
   3 |     
--------------------
ERROR: failed to build: failed to solve: dockerfile parse error on line 2: unknown instruction: COPPY (did you mean COPY?)
`
	missingFile = `#4 [1/1] COPY missing b
#4 ERROR: failed to calculate checksum of ref ts0iy::yo5: "/missing": not found
------
 > [1/1] COPY missing b:
------
Dockerfile:2
--------------------
   1 |     FROM scratch
   2 | >>> COPY missing b
   3 |     
--------------------
ERROR: failed to build: failed to solve: failed to compute cache key: failed to calculate checksum of ref ts0iy::yo5: "/missing": not found
`
	noSecret = `#5 [stage-0 2/2] RUN --mount=type=secret,id=tok,required=true x
#5 ERROR: secret tok: not found
------
 > [stage-0 2/2] RUN --mount=type=secret,id=tok,required=true x:
------
Dockerfile:3
--------------------
   1 |     FROM scratch
   2 |     COPY app /bin/sh
   3 | >>> RUN --mount=type=secret,id=tok,required=true x
   4 |     
--------------------
ERROR: failed to build: failed to solve: secret tok: not found
`
	noConnection = `#0 building with "dead" instance using remote driver

#1 [internal] waiting for connection
#1 ERROR: context deadline exceeded
------
 > [internal] waiting for connection:
------
ERROR: failed to build: context deadline exceeded
`
	dockerDriver = `ERROR: failed to build: OCI exporter is not supported for the docker driver.
Switch to a different driver, or turn on the containerd image store, and try again.
Learn more at https://docs.docker.com/go/build-exporters/
`
	dockerDriverPlatforms = `ERROR: failed to build: Multi-platform build is not supported for the docker driver.
Switch to a different driver, or turn on the containerd image store, and try again.
Learn more at https://docs.docker.com/go/build-multi-platform/
`
	noBase = `#2 [internal] load metadata for docker.io/library/nost:latest
#2 ERROR: failed to do request: Head "https://registry-1.docker.io/v2/library/nost/manifests/latest": dial tcp: lookup registry-1.docker.io: no such host
------
 > [internal] load metadata for docker.io/library/nost:latest:
------
Dockerfile:2
--------------------
   1 |     FROM scratch
   2 | >>> COPY --from=nost missing b
   3 |     
--------------------
ERROR: failed to build: failed to solve: nost: failed to resolve source metadata for docker.io/library/nost:latest: failed to do request: Head "https://registry-1.docker.io/v2/library/nost/manifests/latest": dial tcp: lookup registry-1.docker.io: no such host
`
)

func TestABuildThatFails(t *testing.T) {
	const setup = "docker/setup-buildx-action"
	for name, tc := range map[string]struct {
		stderr, message, hint, detail string
	}{
		"a RUN":                      {failingRun, "Dockerfile:4: `RUN fail`: exit code: 3", "", "going down\nred ::error::x"},
		"a RUN of another machine":   {foreignRun, "Dockerfile:3: `RUN x` for linux/arm64: exec format error: the builder's machine cannot run programs of this platform", "docker/setup-qemu-action", "exec /bin/sh: exec format error"},
		"an unknown instruction":     {unknownInstruction, "Dockerfile:2: `COPPY a b`: dockerfile parse error on line 2: unknown instruction: COPPY (did you mean COPY?)", "", ""},
		"a file that is not there":   {missingFile, "Dockerfile:2: `COPY missing b`: there is no /missing to copy", ".dockerignore", ""},
		"one of one platform":        {strings.ReplaceAll(missingFile, " > [1", " > [linux/arm64 1"), "Dockerfile:2: `COPY missing b` for linux/arm64: there is no /missing to copy", ".dockerignore", ""},
		"a base that needs a login":  {"ERROR: failed to build: failed to solve: acme/base:1: failed to resolve source metadata for docker.io/acme/base:1: pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed\n", "acme/base:1: failed to resolve source metadata for docker.io/acme/base:1: pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed", "docker/login-action", ""},
		"a cache that needs a login": {"ERROR: failed to build: failed to solve: error writing manifest blob: failed commit on ref: unexpected status from PUT request to https://ghcr.io/v2/acme/cache/manifests/main: 403 Forbidden\n", "error writing manifest blob: failed commit on ref: unexpected status from PUT request to https://ghcr.io/v2/acme/cache/manifests/main: 403 Forbidden", "docker/login-action", ""},
		"a base that is mistyped":    {"ERROR: failed to build: failed to solve: alpin:3: failed to resolve source metadata for docker.io/library/alpin:3: docker.io/library/alpin:3: not found\n", "there is no image docker.io/library/alpin:3", "FROM", ""},
		"a base that is not there":   {noBase, "Dockerfile:2: `COPY --from=nost missing b`: nost: failed to resolve source metadata for docker.io/library/nost:latest: failed to do request: Head \"https://registry-1.docker.io/v2/library/nost/manifests/latest\": dial tcp: lookup registry-1.docker.io: no such host", "", ""},
		"a secret that is not given": {noSecret, "Dockerfile:3: `RUN --mount=type=secret,id=tok,required=true x`: the build has no secret tok, which the Dockerfile needs", `secrets: ["id=tok,env=VARIABLE"]`, ""},
		"an unknown stage":           {"ERROR: failed to build: failed to solve: target stage \"nope\" could not be found\n", "the Dockerfile has no stage nope", "behind AS", ""},
		"an unknown stage, one near": {"ERROR: failed to build: failed to solve: target stage \"fi\" could not be found (did you mean fin?)\n", "the Dockerfile has no stage fi", "`target: fin`", ""},
		"no Dockerfile":              {"#1 DONE 0.0s\nERROR: failed to build: failed to solve: failed to read dockerfile: open sub/Dockerfile: no such file or directory\n", "the context has no sub/Dockerfile", "`dockerfile` is its path", ""},
		"an unknown builder":         {"ERROR: no builder \"nonesuch\" found\n", "there is no builder nonesuch", "docker buildx ls", ""},
		"an old buildx":              {"ERROR: unknown flag: --sbom\n", "buildx v0.37.2 does not know --sbom", "too old", ""},
		"the docker driver":          {dockerDriver, "OCI exporter is not supported for the docker driver", setup, ""},
		"its platforms":              {dockerDriverPlatforms, "Multi-platform build is not supported for the docker driver", setup, ""},
		"a builder of several nodes": {"ERROR: failed to build: oci for multi-node builds currently not supported\n", "buildx v0.37.2 cannot write what several nodes of a builder build into one layout", "a builder of one node", ""},
		"no daemon":                  {"ERROR: failed to connect to the docker API at unix:///var/run/docker.sock; check if the path is correct and if the daemon is running: dial unix\n", "failed to connect to the docker API at unix:///var/run/docker.sock", setup, ""},
		"no BuildKit":                {noConnection, "the builder cannot be reached: context deadline exceeded", setup, ""},
		"an entitlement":             {"#2 DONE 0.0s\nERROR: failed to build: failed to solve: failed to load LLB: network.host is not allowed\n", "the Dockerfile asks for network.host, which the source does not allow", "`allow: [network.host]`", ""},
		"one of the daemon's":        {"ERROR: failed to build: failed to solve: granting entitlement network.host is not allowed by build daemon configuration\n", "the builder does not allow network.host", "--allow-insecure-entitlement network.host", ""},
		"words that nobody knows":    {"ERROR: failed to build: \x1b[2Jsurprise ##[group]\n", `buildx v0.37.2: surprise ##\[group]`, "", ""},
		"no words of an error":       {"one\ntwo\n", "buildx v0.37.2: exit code 7", "", "one\ntwo"},
		"no words at all":            {"", "buildx v0.37.2: exit code 7", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, buildxtest.Script{Build: buildxtest.Answer{Stderr: tc.stderr, Exit: 7}})
			_, err := s.build(t)
			wantHint(t, err, tc.message, tc.hint)
			var failed *buildx.Error
			if !errors.As(err, &failed) {
				t.Fatalf("%T is no *Error", err)
			}
			if failed.Detail() != tc.detail {
				t.Errorf("the detail is %q, want %q", failed.Detail(), tc.detail)
			}
			if got := errors.Is(err, buildx.ErrDenied); got != (name == "a base that needs a login") {
				t.Errorf("denied: %v", got)
			}
			var usage *buildx.UsageError
			if errors.As(err, &usage) {
				t.Error("a build that fails is a usage error")
			}
		})
	}
}

func TestTheDockerfileOfAFailureHasItsPath(t *testing.T) {
	s := newScene(t, buildxtest.Script{Build: buildxtest.Answer{Stderr: failingRun, Exit: 1}})
	s.request.File = "web/Dockerfile"
	_, err := s.build(t)
	wantHint(t, err, "web/Dockerfile:4: `RUN fail`: exit code: 3", "")
}

func TestNoConnectionToANamedBuilder(t *testing.T) {
	s := newScene(t, buildxtest.Script{Build: buildxtest.Answer{Stderr: noConnection, Exit: 1}})
	s.request.Builder = "dead"
	_, err := s.build(t)
	wantHint(t, err, `the builder "dead" cannot be reached: context deadline exceeded`, "docker/setup-buildx-action")
}

func TestWhatABuildLeavesNot(t *testing.T) {
	for name, tc := range map[string]struct {
		script buildxtest.Script
		want   string
	}{
		"no metadata":    {buildxtest.Script{NoFile: true}, "what the builder says of the build: it left no metadata file"},
		"half a file":    {buildxtest.Script{Metadata: `{"buildx.build.provenance":{"materials":[{"uri":`}, "what the builder says of the build: the metadata file: unexpected EOF"},
		"a huge file":    {buildxtest.Script{Metadata: strings.Repeat(" ", 16<<20+1)}, "what the builder says of the build: its metadata file has more than 16777216 bytes"},
		"a false digest": {buildxtest.Script{Metadata: `{"buildx.build.provenance/linux/amd64":{"materials":[{"uri":"pkg:docker/a@1","digest":{"sha256":"00"}}]}}`}, `what the builder says of the build: the metadata file: buildx.build.provenance/linux/amd64: dependency 1 of a SLSA provenance: pkg:docker/a@1: "00" is not a sha256 digest`},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, tc.script)
			_, err := s.build(t)
			wantHint(t, err, tc.want, "")
			noFiles(t, s.temp)
		})
	}
}

// noFiles checks that nothing is left under a folder: directories do not count.
func noFiles(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			t.Errorf("%s is left", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
