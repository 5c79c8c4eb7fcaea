//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/types"
)

// workflowWith is a workflow whose one job publishes by the action with these inputs, and keeps the report whatever happens.
// In the tests a signing config and a trusted root stand for what TUF would give; a dry run takes neither.
func (s *stack) workflowWith(inputs string) string {
	return fmt.Sprintf(`name: release
on:
  push: {tags: ["v*"]}
  pull_request:
  merge_group:
concurrency: {group: "release-${{ github.ref }}"}
permissions: {}
jobs:
  image:
    runs-on: ubuntu-latest
    permissions: {contents: read, packages: write, id-token: write, attestations: write}
    env:
      WRITES: ${{ github.event_name == 'push' }}
    steps:
      - uses: actions/checkout@v7
        with: {persist-credentials: false}
      - uses: docker/setup-buildx-action@v4
      - id: publish
        uses: taglast/taglast@v1
        with:
          signing-config: ${{ env.WRITES == 'true' && '%s' || '' }}
          trusted-root: ${{ env.WRITES == 'true' && '%s' || '' }}
%s
      - if: always()
        env: {REPORT: "${{ steps.publish.outputs.report }}"}
        run: '[ -z "$REPORT" ] || cp "$REPORT" "$KEEP/report.json"'
`, s.signingConfig, s.trustedRoot, indent(inputs, 10))
}

func indent(text string, by int) string {
	var out strings.Builder
	for line := range strings.Lines(strings.Trim(text, "\n") + "\n") {
		out.WriteString(strings.Repeat(" ", by) + line)
	}
	return out.String()
}

// fromDockerfile are the files of a repository with a Dockerfile of two platforms, which runs nothing.
func fromDockerfile(workflow string) map[string]string {
	return map[string]string{
		".github/workflows/release.yml": workflow,
		"src/Dockerfile":                "FROM scratch\nARG GREETING=none\nLABEL org.example.greeting=$GREETING\nCOPY hello.txt /\n",
		"src/hello.txt":                 "hello\n",
	}
}

// auth is the secret with the login of Docker Hub.
func (s *stack) auth() map[string]string {
	return map[string]string{"REGISTRY_AUTH": "- registry: docker.io\n  username: " + s.dockerUser + "\n  password: " + s.dockerPassword + "\n"}
}

var verifyLine = regexp.MustCompile(`(?m)^gh attestation verify .*$`)

// checkSummaryVerifies runs the line that the summary gives to a consumer.
func (s *stack) checkSummaryVerifies(t *testing.T, r workflowResult) {
	t.Helper()
	line := verifyLine.FindString(r.summary)
	if line == "" {
		t.Errorf("the summary has no line to verify with:\n%s", r.summary)
		return
	}
	fields := strings.Fields(line)
	if gh := s.gh(t, fields[3:]...); gh.code != 0 {
		t.Errorf("%s: %s", line, gh)
	}
}

// checkNothingOutside holds a run to the hosts that it needs, and its log to no secret.
func (s *stack) checkNothingOutside(t *testing.T, r workflowResult, mark int, dry bool) {
	t.Helper()
	for _, e := range s.gateway.since(mark) {
		if e.Status == http.StatusBadGateway {
			t.Errorf("asked outside: %s", e)
		}
		if dry && e.writes() {
			t.Errorf("a dry run wrote: %s", e)
		}
	}
	noSecret(t, s.dockerPassword, "the log and the summary", r.log+r.summary)
	if m := regexp.MustCompile(`ghs_[0-9a-f]{8}|rt-[0-9a-f]{8}`).FindString(r.log + r.summary); m != "" {
		t.Errorf("a token is in the log: %s…", m)
	}
}

