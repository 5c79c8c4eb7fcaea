package sandbox

import (
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/verify"

	"github.com/taglast/taglast/internal/ociref"
)

// Tag is a tag that somebody wants to write.
type Tag struct {
	Host, Repository, Tag string
	Digest                string // of the manifest that it shall name
	MediaType             string
}

// String is the reference: host/repository:tag.
func (t Tag) String() string { return t.Host + "/" + t.Repository + ":" + t.Tag }

// Violation is a tag that was refused, and why.
type Violation struct {
	Tag Tag
	Err error
}

// law remembers what it has seen proved: an attestation cannot be taken back.
type law struct {
	world *World

	mu              sync.Mutex
	attestedDigests map[string]bool
	verified        sync.Map // verification of a bundle → true
	release         []string
	violations      []Violation
}

func newLaw(w *World) *law { return &law{world: w, attestedDigests: map[string]bool{}} }

// check decides on a tag; every registry of the world calls it before it writes one.
func (l *law) check(t Tag) error {
	rule := l.world.options.Law
	if rule == nil {
		rule = l.world.checkLaw
	}
	err := rule(t)
	if err != nil {
		l.mu.Lock()
		l.violations = append(l.violations, Violation{Tag: t, Err: err})
		l.mu.Unlock()
	}
	return err
}

// checkLaw is the law of this project: no tag names a digest that is not attested. The store of attestations, or the
// repository's own referrers, must hold a bundle for that very digest that verifies under the world's trusted root, signed
// by the job's workflow: with certificate timestamp, log entry and observed time where the repository is public, with a
// timestamp where it is not. Where a release was set, all its digests must be attested before the first tag.
func (w *World) checkLaw(t Tag) error {
	if err := w.law.findProof(t, t.Digest); err != nil {
		return fmt.Errorf("%s would name %s: %w", t, t.Digest, err)
	}
	w.law.mu.Lock()
	release := w.law.release
	w.law.mu.Unlock()
	for _, digest := range release {
		if err := w.law.findProof(t, digest); err != nil {
			return fmt.Errorf("%s would be written before %s of the same release: %w", t, digest, err)
		}
	}
	return nil
}

// SetRelease sets the barrier: digests that must all be attested before the first tag.
func (w *World) SetRelease(digests ...string) {
	w.law.mu.Lock()
	defer w.law.mu.Unlock()
	w.law.release = digests
}

// Violations are the tags that were refused so far.
func (w *World) Violations() []Violation {
	w.law.mu.Lock()
	defer w.law.mu.Unlock()
	return append([]Violation(nil), w.law.violations...)
}

// findProof looks for a bundle that proves the digest.
func (l *law) findProof(t Tag, digest string) error {
	l.mu.Lock()
	known := l.attestedDigests[digest]
	l.mu.Unlock()
	if known {
		return nil
	}
	bundles := l.world.bundles(t, digest)
	if len(bundles) == 0 {
		return errors.New("no attestation")
	}
	var all []error
	for _, raw := range bundles {
		err := l.world.verify(raw, digest)
		if err == nil {
			l.mu.Lock()
			l.attestedDigests[digest] = true
			l.mu.Unlock()
			return nil
		}
		all = append(all, err)
	}
	return fmt.Errorf("no attestation that verifies: %w", errors.Join(all...))
}

// bundles are all that the world holds for a digest.
func (w *World) bundles(t Tag, digest string) [][]byte {
	var out [][]byte
	w.api.mu.Lock()
	for _, s := range w.api.records {
		for _, d := range s.digests {
			if d == digest {
				out = append(out, s.bundle)
			}
		}
	}
	w.api.mu.Unlock()
	if g, ok := w.existing(t.Host); ok {
		out = append(out, g.bundles(t.Repository, digest)...)
	}
	return out
}

// bundles are those that a repository's referrers hold.
func (g *registry) bundles(repo, digest string) [][]byte {
	var out [][]byte
	for _, m := range g.referrers(repo, digest) {
		if !strings.HasPrefix(m.content.ArtifactType, "application/vnd.dev.sigstore.bundle") || len(m.content.Layers) == 0 {
			continue
		}
		if b, ok := g.blob(repo, m.content.Layers[0].Digest); ok && b.hasContent {
			out = append(out, b.data)
		}
	}
	return out
}

// verify is verifyAnew, once for the same bundle, digest and identity: what has passed passes for ever, because a bundle is
// judged at the times that it witnesses.
func (w *World) verify(raw []byte, digest string) error {
	job := w.Identity()
	key := verifiedBundle{sha256.Sum256(raw), digest, job.JobWorkflowRef, job.RepositoryVisibility}
	if _, ok := w.law.verified.Load(key); ok {
		return nil
	}
	if err := w.verifyAnew(raw, digest, job); err != nil {
		return err
	}
	w.law.verified.Store(key, true)
	return nil
}

// verifiedBundle is what decides whether a bundle passes.
type verifiedBundle struct {
	bundle             [sha256.Size]byte
	digest             string
	signer, visibility string
}

// verifyAnew is a consumer's whole check of a bundle, with sigstore-go's own verifier.
func (w *World) verifyAnew(raw []byte, digest string, job Identity) error {
	var b bundle.Bundle
	if err := b.UnmarshalJSON(raw); err != nil {
		return fmt.Errorf("parse the bundle: %w", err)
	}
	needs := []verify.VerifierOption{verify.WithSignedTimestamps(1)}
	if job.RepositoryVisibility == "public" {
		needs = []verify.VerifierOption{
			verify.WithSignedCertificateTimestamps(1), verify.WithTransparencyLog(1), verify.WithObserverTimestamps(1),
		}
	}
	verifier, err := verify.NewVerifier(w.trusted, needs...)
	if err != nil {
		return fmt.Errorf("open the verifier: %w", err)
	}
	san := w.options.ServerURL + "/" + job.JobWorkflowRef
	identity, err := verify.NewShortCertificateIdentity(w.urls.issuer, "", san, "")
	if err != nil {
		return fmt.Errorf("identity: %w", err)
	}
	hash, err := ociref.DigestBytes(digest)
	if err != nil {
		return err
	}
	if leaf, err := x509.ParseCertificate(b.GetVerificationMaterial().GetCertificate().GetRawBytes()); err != nil || len(leaf.URIs) != 1 {
		return errors.New("the bundle has no certificate of a workflow")
	}
	_, err = verifier.Verify(&b, verify.NewPolicy(verify.WithArtifactDigest("sha256", hash), verify.WithCertificateIdentity(identity)))
	return err
}
