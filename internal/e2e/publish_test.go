//go:build e2e

package e2e

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/sigstore/sigstore-go/pkg/root"
)

// A place is where a release goes: a repository on each registry, by the names that users type, and the addresses at
// which the tests look for themselves.
type place struct {
	repositories []string
	loopback     []string
}

// public is ghcr.io and docker.io: https, logins, a registry without and one with the referrers API.
func (s *stack) public(path string) place {
	return place{
		[]string{"ghcr.io/" + path, "docker.io/" + path},
		[]string{"127.0.0.1:" + s.ports.distribution + "/" + path, "127.0.0.1:" + s.ports.olareg + "/" + path},
	}
}

// plain is the same two registries on loopback: http, nobody logs in.
func (s *stack) plain(path string) place {
	p := s.public(path)
	return place{p.loopback, p.loopback}
}

// releaseFile writes taglast.yaml for one image from the layout dist/app.
func releaseFile(t *testing.T, dir string, p place) string {
	t.Helper()
	return write(t, dir, "taglast.yaml", fmt.Appendf(nil, `repositories: [%s]
platforms: [linux/amd64, linux/arm64]
tags:
  - type=semver,pattern={{version}}
  - type=semver,pattern={{major}}.{{minor}}
  - latest
images:
  - name: app
    source: {oci: dist/app}
`, strings.Join(p.repositories, ", ")))
}

// A published release is accepted by gh, cosign and taglast, whichever way they ask; what is not it, none accepts.
func TestAPublishedReleaseIsAcceptedByItsConsumers(t *testing.T) {
	for name, where := range map[string]func(*stack, string) place{"https with logins": (*stack).public, "plain http on loopback": (*stack).plain} {
		t.Run(name, func(t *testing.T) {
			s, j, dir := servers(t), release(), t.TempDir()
			p, img, other := where(s, "acme/"+secret("app-")), newImage(t, 256), newImage(t, 64)
			img.layout(t, filepath.Join(dir, "dist", "app"))
			other.push(t, p.loopback[0]+":other")
			mark := s.gateway.mark()
			out, r := s.publish(t, j, dir, "-f", releaseFile(t, dir, p))
			if out.code != 0 || r.Outcome != "published" || len(r.Images) != 1 {
				t.Fatalf("publish: %s", out)
			}
			checkReport(t, j, r, p, img)
			if name == "https with logins" {
				checkTraffic(t, s, s.gateway.since(mark))
			}
			s.checkWitnesses(t, filepath.Join(dir, "taglast-out", "app.sigstore.json"), r.Images[0].Digest)
			digest, children := r.Images[0].Digest, map[string][]byte{}
			var index []byte
			for _, loopback := range p.loopback {
				for _, tag := range []string{"1.2.3", "1.2", "latest"} {
					var got string
					if got, index = resolve(t, loopback+":"+tag); got != digest {
						t.Errorf("%s:%s is %q, not %s", loopback, tag, got, digest)
					}
				}
				for platform, d := range img.platforms {
					if _, raw := resolve(t, loopback+"@"+d); digestOf(raw) != d {
						t.Errorf("%s@%s (%s) is not there", loopback, d, platform)
					} else {
						children[platform] = raw
					}
				}
			}
			bundle := filepath.Join(dir, "taglast-out", "app.sigstore.json")
			s.checkConsumers(t, j, p, img, digest, bundle)

			for platform, raw := range children {
				if c := s.cosign(t, bundle, j.identity(), write(t, dir, "child.json", raw)); c.code != 0 {
					t.Errorf("cosign on the manifest of %s: %s", platform, c)
				}
			}
			if c := s.cosign(t, bundle, j.identity(), write(t, dir, "index.json", index)); c.code != 0 {
				t.Errorf("cosign on the index: %s", c)
			}
			if c := s.cosign(t, bundle, j.identity(), write(t, dir, "changed.json", append(index, ' '))); c.code == 0 {
				t.Error("cosign accepts a changed index")
			}
		})
	}
}

// checkWitnesses holds a bundle on disk to every witness.
func (s *stack) checkWitnesses(t *testing.T, file, digest string) {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	trusted, err := root.NewTrustedRootFromPath(s.trustedRoot)
	if err != nil {
		t.Fatal(err)
	}
	witnessed(t, trusted, raw, digest)
}

