//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/match"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// Whatever an image comes from, its platforms arrive unchanged, and gh accepts what is tagged.
func TestEverySourceIsPublishedWithItsPlatformsUnchanged(t *testing.T) {
	for _, c := range []struct {
		name   string
		source func(t *testing.T, s *stack, dir string, img image) string
		same   bool // the index's digest too
	}{
		{"a layout", func(t *testing.T, _ *stack, dir string, img image) string {
			img.layout(t, filepath.Join(dir, "app"))
			return "oci: app"
		}, false},
		{"a tar of a layout", func(t *testing.T, _ *stack, dir string, img image) string {
			layoutTar(t, img.layout(t, filepath.Join(dir, "app")), filepath.Join(dir, "app.tar"))
			return "oci: app.tar"
		}, false},
		{"a layout for each platform", func(t *testing.T, _ *stack, dir string, img image) string {
			for platform, one := range img.children(t) {
				path, err := layout.Write(filepath.Join(dir, "parts", strings.ReplaceAll(platform, "/", "-")), empty.Index)
				if err == nil {
					err = path.AppendImage(one)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			return "oci: parts/*"
		}, false},
		{"digests that matrix jobs pushed", func(t *testing.T, s *stack, dir string, img image) string {
			pushed := "127.0.0.1:" + s.ports.distribution + "/acme/" + secret("matrix-")
			img.pushDigests(t, pushed, filepath.Join(dir, "digests"))
			return "digests: digests, repository: " + pushed
		}, false},
		{"an image in another registry", func(t *testing.T, s *stack, _ string, img image) string {
			ref := "127.0.0.1:" + s.ports.olareg + "/acme/" + secret("from-") + ":v"
			img.push(t, ref)
			return "image: " + ref
		}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, j, dir, img := servers(t), release(), t.TempDir(), newImage(t, 256)
			p := s.public("acme/" + secret("source-"))
			file := write(t, dir, "taglast.yaml", fmt.Appendf(nil, "repositories: [%s]\nplatforms: [linux/amd64, linux/arm64]\ntags: [1.2.3]\n"+
				"images:\n  - name: app\n    source: {%s}\n", strings.Join(p.repositories, ", "), c.source(t, s, dir, img)))
			out, r := s.publish(t, j, dir, "-f", file)
			if out.code != 0 || len(r.Images) != 1 {
				t.Fatalf("publish: %s", out)
			}
			if same := r.Images[0].Digest == img.digest; same != c.same {
				t.Errorf("the index was %s and is %s", img.digest, r.Images[0].Digest)
			}
			for _, loopback := range p.loopback {
				for platform, d := range img.platforms {
					if got, _ := resolve(t, loopback+"@"+d); got != d {
						t.Errorf("%s (%s) is not in %s", d, platform, loopback)
					}
				}
			}
			for _, repository := range p.repositories {
				for _, ref := range []string{":1.2.3", "@" + img.platforms["linux/arm64"]} {
					if gh := s.gh(t, "oci://"+repository+ref, "-R", j.Repository); gh.code != 0 {
						t.Errorf("gh on %s%s: %s", repository, ref, gh)
					}
				}
			}
		})
	}
}

// pushDigests pushes each platform's manifest by digest, and leaves a file for each in dir, as matrix jobs do.
func (i image) pushDigests(t *testing.T, repository, dir string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, one := range i.children(t) {
		digest, err := one.Digest()
		if err != nil {
			t.Fatal(err)
		}
		ref, err := name.NewDigest(repository+"@"+digest.String(), name.Insecure)
		if err == nil {
			err = remote.Write(ref, one)
		}
		if err != nil {
			t.Fatal(err)
		}
		write(t, dir, digest.Hex, nil)
	}
}

// children are the image's manifests, by platform.
func (i image) children(t *testing.T) map[string]v1.Image {
	t.Helper()
	out := map[string]v1.Image{}
	for platform, digest := range i.platforms {
		hash, err := v1.NewHash(digest)
		if err != nil {
			t.Fatal(err)
		}
		found, err := partial.FindImages(i.index, match.Digests(hash))
		if err != nil || len(found) != 1 {
			t.Fatalf("%s: %d images, %v", platform, len(found), err)
		}
		out[platform] = found[0]
	}
	return out
}

// Two images, one release: no tag of either before both are attested; the face of the repository is pushed last and
// tagged last, `latest` after all.
func TestTheOrderOfAReleaseOfTwoImages(t *testing.T) {
	s, j, dir := servers(t), release(), t.TempDir()
	repository := "acme/" + secret("order-")
	face, variant := newImage(t, 64), newImage(t, 64)
	face.layout(t, filepath.Join(dir, "face"))
	variant.layout(t, filepath.Join(dir, "variant"))
	file := write(t, dir, "taglast.yaml", fmt.Appendf(nil, `repositories: [ghcr.io/%s]
platforms: [linux/amd64, linux/arm64]
images:
  - {name: face, source: {oci: face}, tags: [latest, 1.2.3, "1.2"]}
  - {name: variant, source: {oci: variant}, tags: [1.2.3-variant, variant]}
`, repository))
	mark := s.gateway.mark()
	out, r := s.publish(t, j, dir, "-f", file)
	if out.code != 0 || len(r.Images) != 2 {
		t.Fatalf("publish: %s", out)
	}
	var puts []string
	stored := 0
	for _, e := range s.gateway.since(mark) {
		if ref, ok := strings.CutPrefix(e.Path, "/v2/"+repository+"/manifests/"); ok && e.Method == http.MethodPut {
			puts = append(puts, ref)
			if tagPut.MatchString(e.Path) && stored < 2 {
				t.Errorf("tag %s was written when %d of 2 images were attested", ref, stored)
			}
		}
		if e.Host == "api.github.com" && e.Status == 201 {
			stored++
		}
	}
	place := func(ref string) int { return slices.Index(puts, ref) }
	faceDigest, variantDigest := r.Images[0].Digest, r.Images[1].Digest
	for _, order := range [][]string{
		{face.platforms["linux/amd64"], faceDigest},
		{variantDigest, faceDigest},
		{faceDigest, "1.2.3"},
		{"1.2.3-variant", "variant"},
		{"1.2.3", "1.2"},
		{"1.2.3", "variant"},
		{"variant", "latest"},
		{"1.2", "latest"},
	} {
		if a, b := place(order[0]), place(order[1]); a < 0 || b < 0 || a > b {
			t.Errorf("%s is write %d, %s is write %d, of %q", order[0], a, order[1], b, puts)
		}
	}
}

// What a publication costs in requests, where round trips are what costs: an image of two platforms that is in the
// registry by digest, two tags. crane and cosign need 24 to 35 for less. Three of ours are lists of the tags: in the plan,
// after the fixed tag to decide the alias, and after the last write to see whether another run was between. This registry
// does not know the list of a repository without tags; so the alias is looked at singly, which another would save.
func TestAPublicationTakesFewRequests(t *testing.T) {
	const most = 27
	s, j, dir := servers(t), release(), t.TempDir()
	const host = "registry.example.com"
	s.gateway.route(host, forward(s.ports.distribution))
	path := "acme/" + secret("count-")
	img := newImage(t, 256)
	img.push(t, "127.0.0.1:"+s.ports.distribution+"/"+path+"@"+img.digest)
	file := write(t, dir, "taglast.yaml", fmt.Appendf(nil, "repositories: [%s/%s]\nplatforms: [linux/amd64, linux/arm64]\n"+
		"tags: [1.2.3, latest]\nimages:\n  - name: app\n    source: {image: %[1]s/%[2]s@%[3]s}\n", host, path, img.digest))
	s.github.replicateAtOnce(t)
	mark := s.gateway.mark()
	if out, _ := s.publish(t, j, dir, "-f", file); out.code != 0 {
		t.Fatalf("publish: %s", out)
	}
	seen, keys := s.gateway.since(mark), 0
	seen = slices.DeleteFunc(seen, func(e exchange) bool { // Fulcio asks for the issuer's keys as well
		if e.Host == "token.actions.githubusercontent.com" && strings.HasPrefix(e.Path, "/.well-known/") {
			keys++
			return keys > 1
		}
		return false
	})
	t.Logf("%d requests", len(seen))
	for _, e := range seen {
		t.Log(e)
	}
	if len(seen) > most {
		t.Errorf("%d requests, more than %d", len(seen), most)
	}
}
