//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

func reusableFile(t *testing.T) string {
	t.Helper()
	here, err := source()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(here, "..", "..", ".github", "workflows", "publish.yml")
}

// The reusable workflow as callers use it: a job that builds and may read, and one that signs as this workflow. It has one
// platform: of a matrix's outputs act keeps those of one job, where GitHub has them all.
func TestTheReusableWorkflowPublishes(t *testing.T) {
	s, b := builders(t)
	reusable := readText(t, reusableFile(t))
	// act does not know which commit a called workflow is of, nor our Sigstore.
	for from, to := range map[string]string{
		"${{ job.workflow_sha }}": strings.Repeat("ef56", 10), "${{ job.workflow_repository }}": "taglast/taglast",
		"          source: oci=tars/*.tar\n": fmt.Sprintf("          source: oci=tars/*.tar\n          signing-config: %s\n          trusted-root: %s\n", s.signingConfig, s.trustedRoot),
	} {
		if !strings.Contains(reusable, from) {
			t.Fatalf("publish.yml has no %q", from)
		}
		reusable = strings.ReplaceAll(reusable, from, to)
	}
	p := s.public("acme/" + secret("reusable-"))
	j := release()
	j.SignerRef, j.SignerSHA = "taglast/taglast/.github/workflows/publish.yml@refs/tags/v1", strings.Repeat("ef56", 10)
	files := fromDockerfile(fmt.Sprintf(`name: release
on:
  push: {tags: ["v*"]}
concurrency: {group: image-release}
permissions: {}
jobs:
  image:
    uses: ./.github/workflows/publish.yml
    permissions: {contents: read, packages: write, id-token: write, attestations: write}
    with:
      images: |
        %s
        %s
      tags: |
        type=semver,pattern={{version}}
        type=semver,pattern={{major}}.{{minor}}
      platforms: %s
      context: src
      build-args: GREETING=hello from a caller
    secrets:
      registry-auth: ${{ secrets.REGISTRY_AUTH }}
`, p.repositories[0], p.repositories[1], hostPlatform))
	files[".github/workflows/publish.yml"] = reusable
	run := workflowRun{job: j, files: files, builder: b, secrets: s.auth(), environ: []string{"ACTION_CHECKOUT=" + s.releasedAction(t)}}
	mark := s.gateway.mark()
	r := s.act(t, run)
	if r.code != 0 {
		t.Fatalf("the workflow: %s", r)
	}
	s.checkNothingOutside(t, r, mark, false)
	digest, _ := resolve(t, p.loopback[0]+":1.2.3")
	for _, loopback := range p.loopback {
		for _, tag := range []string{"1.2.3", "1.2", "latest"} {
			if got, _ := resolve(t, loopback+":"+tag); got != digest || digest == "" {
				t.Errorf("%s:%s is %q, not %q", loopback, tag, got, digest)
			}
		}
	}
	config, err := built(t, p.loopback[0]+":1.2.3", hostPlatform).ConfigFile()
	if err != nil || config.Config.Labels["org.example.greeting"] != "hello from a caller" {
		t.Errorf("labels %v, %v", config.Config.Labels, err)
	}
	if !strings.Contains(verifyLine.FindString(r.summary), "--signer-workflow taglast/taglast/.github/workflows/publish.yml") {
		t.Errorf("the line to verify with does not name the signer:\n%s", r.summary)
	}
	s.checkSummaryVerifies(t, r)
	if gh := s.gh(t, "oci://"+p.repositories[0]+":1.2.3", "-R", j.Repository, "--signer-workflow", "acme/app/.github/workflows/release.yml"); gh.code == 0 {
		t.Error("it is signed by the caller's workflow")
	}
}

// shellStep runs the shell text of a step of the reusable workflow, and gives its outputs.
func shellStep(t *testing.T, job, id string, environ ...string) (outcome, map[string]string) {
	t.Helper()
	var w struct {
		Jobs map[string]struct {
			Steps []struct{ ID, Run string }
		}
	}
	if err := yaml.Unmarshal([]byte(readText(t, reusableFile(t))), &w); err != nil {
		t.Fatal(err)
	}
	for _, s := range w.Jobs[job].Steps {
		if s.ID != id {
			continue
		}
		dir := t.TempDir()
		file := filepath.Join(dir, "output")
		environ = append(append(base(dir), environ...), "RUNNER_TEMP="+dir, "GITHUB_OUTPUT="+file)
		out, err := run(t.Context(), dir, "bash", environ, "--noprofile", "--norc", "-e", "-o", "pipefail", write(t, dir, "step.sh", []byte(s.Run)))
		if err != nil {
			t.Fatal(err)
		}
		outputs := map[string]string{}
		if raw, err := os.ReadFile(file); err == nil {
			for line := range strings.Lines(string(raw)) {
				name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
				outputs[name] = value
			}
		}
		if raw, err := os.ReadFile(filepath.Join(dir, "sums")); err == nil {
			outputs["sums"] = string(raw)
		}
		return out, outputs
	}
	t.Fatalf("publish.yml has no step %s in job %s", id, job)
	return outcome{}, nil
}

const defaultRunner = "default=ubuntu-latest\nlinux/arm=ubuntu-24.04-arm\nlinux/arm64=ubuntu-24.04-arm\n"

