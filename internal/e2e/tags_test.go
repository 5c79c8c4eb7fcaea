//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"golang.org/x/sync/errgroup"

	"github.com/taglast/taglast/internal/registry"
)

const (
	manyTags = 3000
	tagsPage = 1000 // so many the client asks for at once, and both registries give
)

// longLived are the tags of a repository whose highest version is 1.3.0. Lexical order has that on the last page, and
// names behind it which look higher and are no releases beside it.
func longLived() []string {
	tags := []string{
		"1.3.0", "1.3", "1", "latest", "alpine", "1.2", "1.3.0-alpine", "9.9.9-alpine", "2.0.0-rc.1", "2", "10.0",
		"20260101", "buildcache", "nightly", "pr-7", "sha-0123abc", "v2", "version-9.9.9",
	}
	for patch := range 9 {
		tags = append(tags, fmt.Sprintf("1.2.%d", patch))
	}
	for n := 0; len(tags) < manyTags; n++ {
		old := fmt.Sprintf("0.%d.%d", n/50, n%50+1)
		tags = append(tags, old, old+"-alpine")
	}
	return tags[:manyTags]
}

// seed writes a manifest under many tags, past every client.
func seed(t *testing.T, loopback string, img image, tags []string) {
	t.Helper()
	img.push(t, loopback+"@"+img.digest)
	raw, err := img.index.RawManifest()
	if err != nil {
		t.Fatal(err)
	}
	host, path, _ := strings.Cut(loopback, "/")
	const parallel = 8
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: parallel}}
	defer client.CloseIdleConnections()
	g, ctx := errgroup.WithContext(t.Context())
	g.SetLimit(parallel)
	for _, tag := range tags {
		g.Go(func() error {
			req, err := http.NewRequestWithContext(ctx, http.MethodPut, "http://"+host+"/v2/"+path+"/manifests/"+tag, bytes.NewReader(raw))
			if err != nil {
				return err
			}
			req.Header.Set("Content-Type", "application/vnd.oci.image.index.v1+json")
			resp, err := client.Do(req)
			if err != nil {
				return err
			}
			defer resp.Body.Close()
			if answer, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != http.StatusCreated {
				return fmt.Errorf("PUT of tag %s: %s %s %w", tag, resp.Status, answer, err)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
}

// late are releases to that repository, one after the other.
var late = []struct {
	name, version string
	became        string // as the report says it
	reason        string // of what is kept
	named         string // what the aliases name then, by version
	lists         []int  // how many new tags each list has
}{
	{
		"a release of an older line moves the alias of that line alone", "1.2.9",
		"1.2.9 created, 1.2 moved, 1 kept, alpine kept, latest kept", "this release is 1.2.9 and 1.3.0 is higher",
		"1.2=1.2.9 1=1.3.0 alpine=1.3.0 latest=1.3.0",
		[]int{0, 1, 1},
	},
	{
		"the same again writes nothing", "1.2.9",
		"1.2.9 unchanged, 1.2 unchanged, 1 kept, alpine kept, latest kept", "this release is 1.2.9 and 1.3.0 is higher",
		"1.2=1.2.9 1=1.3.0 alpine=1.3.0 latest=1.3.0",
		[]int{0, 0},
	},
	{
		"a higher version moves all of its own", "1.4.0",
		"1.4.0 created, 1.4 created, 1 moved, alpine moved, latest moved", "",
		"1.2=1.2.9 1.3=1.3.0 1.4=1.4.0 1=1.4.0 alpine=1.4.0 latest=1.4.0",
		[]int{0, 1, 2},
	},
	{
		"that again writes nothing", "1.4.0",
		"1.4.0 unchanged, 1.4 unchanged, 1 unchanged, alpine unchanged, latest unchanged", "",
		"1.2=1.2.9 1.3=1.3.0 1.4=1.4.0 1=1.4.0 alpine=1.4.0 latest=1.4.0",
		[]int{0, 0},
	},
	{
		"nor does the older line, run again, take anything back", "1.2.9",
		"1.2.9 unchanged, 1.2 unchanged, 1 kept, alpine kept, latest kept", "this release is 1.2.9 and 1.4.0 is higher",
		"1.2=1.2.9 1.3=1.3.0 1.4=1.4.0 1=1.4.0 alpine=1.4.0 latest=1.4.0",
		[]int{0, 0},
	},
}

// Aliases never go back, in a repository whose list of tags has pages; and that takes the pages of three lists: in the
// plan, after the fixed tags, and after the last alias where one was written.
func TestAliasesOfARepositoryWithThreeThousandTags(t *testing.T) {
	for n, kind := range []struct {
		name  string
		pages func(tags int) int
	}{
		{"distribution", func(tags int) int { return tags/tagsPage + 1 }}, // a full page leads on, if to an empty one
		{"olareg", func(tags int) int { return (tags + tagsPage - 1) / tagsPage }},
	} {
		t.Run(kind.name, func(t *testing.T) {
			s, j, dir := servers(t), release(), t.TempDir()
			path := "acme/" + secret("many-")
			p := s.public(path)
			repository, loopback := p.repositories[n], p.loopback[n]
			began := time.Now()
			seed(t, loopback, newImage(t, 64), longLived())
			t.Logf("%d tags are seeded in %.1f s", manyTags, time.Since(began).Seconds())

			mark := s.gateway.mark()
			if got := s.tags(t, repository); !slices.Equal(got, slices.Sorted(slices.Values(longLived()))) {
				t.Errorf("the client lists %d tags of %d: %q", len(got), manyTags, got)
			}
			if lists := tagLists(s.gateway.since(mark), path); lists != kind.pages(manyTags) {
				t.Errorf("%d requests for the tags", lists)
			}

			newImage(t, 64).layout(t, filepath.Join(dir, "dist", "app"))
			file := aliasedFile(t, dir, repository)
			there := manyTags
			for attempt, c := range late {
				t.Run(c.name, func(t *testing.T) {
					j.Ref, j.RunAttempt = "refs/tags/v"+c.version, fmt.Sprint(1+attempt)
					began, mark := time.Now(), s.gateway.mark()
					out, _ := s.publish(t, j, dir, "-f", file)
					seen := s.gateway.since(mark)
					if out.code != 0 {
						t.Fatalf("publish: %s", out)
					}
					t.Logf("%d requests, %.2f s", len(seen), time.Since(began).Seconds())
					r := readReport(t, filepath.Join(dir, "taglast-out", "report.json"))
					if got := became(r, repository); got != c.became {
						t.Errorf("%s, want %s", got, c.became)
					}
					checkKept(t, r, c.reason)
					if got := named(t, loopback, c.named); got != c.named {
						t.Errorf("aliases are %s, want %s", got, c.named)
					}
					for _, e := range seen {
						if !strings.Contains(c.became, "created") && e.writes() && !e.probe() {
							t.Errorf("wrote: %s", e)
						}
					}
					want := 0
					for _, written := range c.lists {
						want += kind.pages(there + written)
					}
					if lists := tagLists(seen, path); lists != want {
						t.Errorf("%d requests for the tags, want %d", lists, want)
					}
					there += strings.Count(c.became, "created")
					if gh := s.gh(t, "oci://"+repository+":"+c.version, "-R", j.Repository); gh.code != 0 {
						t.Errorf("gh: %s", gh)
					}
				})
			}
		})
	}
}

// tags lists a public repository through the gateway, without a login.
func (s *stack) tags(t *testing.T, repository string) []string {
	t.Helper()
	transport, err := s.transport()
	if err != nil {
		t.Fatal(err)
	}
	repo, err := name.NewRepository(repository)
	if err != nil {
		t.Fatal(err)
	}
	tags, err := registry.NewClients(registry.Options{Transport: transport}).Repository(repo).Tags(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return tags
}

// tagLists counts the requests for pages of a repository's tags.
func tagLists(seen []exchange, path string) (n int) {
	for _, e := range seen {
		if e.Method == http.MethodGet && e.Path == "/v2/"+path+"/tags/list" {
			n++
		}
	}
	return n
}

// aliasedFile writes the release file of an image with a full version, parts of it, a plain name, and latest.
func aliasedFile(t *testing.T, dir, repository string) string {
	t.Helper()
	return write(t, dir, "taglast.yaml", fmt.Appendf(nil, `repositories: [%s]
platforms: [linux/amd64, linux/arm64]
tags:
  - type=semver,pattern={{version}}
  - type=semver,pattern={{major}}.{{minor}}
  - type=semver,pattern={{major}}
  - alpine
images:
  - name: app
    source: {oci: dist/app}
`, repository))
}

// became is what a report says of the tags of one repository, as `1.2 moved`.
func became(r report, repository string) string {
	var out []string
	for _, one := range r.Images {
		for _, tag := range one.Tags {
			if text, ok := strings.CutPrefix(tag.Ref, repository+":"); ok {
				out = append(out, text+" "+tag.Action)
			}
		}
	}
	return strings.Join(out, ", ")
}

// checkKept holds every tag that was kept to its reason and to the digest that it had, and no other tag has a reason.
func checkKept(t *testing.T, r report, reason string) {
	t.Helper()
	for _, tag := range r.Images[0].Tags {
		kept := tag.Action == "kept"
		if kept != (tag.Reason != "") || kept && (tag.Reason != reason || tag.Digest != tag.Previous || tag.Digest == r.Images[0].Digest) {
			t.Errorf("report says of a tag %+v", tag)
		}
	}
}

// named is want, alias=version after alias=version, with each version replaced by ? whose digest the alias has not.
func named(t *testing.T, loopback, want string) string {
	t.Helper()
	var out []string
	for pair := range strings.FieldsSeq(want) {
		alias, version, _ := strings.Cut(pair, "=")
		is, _ := resolve(t, loopback+":"+alias)
		should, _ := resolve(t, loopback+":"+version)
		if is == "" || is != should {
			version = "?"
		}
		out = append(out, alias+"="+version)
	}
	return strings.Join(out, " ")
}
