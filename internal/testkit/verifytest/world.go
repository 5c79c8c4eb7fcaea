// Package verifytest provides what consumers verify: images in a sandbox's registry, and bundles that this program's own
// signer signed there.
package verifytest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/taglast/taglast/internal/bounded"
	"github.com/taglast/taglast/internal/bundle"
	"github.com/taglast/taglast/internal/identity"
	"github.com/taglast/taglast/internal/keyless"
	"github.com/taglast/taglast/internal/ociref"
	"github.com/taglast/taglast/internal/provenance"
	"github.com/taglast/taglast/internal/sandbox"
	"github.com/taglast/taglast/internal/store"
	"github.com/taglast/taglast/internal/trust"
)

const (
	index      = "application/vnd.oci.image.index.v1+json"
	manifest   = "application/vnd.oci.image.manifest.v1+json"
	bundleType = "application/vnd.dev.sigstore.bundle.v0.3+json"
)

// World is a sandbox with a signer for the job that it plays.
type World struct {
	*sandbox.World
	signer *keyless.Signer
}

// New is a world in which nothing is published.
func New(t testing.TB, o sandbox.Options) *World {
	t.Helper()
	w, err := newWorld(o)
	check(t, err)
	return w
}

func newWorld(o sandbox.Options) (*World, error) {
	w, err := sandbox.New(o)
	if err != nil {
		return nil, err
	}
	services, _, err := trust.FromFiles(w.SigningConfig(), nil)
	if err != nil {
		return nil, err
	}
	verifier, err := identity.NewVerifier(identity.VerifierOptions{
		HTTP: &http.Client{Transport: w}, Issuers: services.OIDCIssuers, Audience: "sigstore",
	})
	if err != nil {
		return nil, err
	}
	session := identity.NewSession(func(ctx context.Context) (string, error) { return idToken(ctx, w) }, verifier)
	signer, err := keyless.New(keyless.Options{Services: services, HTTP: w, Tokens: session.Token})
	if err != nil {
		return nil, err
	}
	return &World{w, signer}, nil
}

// Published is a world in which ghcr.io/acme/app:1.2.3 is published with its provenance, for examples: they have no
// testing.TB.
func Published(ctx context.Context) (*World, error) {
	w, err := newWorld(sandbox.Options{})
	if err != nil {
		return nil, err
	}
	digest, _, err := w.image("1.2.3")
	if err != nil {
		return nil, err
	}
	b, err := w.sign(ctx, provenance.PredicateType, digest)
	if err != nil {
		return nil, err
	}
	return w, w.store(ctx, b)
}

func idToken(ctx context.Context, w *sandbox.World) (string, error) {
	env := w.Env()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, env["ACTIONS_ID_TOKEN_REQUEST_URL"]+"&audience=sigstore", nil)
	if err != nil {
		return "", err
	}
	req.Header.Set("Authorization", "Bearer "+env["ACTIONS_ID_TOKEN_REQUEST_TOKEN"])
	resp, err := w.RoundTrip(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	raw, err := bounded.ReadBody(resp, 1<<20)
	if err != nil {
		return "", err
	}
	var answer struct{ Value string }
	err = json.Unmarshal(raw, &answer)
	return answer.Value, err
}

// Sign gives a bundle over a statement of that type for those digests.
func (w *World) Sign(t testing.TB, predicateType string, digests ...string) []byte {
	t.Helper()
	b, err := w.sign(t.Context(), predicateType, digests...)
	check(t, err)
	return b.Raw()
}

func (w *World) sign(ctx context.Context, predicateType string, digests ...string) (*bundle.Bundle, error) {
	var subjects []string
	for _, d := range digests {
		subjects = append(subjects, fmt.Sprintf(`{"name":"ghcr.io/acme/app","digest":{"sha256":%q}}`, strings.TrimPrefix(d, "sha256:")))
	}
	return w.signer.Sign(ctx, fmt.Appendf(nil,
		`{"_type":"https://in-toto.io/Statement/v1","subject":[%s],"predicateType":%q,"predicate":{}}`, strings.Join(subjects, ","), predicateType))
}

// Store posts a bundle to the attestations of the world's repository.
func (w *World) Store(t testing.TB, raw []byte) {
	t.Helper()
	b, err := bundle.Parse(raw)
	check(t, err)
	check(t, w.store(t.Context(), b))
}

func (w *World) store(ctx context.Context, b *bundle.Bundle) error {
	env := w.Env()
	s, err := store.NewGitHub(store.GitHubOptions{
		HTTP: w, APIURL: env["GITHUB_API_URL"], Repository: env["GITHUB_REPOSITORY"], Token: env["GITHUB_TOKEN"],
	})
	if err != nil {
		return err
	}
	_, err = s.Put(ctx, b)
	return err
}

// Image puts an index of one empty image under a tag of ghcr.io/acme/app, and gives its digest and bytes.
func (w *World) Image(t testing.TB, tag string) (digest string, raw []byte) {
	t.Helper()
	digest, raw, err := w.image(tag)
	check(t, err)
	return digest, raw
}

func (w *World) image(tag string) (digest string, raw []byte, err error) {
	raw = fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":%q,"manifests":[{"mediaType":%q,"digest":%q,"size":2}],"annotations":{"tag":%q}}`,
		index, manifest, Digest([]byte("{}")), tag)
	digest, err = w.SeedManifest("ghcr.io", "acme/app", tag, index, raw)
	return digest, raw, err
}

// Refer attaches a layer to the image digest as a bundle's referrer, and lists it in the index under the tag that stands
// for the referrers API beside what is given.
func (w *World) Refer(t testing.TB, digest string, layers ...[]byte) {
	t.Helper()
	var listed []string
	for _, layer := range layers {
		blob, err := w.SeedBlob("ghcr.io", "acme/app", layer)
		check(t, err)
		raw := fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":%q,"artifactType":%q,`+
			`"config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":%q,"size":2},`+
			`"layers":[{"mediaType":%q,"digest":%q,"size":%d}],"subject":{"mediaType":%q,"digest":%q,"size":1}}`,
			manifest, bundleType, Digest([]byte("{}")), bundleType, blob, len(layer), index, digest)
		referrer, err := w.SeedManifest("ghcr.io", "acme/app", "", manifest, raw)
		check(t, err)
		listed = append(listed, fmt.Sprintf(`{"mediaType":%q,"artifactType":%q,"digest":%q,"size":%d}`, manifest, bundleType, referrer, len(raw)))
	}
	raw := fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":%q,"manifests":[%s]}`, index, strings.Join(listed, ","))
	_, err := w.SeedManifest("ghcr.io", "acme/app", strings.Replace(digest, ":", "-", 1), index, raw)
	check(t, err)
}

// Digest is sha256:hex of content.
func Digest(content []byte) string { return ociref.Sum(content).String() }

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
