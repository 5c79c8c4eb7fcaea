package registry

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
)

// FuzzFollow: wherever a Location points, it is the registry's own host, or another by https that is no private address.
func FuzzFollow(f *testing.F) {
	for _, s := range []string{
		"", "/v2/acme/app/blobs/uploads/1?x=y", "uploads/1", "//evil.example/x", "https://u:p@evil.example/x#f", "http://ghcr.io/x",
		"https://10.0.0.1/x", "https://[fe80::1%25eth0]/", "https://0x7f.1/", "HTTPS://GHCR.IO:443/x", "data:text/plain,x", "https:opaque",
	} {
		f.Add(s)
	}
	repo, err := name.NewRepository("ghcr.io/acme/app")
	if err != nil {
		f.Fatal(err)
	}
	h := endpointOf(repo)
	base := &url.URL{Scheme: "https", Host: "ghcr.io", Path: "/v2/acme/app/blobs/uploads/"}
	f.Fuzz(func(t *testing.T, location string) {
		u, err := h.resolveLocation(base, location)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\r\x1b") {
				t.Errorf("%q holds control characters", err)
			}
			return
		}
		if u.Scheme != "https" || u.Host == "" || u.User != nil || u.Fragment != "" {
			t.Errorf("%q became %s", location, u)
		}
		if isPrivate(u.Host) {
			t.Errorf("%q leads to %s", location, u.Host)
		}
		if h.owns(u) && u.Host != "ghcr.io" {
			t.Errorf("%q is ours as %s", location, u.Host)
		}
	})
}

func FuzzReference(f *testing.F) {
	for _, s := range []string{"latest", "1.2.3", "sha256:" + strings.Repeat("0", 64), "a/b", "..", "a?b", "ſ", "sha256:x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := parseReference(s)
		if err != nil {
			return
		}
		u, err := url.Parse("https://ghcr.io/v2/acme/app/manifests/" + r.text)
		if err != nil || u.Path != "/v2/acme/app/manifests/"+s || u.RawQuery != "" || r.byDigest() != strings.HasPrefix(s, "sha256:") {
			t.Errorf("%q passes", s)
		}
	})
}

// FuzzManifest: a document that passes has one of the four types, and is not two things at once.
func FuzzManifest(f *testing.F) {
	f.Add([]byte(`{"schemaVersion":2,"manifests":[]}`), "application/json")
	f.Add([]byte(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{},"layers":[]}`), "application/vnd.oci.image.manifest.v1+json")
	f.Add([]byte(`{"schemaVersion":1}`), "application/vnd.docker.distribution.manifest.v1+json")
	f.Fuzz(func(t *testing.T, raw []byte, contentType string) {
		m, err := newManifest(raw, contentType)
		if err != nil {
			return
		}
		ok := false
		for _, a := range accepted {
			ok = ok || m.MediaType == a
		}
		if !ok || m.check() != nil {
			t.Errorf("%q as %q passes as %q", raw, contentType, m.MediaType)
		}
	})
}

// FuzzTagsPage: what passes for a page of tags holds tags alone, of the repository that was asked for.
func FuzzTagsPage(f *testing.F) {
	for _, s := range []string{
		`{"name":"acme/app","tags":["1.2.3","latest"]}`, `{"name":"acme/app","tags":null}`, `{"tags":[]}`, `{}`, `null`, `[]`,
		`{"name":"acme/other","tags":[]}`, `{"name":"acme/app","tags":["a b",null]}`, `{"NAME":"x","name":"acme/app","tags":[""]}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		tags, err := parseTags(raw, "acme/app")
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\r\x1b") || len(err.Error()) > 2048 {
				t.Errorf("%q is not inert", err)
			}
			return
		}
		var doc map[string]any
		if err := json.Unmarshal(raw, &doc); err != nil {
			t.Errorf("%q passes: %v", raw, err)
		}
		for _, tag := range tags {
			if r, err := parseReference(tag); err != nil || r.byDigest() {
				t.Errorf("%q passes for a tag", tag)
			}
		}
	})
}
