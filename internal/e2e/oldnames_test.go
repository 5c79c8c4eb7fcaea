//go:build e2e

package e2e

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Every input that has the name of one of docker's actions or of actions/attest does here what it does there. One workflow
// has all of them but those that exclude each other; push-to-registry is a store that this version does not have.
func TestEachInputWithAnOldNameDoesItsWork(t *testing.T) {
	s, b := builders(t)
	pushBases(t)
	p, keep := s.plain("acme/"+secret("oldnames-")), t.TempDir()
	cache := p.repositories[0] + "-cache:c"
	token, key, value := secret("token-"), secret("key-"), secret("value-")
	workflow := s.workflowWith(fmt.Sprintf(`images: |
  name=%s
  name=docker.io/acme/none,enable=false
tags: |
  type=semver,pattern={{version}}
  type=raw,value=extra,enable=true
flavor: |
  latest=false
  suffix=-old,onlatest=true
labels: |
  org.example.label=a, b
annotations: |
  index:org.example.annotation=c, d
  manifest:org.example.manifest=e
context: src
file: src/build/Dockerfile
platforms: %s
build-args: |
  GREETING=hello, world
build-contexts: |
  extra=more
secrets: |
  value=${{ secrets.VALUE }}
secret-envs: |
  token=APP_TOKEN
secret-files: |
  key=key.pem
target: wanted
cache-from: type=registry,ref=%[3]s
cache-to: type=registry,ref=%[3]s,mode=max
builder: ${{ env.BUILDX_BUILDER }}
pull: true
no-cache: true
push: true
sbom: true
provenance: true
github-token: ${{ github.token }}
show-summary: true
`, p.repositories[0], hostPlatform, cache))
	files := map[string]string{
		".github/workflows/release.yml": workflow,
		"src/build/Dockerfile": `FROM step:1 AS wanted
ARG GREETING
RUN --mount=type=secret,id=value ["/step","sum","/run/secrets/value","/value"]
RUN --mount=type=secret,id=token ["/step","sum","/run/secrets/token","/token"]
RUN --mount=type=secret,id=key ["/step","sum","/run/secrets/key","/key"]
RUN ["/step","write","/greeting","$GREETING"]
COPY hello.txt /
COPY --from=extra extra.txt /
FROM wanted
RUN ["/step","fail","this target was not asked for"]
`,
		"src/hello.txt": "hello\n", "more/extra.txt": "extra\n", "key.pem": key,
	}
	r := s.act(t, workflowRun{
		job: release(), files: files, builder: b, secrets: map[string]string{"VALUE": value},
		environ: []string{"KEEP=" + keep, "APP_TOKEN=" + token},
	})
	if r.code != 0 {
		t.Fatalf("the workflow: %s", r)
	}
	digest, raw := resolve(t, p.loopback[0]+":1.2.3-old")
	want := []string{p.repositories[0] + ":1.2.3-old", p.repositories[0] + ":extra-old"}
	got := strings.Fields(r.outputs["publish"]["tags"])
	slices.Sort(got)
	if digest == "" || r.outputs["publish"]["digest"] != digest || !slices.Equal(got, want) {
		t.Errorf("outputs %q, the registry has %q", r.outputs["publish"], digest)
	}
	var index struct {
		Annotations map[string]string
		Manifests   []struct{ Annotations map[string]string }
	}
	if err := json.Unmarshal(raw, &index); err != nil || index.Annotations["org.example.annotation"] != "c, d" || len(index.Manifests) != 1 {
		t.Errorf("%s: %v", raw, err)
	}
	img := built(t, p.loopback[0]+":1.2.3-old", hostPlatform)
	in := contents(t, img)
	for path, want := range map[string]string{
		"value": fmt.Sprintf("%x", sha256.Sum256([]byte(value))), "token": fmt.Sprintf("%x", sha256.Sum256([]byte(token))), "key": fmt.Sprintf("%x", sha256.Sum256([]byte(key))),
		"greeting": "hello, world", "hello.txt": "hello\n", "extra.txt": "extra\n",
	} {
		if in[path] != want {
			t.Errorf("/%s is %q, want %q", path, in[path], want)
		}
	}
	config, err := img.ConfigFile()
	if err != nil || config.Config.Labels["org.example.label"] != "a, b" {
		t.Errorf("labels %v, %v", config.Config.Labels, err)
	}
	manifest, err := img.Manifest()
	if err != nil || manifest.Annotations["org.example.manifest"] != "e" {
		t.Errorf("annotations of the manifest %v, %v", manifest.Annotations, err)
	}
	if found, _ := resolve(t, cache); found == "" {
		t.Error("no cache was written")
	}
	for _, secret := range []string{token, key, value} {
		noSecret(t, secret, "the log and the summary", r.log+r.summary)
	}
	report := readReport(t, filepath.Join(keep, "report.json"))
	var types []string
	for _, a := range report.Images[0].Attestations {
		types = append(types, a.PredicateType)
	}
	slices.Sort(types)
	if len(types) != 2 || types[0] != provenanceType && types[1] != provenanceType {
		t.Errorf("attestations: %q", types)
	}
	s.checkSummaryVerifies(t, r)
}

// Full references, as docker/build-push-action takes them, and `push: false`, which is a rehearsal.
func TestFullReferencesAndNoPush(t *testing.T) {
	s, b := builders(t)
	p, keep := s.public("acme/"+secret("oldnames-")), t.TempDir()
	workflow := func(more string) map[string]string {
		return fromDockerfile(s.workflowWith(fmt.Sprintf("tags: |\n  %s:1.2.3,%[1]s:stable\n  %s:1.2.3\ncontext: src\nregistry-auth: ${{ secrets.REGISTRY_AUTH }}\n%[3]s", p.repositories[0], p.repositories[1], more)))
	}
	// A dry run takes no signing config: the files' place is left open.
	dry := workflow("push: false\n")
	for _, line := range []string{"signing-config", "trusted-root"} {
		text := dry[".github/workflows/release.yml"]
		from := strings.Index(text, "          "+line+":")
		dry[".github/workflows/release.yml"] = text[:from] + text[from+strings.Index(text[from:], "\n")+1:]
	}
	run := workflowRun{job: release(), files: dry, builder: b, secrets: s.auth(), environ: []string{"KEEP=" + keep}}
	mark := s.gateway.mark()
	r := s.act(t, run)
	if r.code != 0 || r.outputs["publish"]["dry-run"] != "true" {
		t.Fatalf("push: false: %s", r)
	}
	s.checkNothingOutside(t, r, mark, true)

	run.files = workflow("")
	r = s.act(t, run)
	if r.code != 0 || r.outputs["publish"]["dry-run"] != "false" {
		t.Fatalf("the workflow: %s", r)
	}
	digest := r.outputs["publish"]["digest"]
	for _, ref := range []string{p.loopback[0] + ":1.2.3", p.loopback[0] + ":stable", p.loopback[1] + ":1.2.3"} {
		if got, _ := resolve(t, ref); got != digest {
			t.Errorf("%s is %q, not %s", ref, got, digest)
		}
	}
}