func TestTheActionPublishesADockerfile(t *testing.T) {
	s, b := builders(t)
	p, keep := s.public("acme/"+secret("action-")), t.TempDir()
	inputs := fmt.Sprintf(`images: |
  %s
  name=%s
tags: |
  type=semver,pattern={{version}}
  type=semver,pattern={{major}}.{{minor}}
platforms: linux/amd64,linux/arm64
context: src
build-args: |
  GREETING=hello, world
registry-auth: ${{ secrets.REGISTRY_AUTH }}
`, p.repositories[0], p.repositories[1])
	run := workflowRun{job: release(), files: fromDockerfile(s.workflowWith(inputs)), secrets: s.auth(), builder: b, environ: []string{"KEEP=" + keep}}
	mark := s.gateway.mark()
	r := s.act(t, run)
	if r.code != 0 {
		t.Fatalf("the workflow: %s", r)
	}
	s.checkNothingOutside(t, r, mark, false)
	outputs := r.outputs["publish"]
	digest, raw := resolve(t, p.loopback[0]+":1.2.3")
	var want []string
	for i, loopback := range p.loopback {
		for _, tag := range []string{"1.2.3", "1.2", "latest"} {
			want = append(want, p.repositories[i]+":"+tag)
			if got, _ := resolve(t, loopback+":"+tag); got != digest {
				t.Errorf("%s:%s is %s, not %s", loopback, tag, got, digest)
			}
		}
	}
	var index struct {
		MediaType types.MediaType
		Manifests []struct{ Platform struct{ Architecture string } }
	}
	if err := json.Unmarshal(raw, &index); err != nil || len(index.Manifests) != 2 || !index.MediaType.IsIndex() {
		t.Errorf("%s: %v %+v", raw, err, index)
	}
	got := strings.Split(strings.TrimSpace(outputs["tags"]), "\n")
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("output tags: %q, want %q", got, want)
	}
	name := p.repositories[0][strings.LastIndex(p.repositories[0], "/")+1:]
	for output, value := range map[string]string{
		"digest": digest, "imageid": digest, "version": "1.2.3", "dry-run": "false", "digests": fmt.Sprintf(`{"%s":"%s"}`, name, digest),
	} {
		if outputs[output] != value {
			t.Errorf("output %s is %q, want %q", output, outputs[output], value)
		}
	}
	var metadata map[string]any
	if err := json.Unmarshal([]byte(outputs["metadata"]), &metadata); err != nil || metadata["containerimage.digest"] != digest {
		t.Errorf("output metadata: %v %s", err, outputs["metadata"])
	}
	var meta struct{ Tags []string }
	if err := json.Unmarshal([]byte(outputs["json"]), &meta); err != nil || len(meta.Tags) != 6 {
		t.Errorf("output json: %v %s", err, outputs["json"])
	}
	if !strings.HasPrefix(outputs["attestation-url"], "https://github.com/acme/app/attestations/"+outputs["attestation-id"]) || outputs["attestation-id"] == "" ||
		!strings.HasSuffix(outputs["bundle-path"], name+".sigstore.json") {
		t.Errorf("outputs of the attestation: %q", outputs)
	}
	report := readReport(t, filepath.Join(keep, "report.json"))
	if report.Outcome != "published" || len(report.Images) != 1 || report.Images[0].Digest != digest {
		t.Errorf("report: %+v", report)
	}
	if !strings.HasPrefix(r.summary, "## Published ") || len(r.annotations) != 0 {
		t.Errorf("summary and annotations: %s", r)
	}
	s.checkSummaryVerifies(t, r)
	if file := built(t, p.loopback[0]+":1.2.3", "linux/arm64"); contents(t, file)["hello.txt"] != "hello\n" {
		t.Error("the image has not the file of the checkout")
	} else if config, err := file.ConfigFile(); err != nil || config.Config.Labels["org.example.greeting"] != "hello, world" {
		t.Errorf("the build argument: %v %v", config, err)
	}

	// The same workflow again, on another runner: everything is there, and nothing is written.
	mark = s.gateway.mark()
	run.job.RunAttempt, run.environ = "2", []string{"KEEP=" + t.TempDir()}
	again := s.act(t, run)
	if again.code != 0 || again.outputs["publish"]["digest"] != digest {
		t.Errorf("again: %s", again)
	}
	for _, e := range s.gateway.since(mark) {
		if e.Method == http.MethodPut || (e.writes() && e.Host == "fulcio.sigstore.dev") {
			t.Errorf("the second run wrote: %s", e)
		}
	}
}

func TestTheActionPublishesAReleaseFile(t *testing.T) {
	s, b := builders(t)
	p, keep := s.public("acme/"+secret("action-")), t.TempDir()
	files := fromDockerfile(s.workflowWith("config: release/taglast.yaml\nregistry-auth: ${{ secrets.REGISTRY_AUTH }}\nshow-summary: false"))
	files["release/taglast.yaml"] = fmt.Sprintf(`repositories: [%s]
platforms: [linux/amd64, linux/arm64]
tags: ["type=semver,pattern={{version}}"]
images:
  - name: app
    source: {dockerfile: ../src/Dockerfile, context: ../src}
  - name: debug
    flavor: [latest=false]
    tags: ["type=semver,pattern={{version}},suffix=-debug"]
    source: {dockerfile: ../src/Dockerfile, context: ../src, args: {GREETING: debug}}
`, strings.Join(p.repositories, ", "))
	r := s.act(t, workflowRun{job: release(), files: files, secrets: s.auth(), builder: b, environ: []string{"KEEP=" + keep}})
	if r.code != 0 || r.summary != "" {
		t.Fatalf("the workflow: %s", r)
	}
	app, _ := resolve(t, p.loopback[0]+":1.2.3")
	debug, _ := resolve(t, p.loopback[1]+":1.2.3-debug")
	outputs := r.outputs["publish"]
	if outputs["digest"] != app || outputs["digests"] != fmt.Sprintf(`{"app":"%s","debug":"%s"}`, app, debug) || app == debug {
		t.Errorf("outputs %q; the registries have %s and %s", outputs, app, debug)
	}
}

