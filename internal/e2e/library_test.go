//go:build e2e

package e2e

import (
	"context"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"

	"github.com/taglast/taglast/internal/identity"
	"github.com/taglast/taglast/internal/keyless"
	"github.com/taglast/taglast/internal/policy"
	"github.com/taglast/taglast/internal/store"
	"github.com/taglast/taglast/internal/trust"
)

// The library's signer and store, without the command: what it signs for a job at the real services, the store gives
// back, and gh, cosign and the library's own policy accept it.
func TestWhatTheLibrarySignsAndStoresIsAccepted(t *testing.T) {
	s, j := servers(t), release()
	transport, err := s.transport()
	if err != nil {
		t.Fatal(err)
	}
	config, err := os.ReadFile(s.signingConfig)
	if err != nil {
		t.Fatal(err)
	}
	trusted, err := os.ReadFile(s.trustedRoot)
	if err != nil {
		t.Fatal(err)
	}
	services, material, err := trust.FromFiles(config, trusted)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := identity.NewVerifier(identity.VerifierOptions{HTTP: &http.Client{Transport: transport}, Audience: "sigstore"})
	if err != nil {
		t.Fatal(err)
	}
	session := identity.NewSession(func(context.Context) (string, error) { return s.github.token(j, "sigstore") }, verifier)
	signer, err := keyless.New(keyless.Options{Services: services, HTTP: transport, Tokens: session.Token})
	if err != nil {
		t.Fatal(err)
	}
	file := write(t, t.TempDir(), "artifact", []byte(secret("")))
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	digest := digestOf(raw)
	made, err := signer.Sign(t.Context(), statement(t, provenanceType, "ghcr.io/acme/library", digest))
	if err != nil {
		t.Fatal(err)
	}

	_, token := s.github.admit(t, j)
	github, err := store.NewGitHub(store.GitHubOptions{HTTP: transport, Repository: j.Repository, Token: token})
	if err != nil {
		t.Fatal(err)
	}
	if err := github.Preflight(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := github.Put(t.Context(), made); err != nil {
		t.Fatal(err)
	}
	back, err := store.Poll(t.Context(), github, digest, provenanceType, made)
	if err != nil {
		t.Fatal(err)
	}
	consumer := policy.Consumer{Repo: j.Repository}
	consumer.Trusted = append(consumer.Trusted, material.Root)
	v, err := consumer.Check(back, "sha256", unhex(t, digest))
	if err != nil {
		t.Fatal(err)
	}
	if v.Certificate.SubjectAlternativeName != j.identity() || v.LogIndex < 0 {
		t.Errorf("the bundle proves %+v", v.Certificate)
	}
	witnessed(t, material.Root, back.Raw(), digest)
	bundleFile := write(t, t.TempDir(), "artifact.sigstore.json", back.Raw())
	if gh := s.gh(t, file, "-b", bundleFile, "-R", j.Repository); gh.code != 0 {
		t.Errorf("gh by bundle: %s", gh)
	}
	if gh := s.gh(t, file, "-R", j.Repository); gh.code != 0 {
		t.Errorf("gh through the API: %s", gh)
	}
	if c := s.cosign(t, bundleFile, j.identity(), file); c.code != 0 {
		t.Errorf("cosign: %s", c)
	}
}

// witnessed checks that every witness there can be has signed: the certificate log, the log with its time, and the
// timestamp authority. Consumers are content with less.
func witnessed(t *testing.T, trusted root.TrustedMaterial, raw []byte, digest string) {
	t.Helper()
	strict, err := verify.NewVerifier(trusted, verify.WithSignedCertificateTimestamps(1), verify.WithTransparencyLog(1),
		verify.WithIntegratedTimestamps(1), verify.WithSignedTimestamps(1))
	if err != nil {
		t.Fatal(err)
	}
	var b bundle.Bundle
	if err := b.UnmarshalJSON(raw); err != nil {
		t.Fatal(err)
	}
	if _, err := strict.Verify(&b, verify.NewPolicy(verify.WithArtifactDigest("sha256", unhex(t, digest)), verify.WithoutIdentitiesUnsafe())); err != nil {
		t.Errorf("a witness is missing: %v", err)
	}
}

// Pages of attestations are followed to the end, and bundles fetched without GitHub's credentials.
func TestTheStoreIsReadToItsLastPage(t *testing.T) {
	s, j := servers(t), release()
	transport, err := s.transport()
	if err != nil {
		t.Fatal(err)
	}
	digest := digestOf([]byte(secret("")))
	page := s.sign(t, j, statement(t, provenanceType, "ghcr.io/acme/pages", digest))
	const many = 130 // more than a page of the most that the API gives
	for range many {
		s.store(t, j, page)
	}
	_, token := s.github.admit(t, j)
	store, err := store.NewGitHub(store.GitHubOptions{HTTP: transport, Repository: j.Repository, Token: token})
	if err != nil {
		t.Fatal(err)
	}
	got, err := store.List(t.Context(), digest, provenanceType)
	if err != nil || len(got) != many {
		t.Errorf("%d of %d attestations: %v", len(got), many, err)
	}
	none, err := store.List(t.Context(), "sha256:"+strings.Repeat("0", 64), provenanceType)
	if err != nil || len(none) != 0 {
		t.Errorf("%d attestations of nothing: %v", len(none), err)
	}
	s.github.mu.Lock()
	defer s.github.mu.Unlock()
	for _, f := range s.github.faults {
		t.Error(f)
	}
}
