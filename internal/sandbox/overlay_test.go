package sandbox

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

func anyTag(Tag) error { return nil }

// real is a world that plays the real network, with one tagged image, and a log of what reaches it.
func real(t *testing.T, o RegistryOptions) (*World, v1.Image) {
	t.Helper()
	w := newWorld(t, Options{Law: anyTag, Registry: o})
	img, err := random.Image(512, 2)
	if err != nil {
		t.Fatal(err)
	}
	open := newWorld(t, Options{Law: anyTag})
	open.registries["ghcr.io"] = newOverlay(newRegistry("ghcr.io", RegistryOptions{}, anyTag), nil)
	if err := remote.Write(ref(t, "ghcr.io/acme/base:3"), img, remote.WithTransport(open)); err != nil {
		t.Fatal(err)
	}
	g := newRegistry("ghcr.io", o, anyTag)
	g.repos, g.blobs = open.registries["ghcr.io"].repos, open.registries["ghcr.io"].blobs
	w.registries["ghcr.io"] = newOverlay(g, nil)
	return w, img
}

func TestOverlayReadsTheRealRegistryAndWritesInside(t *testing.T) {
	for title, o := range map[string]RegistryOptions{
		"open":                    {},
		"with anonymous tokens":   {Auth: Auth{Scheme: "bearer", Password: "p", Anonymous: true}},
		"push is denied for real": {Auth: Auth{Scheme: "bearer", Password: "p", Anonymous: true}, DenyPush: []string{"*"}},
	} {
		t.Run(title, func(t *testing.T) {
			outside, base := real(t, o)
			w := newWorld(t, Options{Base: outside, Law: anyTag})
			got, err := remote.Image(ref(t, "ghcr.io/acme/base:3"), remote.WithTransport(w))
			if err != nil {
				t.Fatal(err)
			}
			if err := validate.Image(got); err != nil {
				t.Error(err)
			}
			layer, err := random.Layer(512, "application/vnd.oci.image.layer.v1.tar+gzip")
			if err != nil {
				t.Fatal(err)
			}
			grown, err := mutate.AppendLayers(got, layer)
			if err != nil {
				t.Fatal(err)
			}
			if err := remote.Write(ref(t, "ghcr.io/acme/base:4"), grown, remote.WithTransport(w)); err != nil {
				t.Fatal(err)
			}
			pulled, err := remote.Image(ref(t, "ghcr.io/acme/base:4"), remote.WithTransport(w))
			if err != nil {
				t.Fatal(err)
			}
			if err := validate.Image(pulled); err != nil {
				t.Error(err)
			}
			repo, _ := name.NewRepository("ghcr.io/acme/base")
			tags, err := remote.List(repo, remote.WithTransport(w))
			if err != nil || !slices.Equal(tags, []string{"3", "4"}) {
				t.Errorf("tags %v, %v", tags, err)
			}
			nothingWritten(t, outside)
			if got := outside.State().Tags["ghcr.io/acme/base"]; len(got) != 1 || got["3"] != digestOf(t, base) {
				t.Errorf("real tags %v", got)
			}
		})
	}
}

// nothingWritten checks what reached the real network: reads, and no scope but pull.
func nothingWritten(t *testing.T, outside *World) {
	t.Helper()
	if len(outside.Requests()) == 0 {
		t.Error("nothing reached the real registry: the test proves nothing")
	}
	for _, r := range outside.Requests() {
		if r.Method != http.MethodGet && r.Method != http.MethodHead || strings.Contains(r.Query, "push") || strings.Contains(r.Path, "uploads") {
			t.Errorf("left the overlay: %+v", r)
		}
	}
}