// What is not pushed to the project yet is rehearsed: the same job, and nothing is written.
func TestTheActionIsDryWhereNothingMayBeWritten(t *testing.T) {
	s, b := builders(t)
	for name, c := range map[string]struct {
		event, ref string
		payload    map[string]any
	}{
		"a pull request": {"pull_request", "refs/pull/7/merge", map[string]any{
			"number": 7, "pull_request": map[string]any{
				"number": 7, "head": map[string]any{"ref": "feature`$(touch ran)`", "sha": strings.Repeat("cd34", 10)}, "base": map[string]any{"ref": "main", "sha": strings.Repeat("ef56", 10)},
			},
		}},
		"the merge queue": {"merge_group", "refs/heads/gh-readonly-queue/main/pr-7-ef56", map[string]any{
			"merge_group": map[string]any{"head_ref": "refs/heads/gh-readonly-queue/main/pr-7-ef56", "base_ref": "refs/heads/main", "head_sha": strings.Repeat("ab12", 10), "head_commit": map[string]any{"id": strings.Repeat("ab12", 10), "timestamp": "2026-03-04T05:06:07Z"}},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			p, j, keep := s.public("acme/"+secret("action-")), release(), t.TempDir()
			j.Event, j.Ref = c.event, c.ref
			// A pull request from a fork has none of these permissions.
			j.NoAttestation, j.NoPackages = true, true
			inputs := fmt.Sprintf("images: %s\ntags: |\n  type=ref,event=pr\n  type=semver,pattern={{version}}\nplatforms: linux/amd64,linux/arm64\ncontext: src\n", p.repositories[0])
			mark := s.gateway.mark()
			r := s.act(t, workflowRun{job: j, files: fromDockerfile(s.workflowWith(inputs)), payload: c.payload, builder: b, environ: []string{"KEEP=" + keep}})
			if r.code != 0 {
				t.Fatalf("the workflow: %s", r)
			}
			s.checkNothingOutside(t, r, mark, true)
			if outputs := r.outputs["publish"]; outputs["dry-run"] != "true" || !strings.HasPrefix(outputs["digest"], "sha256:") {
				t.Errorf("outputs %q", outputs)
			}
			if !regexp.MustCompile(`^## Rehearsed .*, nothing written\n`).MatchString(r.summary) || len(r.annotations) != 0 {
				t.Errorf("summary and annotations: %s", r)
			}
			if report := readReport(t, filepath.Join(keep, "report.json")); !report.DryRun || len(report.Images) != 1 {
				t.Errorf("report: %+v", report)
			}
		})
	}
}

// A registry that lets nobody in without a password gets it from the input alone: no login step, no docker, no file.
func TestTheActionLogsInByAnInput(t *testing.T) {
	s, b := builders(t)
	host, password, keep := secret("private-")[:20]+".example.com", secret("pw-"), t.TempDir()
	s.gateway.route(host, basic("robot", password, forward(s.ports.olareg)))
	repository := "acme/" + secret("action-")
	inputs := fmt.Sprintf("images: %s/%s\ntags: type=semver,pattern={{version}}\ncontext: src\nregistry-auth: ${{ secrets.REGISTRY_AUTH }}\n", host, repository)
	run := workflowRun{
		job: release(), files: fromDockerfile(s.workflowWith(inputs)), builder: b, environ: []string{"KEEP=" + keep},
		secrets: map[string]string{"REGISTRY_AUTH": fmt.Sprintf("- {registry: %s, username: robot, password: %s}", host, password)},
	}
	r := s.act(t, run)
	if r.code != 0 {
		t.Fatalf("the workflow: %s", r)
	}
	if digest, _ := resolve(t, "127.0.0.1:"+s.ports.olareg+"/"+repository+":1.2.3"); digest == "" || digest != r.outputs["publish"]["digest"] {
		t.Errorf("the registry has %q, the output is %q", digest, r.outputs["publish"]["digest"])
	}
	noSecret(t, password, "the log and the summary", r.log+r.summary)
	if !slices.Contains(r.masked, password) {
		t.Error("the runner is not told to mask the password")
	}
	run.secrets, run.environ = nil, []string{"KEEP=" + t.TempDir()}
	failed := s.act(t, run)
	s.checkFailure(t, failed, host)
}