func TestThePlanOfTheReusableWorkflow(t *testing.T) {
	for _, c := range []struct{ name, platforms, runner, want string }{
		{"two platforms", "linux/amd64, linux/arm64", defaultRunner, "linux/amd64 on ubuntu-latest, linux/arm64 on ubuntu-24.04-arm"},
		{"lines, and one twice", "\n linux/arm/v7\nlinux/amd64\n\nlinux/amd64\n", defaultRunner, "linux/amd64 on ubuntu-latest, linux/arm/v7 on ubuntu-24.04-arm"},
		{"the longest entry counts", "linux/arm/v6,linux/arm/v7,linux/armada", "linux/arm=a\nlinux/arm/v7=b=c\ndefault=d", "linux/arm/v6 on a, linux/arm/v7 on b=c, linux/armada on d"},
		{"one label", "linux/amd64", " my-runner ", "linux/amd64 on my-runner"},
		{"no default for it", "linux/amd64", "linux/arm64=a", ""},
		{"no platform", " , ", defaultRunner, ""},
		{"eleven", "a/1,a/2,a/3,a/4,a/5,a/6,a/7,a/8,a/9,a/10,a/11", "x", ""},
		{"what is none", "linux", "x", ""},
		{"what would be a path", "linux/../../etc", "x", ""},
		{"what would run", "linux/$(touch ran)", "x", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, outputs := shellStep(t, "plan", "plan", "PLATFORMS="+c.platforms, "RUNNER="+c.runner)
			if c.want == "" {
				if out.code == 0 || !strings.Contains(out.stdout, "::error title=") || len(outputs) != 0 {
					t.Errorf("it is accepted: %s %q", out, outputs)
				}
				return
			}
			var matrix []struct {
				Index                  int
				Platform, Runner, File string
			}
			if err := json.Unmarshal([]byte(outputs["matrix"]), &matrix); err != nil || out.code != 0 {
				t.Fatalf("%v: %s", err, out)
			}
			var got, platforms []string
			for i, m := range matrix {
				got, platforms = append(got, m.Platform+" on "+m.Runner), append(platforms, m.Platform)
				if m.Index != i || m.File != strings.ReplaceAll(m.Platform, "/", "-") {
					t.Errorf("%+v", m)
				}
			}
			if strings.Join(got, ", ") != c.want || outputs["platforms"] != strings.Join(platforms, ",") || len(outputs["prefix"]) != len("taglast-")+16 {
				t.Errorf("%s: %q", got, outputs)
			}
		})
	}
}

// What build jobs hand over is untrusted: one tar for each platform, by its id and its sum, and nothing else.
func TestThePublishingJobTakesOneTarForEachPlatform(t *testing.T) {
	sum, sha := strings.Repeat("ab", 32), strings.Repeat("ef56", 10)
	matrix := `[{"index":0,"platform":"linux/amd64","file":"linux-amd64"},{"index":1,"platform":"linux/arm64","file":"linux-arm64"}]`
	amd64, arm64 := "11 "+sum+" linux-amd64.tar", "22 "+sum+" linux-arm64.tar"
	for _, c := range []struct {
		name string
		tars []string
		sha  string
		ok   bool
	}{
		{"both", []string{amd64, arm64, "", ""}, sha, true},
		{"one is missing", []string{amd64, "", ""}, sha, false},
		{"one is there twice", []string{amd64, amd64, arm64}, sha, false},
		{"one twice in the place of the other", []string{amd64, amd64}, sha, false},
		{"one of no platform", []string{amd64, arm64, "33 " + sum + " linux-riscv64.tar"}, sha, false},
		{"another path", []string{amd64, "22 " + sum + " ../linux-arm64.tar"}, sha, false},
		{"a sum that is none", []string{amd64, "22 abc linux-arm64.tar"}, sha, false},
		{"an id that is none", []string{amd64, "22,33 " + sum + " linux-arm64.tar"}, sha, false},
		{"two lines", []string{amd64, arm64 + "\n33 " + sum + " linux-arm64.tar"}, sha, false},
		{"a server that does not say its commit", []string{amd64, arm64}, "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			tars := map[string]string{}
			for i, tar := range c.tars {
				tars[fmt.Sprintf("tar-%d", i)] = tar
			}
			raw, err := json.Marshal(tars)
			if err != nil {
				t.Fatal(err)
			}
			out, outputs := shellStep(t, "publish", "tars", "TARS="+string(raw), "MATRIX="+matrix, "WORKFLOW_SHA="+c.sha)
			if !c.ok {
				if out.code == 0 || !strings.Contains(out.stdout, "::error title=") || len(outputs) != 0 {
					t.Errorf("it is accepted: %s %q", out, outputs)
				}
				return
			}
			ids := strings.Split(outputs["ids"], ",")
			slices.Sort(ids)
			if out.code != 0 || !slices.Equal(ids, []string{"11", "22"}) || !strings.Contains(outputs["sums"], sum+"  linux-amd64.tar\n") || !strings.Contains(outputs["sums"], sum+"  linux-arm64.tar\n") {
				t.Errorf("%s %q", out, outputs)
			}
		})
	}
}
