package policy

import (
	"slices"

	"github.com/sigstore/sigstore-go/pkg/root"

	"github.com/taglast/taglast/internal/bundle"
	"github.com/taglast/taglast/internal/identity"
	"github.com/taglast/taglast/internal/provenance"
)

// Reuse is the policy for an attestation of an earlier run: issuer, SAN, workflow and its digest, source repository, ids,
// ref and sha, visibility and runner environment are ours; the run may be another; its subjects include ours.
type Reuse struct {
	Trusted   root.TrustedMaterial
	Claims    identity.Claims
	ServerURL string
	Subjects  []provenance.Subject
	Digest    string
}

// Check verifies b under r: as Exact.Check, but trigger, run and attempt may be others, and the statement may be
// any whose subjects include r.Subjects and whose provenance says what its own certificate says.
func (r Reuse) Check(b *bundle.Bundle) (Verified, error) {
	if err := complete(r.Claims); err != nil {
		return Verified{}, err
	}
	v, err := checkOwn(b, r.Trusted, r.Digest)
	if err != nil {
		return Verified{}, err
	}
	server := serverURL(r.ServerURL)
	if err := equal(workflowFields(r.Claims, server, v.Certificate)); err != nil {
		return Verified{}, err
	}
	for _, s := range r.Subjects {
		if !slices.Contains(v.Subjects, s) {
			return Verified{}, &MismatchError{Field: "statement subject", Want: s.Name + "@" + s.Digest}
		}
	}
	if err := matchPredicate(v.Predicate, v.Certificate, server); err != nil {
		return Verified{}, err
	}
	return v, nil
}
