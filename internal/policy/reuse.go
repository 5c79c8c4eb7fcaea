package policy

import (
	"github.com/sigstore/sigstore-go/pkg/root"

	"github.com/taglast/taglast/internal/bundle"
	"github.com/taglast/taglast/internal/identity"
	"github.com/taglast/taglast/internal/provenance"
	"github.com/taglast/taglast/internal/trust"
)

// Reuse is the policy for an attestation of an earlier run: issuer, subject alternative name, workflow and its digest,
// source repository, ids, ref and sha, visibility and runner environment are those of this run; trigger and run may be
// others; its subjects include Subjects.
type Reuse struct {
	Trusted   root.TrustedMaterial
	Requires  trust.Requirements // of the instance; the zero value accepts nothing
	Claims    identity.Claims
	ServerURL string               // GITHUB_SERVER_URL; empty means https://github.com
	Subjects  []provenance.Subject // each must be in the statement; nil asks for Digest alone
	Digest    string               // what the attestation is about, sha256:hex
	// PredicateType is what the statement must have; empty means SLSA provenance v1.
	PredicateType string
}

// Check verifies b under r: as Exact.Check, but trigger, run and attempt may be others, and the statement may be
// any of r.PredicateType whose subjects include r.Subjects; a provenance must say what its own certificate says.
func (r Reuse) Check(b *bundle.Bundle) (Verified, error) {
	if err := checkClaims(r.Claims); err != nil {
		return Verified{}, err
	}
	v, err := checkOwn(b, r.Trusted, r.Requires, r.Digest, r.PredicateType)
	if err != nil {
		return Verified{}, err
	}
	server := serverURL(r.ServerURL)
	if err := firstMismatch(workflowFields(r.Claims, server, v.Certificate)); err != nil {
		return Verified{}, err
	}
	if err := matchStatement(v, r.Subjects, server); err != nil {
		return Verified{}, err
	}
	return v, nil
}