// checkConsumers asks gh and taglast.
func (s *stack) checkConsumers(t *testing.T, j job, p place, img image, digest, bundle string) {
	t.Helper()
	raw, err := os.ReadFile(bundle)
	if err != nil {
		t.Fatal(err)
	}
	sig := regexp.MustCompile(`"sig":\s*"([^"]+)"`).FindSubmatch(raw)
	changed := write(t, t.TempDir(), "changed.sigstore.json", []byte(strings.Replace(string(raw), string(sig[1]), flip(t, string(sig[1])), 1)))
	mine := []string{"-R", j.Repository}
	for _, repository := range p.repositories {
		ref := "oci://" + repository
		cases := []verdict{
			q("tag, API", true, append(mine, ref+":1.2.3")...),
			q("moving tag, API", true, append(mine, ref+":latest")...),
			q("index digest, API", true, append(mine, ref+"@"+digest)...),
			q("platform digest, API", true, append(mine, ref+"@"+img.platforms["linux/arm64"])...),
			q("owner, API", true, "-o", j.owner(), ref+":1.2.3"),
			q("tag, bundle", true, append(mine, ref+":1.2.3", "-b", bundle)...),
			q("platform digest, bundle", true, append(mine, ref+"@"+img.platforms["linux/amd64"], "-b", bundle)...),
			q("every identity flag", true, append(mine, ref+":1.2.3", "--signer-workflow", j.Repository+"/"+j.WorkflowPath,
				"--source-ref", j.Ref, "--source-digest", j.SHA, "--signer-digest", j.SHA, "--deny-self-hosted-runners")...),
			q("another repository", false, "-R", "acme/other", ref+":1.2.3", "-b", bundle),
			q("a changed bundle", false, append(mine, ref+":1.2.3", "-b", changed)...),
		}
		if repository == p.repositories[0] {
			cases = append(cases, q("another digest", false, append(mine, ref+":other", "-b", bundle)...), q("another digest, API", false, append(mine, ref+":other")...))
		}
		for _, c := range cases {
			if gh := s.gh(t, c.args...); (gh.code == 0) != c.good {
				t.Errorf("gh on %s by %s: %s", repository, c.name, gh)
			}
			if ours := s.verify(t, c.args...); (ours.code == 0) != c.good {
				t.Errorf("taglast on %s by %s: %s", repository, c.name, ours)
			}
		}
	}
}

func checkReport(t *testing.T, j job, r report, p place, img image) {
	t.Helper()
	one := r.Images[0]
	if r.SchemaVersion != 1 || r.Version != "1.2.3" || r.DryRun || r.Error != nil || one.Name != "app" || one.Adopted {
		t.Errorf("report: %+v", r)
	}
	got := map[string]string{}
	for _, platform := range one.Platforms {
		got[platform.Platform] = platform.Digest
	}
	for platform, d := range img.platforms {
		if got[platform] != d {
			t.Errorf("report says %s is %q, not %s", platform, got[platform], d)
		}
	}
	if len(one.Attestations) != 1 {
		t.Fatalf("report has %d attestations", len(one.Attestations))
	}
	a := one.Attestations[0]
	if a.PredicateType != provenanceType || a.Subject != one.Digest || a.Bundle != "app.sigstore.json" || a.LogIndex == nil || a.ID == "" ||
		a.URL != "https://github.com/"+j.Repository+"/attestations/"+a.ID || a.Reused ||
		a.Run != "https://github.com/"+j.Repository+"/actions/runs/"+j.RunID+"/attempts/"+j.RunAttempt {
		t.Errorf("report says of the attestation %+v", a)
	}
	classes := map[string]string{}
	for _, tag := range one.Tags {
		classes[tag.Ref] = tag.Class
		if tag.Action != "created" || tag.Digest != one.Digest || tag.Previous != "" {
			t.Errorf("report says of a tag %+v", tag)
		}
	}
	for _, repository := range p.repositories {
		for tag, class := range map[string]string{"1.2.3": "fixed", "1.2": "moving", "latest": "moving"} {
			if classes[repository+":"+tag] != class {
				t.Errorf("report says %s:%s is %q, not %s", repository, tag, classes[repository+":"+tag], class)
			}
		}
	}
}

var (
	tagPut   = regexp.MustCompile(`^/v2/.+/manifests/[^/:]+$`)
	tokenFor = map[string][]string{"ghs_": {"ghcr.io", "api.github.com"}, "rt-": {runnerHost}, "dckr_pat_": {"auth.docker.io", "index.docker.io", "registry-1.docker.io"}}
)

// checkTraffic holds the law on the wire, and that no secret and no request goes where it should not.
func checkTraffic(t *testing.T, s *stack, seen []exchange) {
	t.Helper()
	attested, tagged := -1, -1
	for i, e := range seen {
		switch {
		case e.Host == "api.github.com" && e.Status == 201:
			attested = i
		case e.Method == http.MethodPut && tagPut.MatchString(e.Path) && tagged < 0:
			tagged = i
		case e.Status == 502:
			t.Errorf("asked outside: %s", e)
		}
		credentials := e.Authorization
		if basic, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(credentials, "Basic ")); err == nil {
			credentials = string(basic)
		}
		for prefix, hosts := range tokenFor {
			if strings.Contains(credentials, prefix) && !slices.Contains(hosts, e.Host) {
				t.Errorf("a %s… token went to %s", prefix, e.Host)
			}
		}
	}
	if attested < 0 || tagged < attested {
		t.Errorf("first tag is request %d, last stored attestation request %d", tagged, attested)
	}
	s.github.mu.Lock()
	defer s.github.mu.Unlock()
	for _, f := range s.github.faults {
		t.Error(f)
	}
}
