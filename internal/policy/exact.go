package policy

import (
	"bytes"
	"errors"
	"slices"

	sigstore "github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"

	"github.com/taglast/taglast/internal/bundle"
	"github.com/taglast/taglast/internal/identity"
	"github.com/taglast/taglast/internal/ociref"
	"github.com/taglast/taglast/internal/provenance"
	"github.com/taglast/taglast/internal/trust"
)

// Exact is the policy of this run: every field must hold.
type Exact struct {
	Trusted   root.TrustedMaterial
	Requires  trust.Requirements // of the instance; the zero value accepts nothing
	Claims    identity.Claims
	ServerURL string // GITHUB_SERVER_URL; empty means https://github.com
	Statement []byte // what this run signed: compared whole, byte for byte
	Digest    string // what the attestation is about, sha256:hex
	// PredicateType is what the statement must have; empty means SLSA provenance v1.
	PredicateType string
	Subjects      []provenance.Subject // each must be in the statement; nil asks for Digest alone
}

// Check verifies b under e: media type v0.3; the witnesses that Requires asks for and every timestamp that is there, all
// under Trusted; subject alternative name, issuer and extensions .8 to .22 equal to the claims; the payload equal to
// Statement; Digest and Subjects among its subjects; the predicate type that is asked for, and where that is SLSA
// provenance v1, a predicate that says what the certificate says. The error names the first field that differs
// (MismatchError).
func (e Exact) Check(b *bundle.Bundle) (Verified, error) {
	if err := checkClaims(e.Claims); err != nil {
		return Verified{}, err
	}
	if len(e.Statement) == 0 {
		return Verified{}, errors.New("exact policy without a statement")
	}
	v, err := checkOwn(b, e.Trusted, e.Requires, e.Digest, e.PredicateType)
	if err != nil {
		return Verified{}, err
	}
	server := serverURL(e.ServerURL)
	if err := firstMismatch(append(workflowFields(e.Claims, server, v.Certificate), runFields(e.Claims, server, v.Certificate)...)); err != nil {
		return Verified{}, err
	}
	if !bytes.Equal(v.Statement, e.Statement) {
		return Verified{}, errors.New("statement: not the one that this run signed")
	}
	if err := matchStatement(v, e.Subjects, server); err != nil {
		return Verified{}, err
	}
	return v, nil
}

// matchStatement checks that all subjects are in the statement, and that a provenance says what its certificate says. A
// predicate of another type has nothing that a certificate could be compared with.
func matchStatement(v Verified, subjects []provenance.Subject, server string) error {
	for _, s := range subjects {
		if !slices.Contains(v.Subjects, s) {
			return &MismatchError{Field: "statement subject", Want: s.Name + "@" + s.Digest}
		}
	}
	if v.PredicateType != provenance.PredicateType {
		return nil
	}
	return matchPredicate(v.Predicate, v.Certificate, server)
}

// checkOwn verifies a bundle of the kind that taglast makes on an instance, whose statement has that predicate
// type; empty means SLSA provenance v1.
func checkOwn(b *bundle.Bundle, trusted root.TrustedMaterial, requires trust.Requirements, digest, predicateType string) (Verified, error) {
	entity, err := b.Verifiable()
	if err != nil {
		return Verified{}, err
	}
	if got := entity.GetMediaType(); got != bundle.MediaType {
		return Verified{}, &MismatchError{Field: "bundle media type", Want: bundle.MediaType, Got: got}
	}
	want, err := ociref.DigestBytes(digest)
	if err != nil {
		return Verified{}, err
	}
	if !requires.NeedsTime() {
		return Verified{}, errors.New("policy of an instance whose bundles need no witnessed time")
	}
	v, err := verifyBundle(b, trusted, "sha256", want, instanceOptions(entity, requires)...)
	if err != nil {
		return Verified{}, err
	}
	if s, err := b.Statement(); err != nil || s.Type != provenance.StatementType {
		return Verified{}, &MismatchError{Field: "statement type", Want: provenance.StatementType, Got: s.Type}
	}
	if predicateType == "" {
		predicateType = provenance.PredicateType
	}
	if v.PredicateType != predicateType {
		return Verified{}, &MismatchError{Field: "predicate type", Want: predicateType, Got: v.PredicateType}
	}
	return v, nil
}

// instanceOptions asks for what an instance's bundles must carry, and for as many verified timestamps as the bundle has.
func instanceOptions(b *sigstore.Bundle, requires trust.Requirements) []verify.VerifierOption {
	var options []verify.VerifierOption
	if requires.SCT {
		options = append(options, verify.WithSignedCertificateTimestamps(1))
	}
	if requires.Log || requires.IntegratedTime {
		options = append(options, verify.WithTransparencyLog(1))
	}
	if requires.IntegratedTime {
		options = append(options, verify.WithIntegratedTimestamps(1))
	}
	timestamps := len(b.GetVerificationMaterial().GetTimestampVerificationData().GetRfc3161Timestamps())
	if requires.Timestamp {
		timestamps = max(timestamps, 1)
	}
	if timestamps > 0 {
		options = append(options, verify.WithSignedTimestamps(timestamps))
	}
	return options
}
