package publish_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/taglast/taglast/internal/sandbox"
)

// uvFile is a release as uv's is: the image itself and 22 variants with two names each, 135 tags in each of two
// repositories.
func uvFile(version string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `
repositories: [ghcr.io/astral-sh/uv, docker.io/astral/uv]
platforms: [linux/amd64, linux/arm64]
release-version: %q
images:
  - name: uv
    source: {oci: image}
    tags: ["type=pep440,pattern={{version}}", "type=pep440,pattern={{major}}.{{minor}}"]
`, version)
	for i := range 22 {
		exact, plain := fmt.Sprintf("python3.%d-trixie-slim", i), fmt.Sprintf("python3.%d-slim", i)
		if i == 0 {
			exact, plain = "alpine3.23", "alpine"
		}
		fmt.Fprintf(&b, "  - name: %s\n    source: {oci: image}\n    annotations: {variant: %[1]s}\n    flavor: [latest=false]\n    tags:\n", exact)
		for _, name := range []string{exact, plain} {
			fmt.Fprintf(&b, "      - type=pep440,pattern={{version}},suffix=-%s\n      - type=pep440,pattern={{major}}.{{minor}},suffix=-%[1]s\n      - %[1]s\n", name)
		}
	}
	return b.String()
}

// TestUVReleasesAnOldVersionAndACandidate is uv's own case: 0.12.9 after 0.13.0, and 0.14.0rc1 after both.
func TestUVReleasesAnOldVersionAndACandidate(t *testing.T) {
	s := newScene(t, uvFile("0.13.0"), sandbox.Options{Identity: sandbox.Identity{Ref: "refs/heads/main"}})
	first, _ := must(t, s, nil)
	if c := first.Count(); c.Total != 270 || c.Created != 270 {
		t.Fatalf("0.13.0: %+v", c)
	}
	aliases := func(of string) map[string]string {
		out := map[string]string{}
		for repo, tags := range s.world.State().Tags {
			for tag, digest := range tags {
				if !strings.HasPrefix(tag, "0.") || tag == of || strings.HasPrefix(tag, of+"-") {
					out[repo+":"+tag] = digest
				}
			}
		}
		return out
	}
	want := aliases("0.13")
	if len(want) != 2*(1+44+45) {
		t.Fatalf("%d aliases of 0.13", len(want))
	}
	for _, c := range []struct {
		version string
		aliases int // of its own series, which are new
	}{{"0.12.9", 90}, {"0.14.0rc1", 0}} {
		s.file = parse(t, uvFile(c.version))
		r, requests := must(t, s, nil)
		got := aliases("0.13")
		for ref, digest := range want {
			if got[ref] != digest {
				t.Errorf("%s moved %s", c.version, ref)
			}
		}
		n := r.Count()
		if n.Created != 90+c.aliases || n.Moved != 0 || n.Kept != n.Total-90-c.aliases {
			t.Errorf("%s: %+v", c.version, n)
		}
		if n := count(requests, "GET", "ghcr.io", "/tags/list"); n > 3 {
			t.Errorf("%s: ghcr.io was listed %d times, want once for each look", c.version, n)
		}
	}
	if v := s.world.Violations(); len(v) > 0 {
		t.Error(v)
	}
	if tags := s.world.State().Tags["ghcr.io/astral-sh/uv"]; len(tags) != 3*45+2*45+45 {
		t.Errorf("%d tags", len(tags))
	}
}
