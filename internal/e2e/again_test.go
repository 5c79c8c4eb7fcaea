//go:build e2e

package e2e

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

// probe is a write that sends nothing: an upload that is begun and cancelled, or a create call that cannot succeed.
func (e exchange) probe() bool {
	upload := strings.Contains(e.Path, "/blobs/uploads/") && (e.Method == http.MethodPost || e.Method == http.MethodDelete)
	return upload || (e.Host == "api.github.com" && e.Status >= 400)
}

func TestASecondAttemptWritesNothing(t *testing.T) {
	s, j, dir := servers(t), release(), t.TempDir()
	p := s.public("acme/" + secret("again-"))
	newImage(t, 256).layout(t, filepath.Join(dir, "dist", "app"))
	file := releaseFile(t, dir, p)
	first, r1 := s.publish(t, j, dir, "-f", file)
	if first.code != 0 {
		t.Fatalf("first: %s", first)
	}
	mark := s.gateway.mark()
	j.RunAttempt = "2"
	second, r2 := s.publish(t, j, dir, "-f", file)
	if second.code != 0 || r2.Outcome != "published" {
		t.Fatalf("second: %s", second)
	}
	for _, e := range s.gateway.since(mark) {
		if e.writes() && !e.probe() {
			t.Errorf("the second attempt wrote: %s", e)
		}
	}
	one := r2.Images[0]
	if one.Digest != r1.Images[0].Digest || len(one.Attestations) != 1 || !one.Attestations[0].Reused {
		t.Errorf("report of the second attempt: %+v", one)
	}
	for _, tag := range one.Tags {
		if tag.Action != "unchanged" {
			t.Errorf("tag %s was %s", tag.Ref, tag.Action)
		}
	}
}

// What real services refuse ends the run before any tag, and the error names it.
func TestARefusalLeavesEveryTagAsItWas(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*job)
		code   int
		says   string
	}{
		{"no attestations: write", func(j *job) { j.NoAttestation = true }, 1, "attestations: write"},
		{"no packages: write", func(j *job) { j.NoPackages = true }, 1, "packages: write"},
		{"a private repository of a user", func(j *job) { j.Visibility, j.OwnerType = "private", "User" }, 1, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, j, dir := servers(t), release(), t.TempDir()
			c.change(&j)
			p := s.public("acme/" + secret("refused-"))
			newImage(t, 64).layout(t, filepath.Join(dir, "dist", "app"))
			mark := s.gateway.mark()
			out, _ := s.publish(t, j, dir, "-f", releaseFile(t, dir, p))
			if out.code != c.code || !strings.Contains(out.stderr, "no tag was changed") || !strings.Contains(out.stderr, c.says) {
				t.Errorf("publish: %s", out)
			}
			for _, e := range s.gateway.since(mark) {
				if e.writes() && !e.probe() {
					t.Errorf("sent in spite of it: %s", e)
				}
			}
		})
	}
}

func TestAFixedTagIsNeverWrittenOver(t *testing.T) {
	s, j, dir := servers(t), release(), t.TempDir()
	p := s.public("acme/" + secret("fixed-"))
	there := newImage(t, 64)
	there.push(t, p.loopback[1]+":1.2.3")
	newImage(t, 64).layout(t, filepath.Join(dir, "dist", "app"))
	out, r := s.publish(t, j, dir, "-f", releaseFile(t, dir, p))
	if out.code != 1 || r.Outcome != "failed" || !strings.Contains(out.stderr, "no tag was changed") {
		t.Errorf("publish: %s", out)
	}
	if digest, _ := resolve(t, p.loopback[1]+":1.2.3"); digest != there.digest {
		t.Errorf("1.2.3 is %s now", digest)
	}
	for _, ref := range []string{p.loopback[0] + ":1.2.3", p.loopback[0] + ":latest", p.loopback[1] + ":latest"} {
		if digest, _ := resolve(t, ref); digest != "" {
			t.Errorf("%s is %s", ref, digest)
		}
	}
}

// The verify line of the report is accepted as it is printed, also where a reusable workflow of another repository or an
// enterprise's own issuer signs.
func TestTheVerifyLineOfTheReportWorks(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*job)
	}{
		{"a workflow of the repository", func(*job) {}},
		{"a reusable workflow of another repository", func(j *job) {
			j.SignerRef, j.SignerSHA = "acme/shared/.github/workflows/build.yml@refs/heads/main", strings.Repeat("cd34", 10)
		}},
		{"a self-hosted runner", func(j *job) { j.RunnerKind = "self-hosted" }},
		{"an enterprise's own issuer", func(j *job) { j.Enterprise = "octocorp" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, j, dir := servers(t), release(), t.TempDir()
			c.change(&j)
			newImage(t, 64).layout(t, filepath.Join(dir, "dist", "app"))
			out, r := s.publish(t, j, dir, "-f", releaseFile(t, dir, s.public("acme/"+secret("line-"))))
			if out.code != 0 {
				t.Fatalf("publish: %s", out)
			}
			line, ok := strings.CutPrefix(r.Images[0].Verify, "gh attestation verify ")
			if !ok {
				t.Fatalf("verify line is %q", r.Images[0].Verify)
			}
			if gh := s.gh(t, strings.Fields(line)...); gh.code != 0 {
				t.Errorf("%s: %s", r.Images[0].Verify, gh)
			}
		})
	}
}