func TestOverlayMountsWithoutReadingTheLayer(t *testing.T) {
	outside, base := real(t, RegistryOptions{})
	w := newWorld(t, Options{Base: outside, Law: anyTag})
	src, _ := name.NewRepository("ghcr.io/acme/base")
	layers, err := base.Layers()
	if err != nil {
		t.Fatal(err)
	}
	mountable, err := random.Image(1, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range layers {
		if mountable, err = mutate.AppendLayers(mountable, &remote.MountableLayer{Layer: l, Reference: src.Tag("3")}); err != nil {
			t.Fatal(err)
		}
	}
	if err := remote.Write(ref(t, "ghcr.io/acme/app:1"), mountable, remote.WithTransport(w)); err != nil {
		t.Fatal(err)
	}
	nothingWritten(t, outside)
	for _, r := range outside.Requests() {
		if r.Method == http.MethodGet && strings.Contains(r.Path, "/blobs/") {
			t.Errorf("a layer was fetched: %+v", r)
		}
	}
	size, err := layers[0].Size()
	if err != nil {
		t.Fatal(err)
	}
	status, header, _ := answerTo(t, w, http.MethodHead, "https://ghcr.io/v2/acme/app/blobs/"+digestOf(t, layers[0]), "", "")
	if status != http.StatusOK || header.Get("Content-Length") != fmt.Sprint(size) {
		t.Errorf("mounted layer of %d bytes: status %d, length %q", size, status, header.Get("Content-Length"))
	}
}

func TestMountedLayerIsReadFromItsSource(t *testing.T) {
	for title, trust := range map[string]bool{"that was looked for": false, "that is trusted to be there": true} {
		outside := newWorld(t, Options{})
		digest, err := outside.SeedBlob("ghcr.io", "acme/base", []byte("layer"))
		if err != nil {
			t.Fatal(err)
		}
		w := newWorld(t, Options{Base: outside, Registry: RegistryOptions{TrustBase: trust}})
		if status, _, _ := ask(t, w, "POST", "/blobs/uploads/?from=acme/base&mount="+digest, ""); status != http.StatusCreated {
			t.Errorf("%s: mount: status %d", title, status)
		}
		if looked := len(outside.Requests()) > 0; looked == trust {
			t.Errorf("%s: looked %t", title, looked)
		}
		if status, _, body := ask(t, w, "GET", "/blobs/"+digest, ""); status != http.StatusOK || body != "layer" {
			t.Errorf("%s: %d %q", title, status, body)
		}
		if status, _, _ := ask(t, w, "HEAD", "/blobs/"+digest, ""); status != http.StatusOK {
			t.Errorf("%s: HEAD: status %d", title, status)
		}
	}
}

func TestOverlayHidesReferrersOfTheRealRegistry(t *testing.T) {
	outside, base := real(t, RegistryOptions{Referrers: true})
	tag := "sha256-" + strings.TrimPrefix(digestOf(t, base), "sha256:")
	if _, err := outside.SeedManifest("ghcr.io", "acme/base", tag, mediaOCIIndex, []byte(`{"schemaVersion":2,"manifests":[]}`)); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, Options{Base: outside})
	for _, path := range []string{"/manifests/" + tag, "/referrers/" + digestOf(t, base)} {
		if status, _, _ := answerTo(t, w, http.MethodGet, "https://ghcr.io/v2/acme/base"+path, "", ""); status != http.StatusNotFound {
			t.Errorf("%s: status %d", path, status)
		}
	}
	if _, _, body := answerTo(t, w, http.MethodGet, "https://ghcr.io/v2/acme/base/tags/list", "", ""); strings.Contains(string(body), "sha256-") {
		t.Errorf("tags: %s", body)
	}
}

func TestOverlayOpensWhereTheRealRegistryGivesNoLogin(t *testing.T) {
	outside, _ := real(t, RegistryOptions{Auth: Auth{Scheme: "bearer", Password: "p"}})
	w := newWorld(t, Options{Base: outside, Law: anyTag})
	if _, err := remote.Head(ref(t, "ghcr.io/acme/base:3"), remote.WithTransport(w)); err == nil {
		t.Error("a private image was read without a login")
	}
	if status, _, _ := answerTo(t, w, http.MethodPost, "https://ghcr.io/v2/acme/app/blobs/uploads/", ownToken, ""); status != http.StatusAccepted {
		t.Errorf("upload: status %d", status)
	}
	nothingWritten(t, outside)
}

func TestNothingOfSigstoreLeavesAnOverlay(t *testing.T) {
	var out []string
	base := transportFunc(func(r *http.Request) (*http.Response, error) {
		out = append(out, r.URL.Host+r.URL.Path)
		return nil, errors.New("network is down")
	})
	w := newWorld(t, Options{Base: base})
	raw := signBundle(t, w, someDigest(1))
	if status := store(t, w, raw); status != http.StatusCreated {
		t.Errorf("store: status %d", status)
	}
	for _, u := range []string{
		"https://fulcio.sigstore.dev/api/v2/signingCert", "https://rekor.sigstore.dev/api/v1/log/entries", "https://timestamp.githubapp.com/api/v1/timestamp",
		"https://tuf-repo-cdn.sigstore.dev/1.root.json", "https://example.com/token",
	} {
		req, _ := http.NewRequest(http.MethodGet, u, nil)
		if resp, err := w.RoundTrip(req); err == nil || !strings.Contains(err.Error(), "refusing network access") {
			t.Errorf("%s: %v %v", u, resp, err)
		}
	}
	if len(out) != 0 {
		t.Errorf("left: %v", out)
	}
	req, _ := http.NewRequest(http.MethodGet, "https://ghcr.io/v2/", nil)
	if _, err := w.RoundTrip(req); err == nil || err.Error() != "network is down" {
		t.Errorf("ping of a registry that is down: %v", err)
	}
}

func TestMadeUpCredentialsNeverLeave(t *testing.T) {
	outside, _ := real(t, RegistryOptions{Auth: Auth{Scheme: "bearer", Password: "p", Anonymous: true}})
	w := newWorld(t, Options{Base: tapTransport{outside, func(r *http.Request) {
		if secret := r.Header.Get("Authorization"); strings.Contains(secret, defaultToken) || strings.Contains(secret, ownToken) || strings.HasPrefix(secret, "Basic") {
			t.Errorf("%s %s carries %s", r.Method, r.URL, secret)
		}
	}}})
	login := remote.WithAuth(basicLogin("x", w.Env()["GITHUB_TOKEN"]))
	if _, err := remote.Head(ref(t, "ghcr.io/acme/base:3"), remote.WithTransport(w), login); err != nil {
		t.Errorf("a public image was not read: %v", err)
	}
	answerTo(t, w, http.MethodGet, "https://api.github.com/repos/acme/app/commits/1", w.Env()["GITHUB_TOKEN"], "")
	if got := outside.Requests(); got[len(got)-1].Host != "api.github.com" {
		t.Errorf("the commit was not asked for: %+v", got)
	}
}