// checkFailure holds a failed run to one text in three places, whose first line says what became of the tags.
func (s *stack) checkFailure(t *testing.T, r workflowResult, say ...string) {
	t.Helper()
	if r.code == 0 {
		t.Fatalf("the workflow did not fail: %s", r)
	}
	errors := slices.DeleteFunc(slices.Clone(r.annotations), func(a annotation) bool { return a.level != "error" })
	if len(errors) != 1 {
		t.Fatalf("annotations: %s", r)
	}
	first, shown := errors[0].title, html.UnescapeString(r.summary)
	if !strings.Contains(r.log, "error: "+first+"\n") || !strings.HasPrefix(shown, "## Not published: no tag was changed\n") {
		t.Errorf("title %q: %s", first, r)
	}
	for _, text := range say {
		if !strings.Contains(first+errors[0].message, text) || !strings.Contains(shown, text) {
			t.Errorf("no %q in annotation or summary: %s", text, r)
		}
	}
}

func TestAWorkflowThatFailsSaysWhy(t *testing.T) {
	s, b := builders(t)
	repository := func() string { return "ghcr.io/acme/" + secret("action-") }
	inputs := "images: %s\ntags: type=semver,pattern={{version}}\ncontext: src\n"
	for name, c := range map[string]struct {
		change func(*job)
		files  map[string]string
		inputs string
		say    []string
	}{
		"a build that fails": {
			files: map[string]string{"src/Dockerfile": "FROM scratch\nCOPY nowhere.txt /\n"}, inputs: inputs, say: []string{"src/Dockerfile:2", "nowhere.txt"},
		},
		"no packages: write":     {change: func(j *job) { j.NoPackages = true }, inputs: inputs, say: []string{"packages: write"}},
		"no attestations: write": {change: func(j *job) { j.NoAttestation = true }, inputs: inputs, say: []string{"attestations: write"}},
		"an input that is refused": {
			inputs: inputs + "outputs: type=oci,dest=app.tar\n", say: []string{"`outputs`", "source: oci=PATH"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			j, place, keep := release(), repository(), t.TempDir()
			if c.change != nil {
				c.change(&j)
			}
			files := fromDockerfile(s.workflowWith(fmt.Sprintf(c.inputs, place)))
			for path, content := range c.files {
				files[path] = content
			}
			mark := s.gateway.mark()
			r := s.act(t, workflowRun{job: j, files: files, builder: b, environ: []string{"KEEP=" + keep}})
			s.checkFailure(t, r, c.say...)
			for _, e := range s.gateway.since(mark) {
				if e.Method == http.MethodPut {
					t.Errorf("it wrote: %s", e)
				}
			}
		})
	}
}

// Whatever an input holds arrives as it is, or is refused: nothing of it is run, and nothing of it writes outputs.
func TestHostileInputsAreValues(t *testing.T) {
	s, b := builders(t)
	hostile := "$(touch \"$KEEP/ran\") `touch \"$KEEP/ran\"` '; touch \"$KEEP/ran\"; \" ${HOME} %0A::set-output name=digest::forged"
	lines := []string{"::set-output name=digest::forged", "EOF", "digest=forged", "::add-mask::a", "::error::forged"}
	p, keep := s.plain("acme/"+secret("action-")), t.TempDir()
	inputs := fmt.Sprintf(`images: %s
tags: type=semver,pattern={{version}}
context: src
labels: ${{ secrets.LABELS }}
annotations: ${{ secrets.ANNOTATIONS }}
build-args: ${{ secrets.ARGS }}
`, p.repositories[0])
	r := s.act(t, workflowRun{
		job: release(), files: fromDockerfile(s.workflowWith(inputs)), builder: b, environ: []string{"KEEP=" + keep},
		secrets: map[string]string{
			"ANNOTATIONS": "org.example.hostile=" + hostile, "LABELS": "org.example.hostile=" + hostile,
			"ARGS": "GREETING=" + hostile + " ${{ github.token }}\n" + strings.Join(lines, "=x\n") + "=x",
		},
	})
	if _, err := os.Stat(filepath.Join(keep, "ran")); err == nil {
		t.Error("a value was run")
	}
	if strings.Contains(r.outputs["publish"]["digest"], "forged") || slices.ContainsFunc(r.annotations, func(a annotation) bool { return strings.HasPrefix(a.message, "forged") }) || slices.Contains(r.masked, "a") {
		t.Errorf("a value spoke with the runner: %s", r)
	}
	if r.code != 0 {
		t.Fatalf("the workflow: %s", r)
	}
	_, raw := resolve(t, p.loopback[0]+":1.2.3")
	var index struct{ Annotations map[string]string }
	if err := json.Unmarshal(raw, &index); err != nil || index.Annotations["org.example.hostile"] != hostile {
		t.Errorf("annotation %q, %v", index.Annotations["org.example.hostile"], err)
	}
	config, err := built(t, p.loopback[0]+":1.2.3", hostPlatform).ConfigFile()
	if err != nil || config.Config.Labels["org.example.hostile"] != hostile || config.Config.Labels["org.example.greeting"] != hostile+" ${{ github.token }}" {
		t.Errorf("labels %v, %v", config.Config.Labels, err)
	}
}
