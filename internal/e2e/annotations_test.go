//go:build e2e

package e2e

import (
	"encoding/json"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// An index says where it comes from. When, it says by the commit: the event tells its date, or GitHub; never the clock.
func TestAnIndexSaysWhereItComesFrom(t *testing.T) {
	for _, c := range []struct {
		name    string
		event   string
		known   bool // to GitHub
		asked   int
		created string
	}{
		{"a push tells the date of its commit", "push", true, 0, "2026-03-04T05:06:07Z"},
		{"where the event does not, GitHub does", "workflow_dispatch", true, 1, committed(0).Format(time.RFC3339)},
		{"what nobody knows is left out", "workflow_dispatch", false, 1, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, j, dir := servers(t), release(), t.TempDir()
			p := s.public("acme/" + secret("annotated-"))
			newImage(t, 64).layout(t, filepath.Join(dir, "dist", "app"))
			j.Event = c.event
			if c.known {
				s.github.setCommits(t, j.SHA)
			}
			mark := s.gateway.mark()
			out, _ := s.publish(t, j, dir, "-f", releaseFile(t, dir, p))
			if out.code != 0 {
				t.Fatalf("publish: %s", out)
			}
			asked := 0
			for _, e := range s.gateway.since(mark) {
				if e.Method == http.MethodGet && e.Host == "api.github.com" && e.Path == "/repos/acme/app/commits/"+j.SHA {
					asked++
				}
			}
			if asked != c.asked {
				t.Errorf("GitHub was asked %d times for the commit", asked)
			}
			const prefix = "org.opencontainers.image."
			want := map[string]string{
				prefix + "title": "app", prefix + "url": "https://github.com/acme/app", prefix + "source": "https://github.com/acme/app",
				prefix + "version": "1.2.3", prefix + "revision": j.SHA,
			}
			if c.created != "" {
				want[prefix+"created"] = c.created
			}
			for _, loopback := range p.loopback {
				_, raw := resolve(t, loopback+":1.2.3")
				var index struct{ Annotations map[string]string }
				if err := json.Unmarshal(raw, &index); err != nil || !maps.Equal(index.Annotations, want) {
					t.Errorf("%s: %v, want %v: %v", loopback, index.Annotations, want, err)
				}
			}
		})
	}
}

// `taglast tags` says what a release writes, and asks nobody.
func TestTheTagsThatAreToldAreThoseThatAreWritten(t *testing.T) {
	s, j, dir := servers(t), release(), t.TempDir()
	newImage(t, 64).layout(t, filepath.Join(dir, "dist", "app"))
	file := releaseFile(t, dir, s.public("acme/"+secret("told-")))
	mark := s.gateway.mark()
	told := s.taglast(t, dir, j.environ(t, s), "tags", "-f", file, "--format", "json")
	var set struct{ Refs []string }
	if err := json.Unmarshal([]byte(told.stdout), &set); err != nil || told.code != 0 {
		t.Fatalf("tags: %v %s", err, told)
	}
	for _, e := range s.gateway.since(mark) {
		t.Errorf("asked: %s", e)
	}
	out, r := s.publish(t, j, dir, "-f", file)
	if out.code != 0 {
		t.Fatalf("publish: %s", out)
	}
	var written []string
	for _, tag := range r.Images[0].Tags {
		written = append(written, tag.Ref)
	}
	if slices.Sort(written); !slices.Equal(written, slices.Sorted(slices.Values(set.Refs))) || len(written) != 6 {
		t.Errorf("told %s, written %s", strings.Join(set.Refs, " "), strings.Join(written, " "))
	}
}
