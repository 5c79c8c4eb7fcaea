package verify

import (
	"context"

	"github.com/taglast/taglast/internal/bundle"
)

// candidate is an attestation of the digest that nobody has checked yet.
type candidate struct {
	source    string // which one, for people
	bundle    *bundle.Bundle
	url       string // as Attestation.BundleURL
	initiator string // as Attestation.Initiator
	err       error  // why it could not be read
}

// hasOtherType says that the candidate is well-formed and of another predicate type. What is not well-formed is for the policy
// to refuse.
func (c candidate) hasOtherType(predicateType string) bool {
	s, err := c.bundle.Statement()
	return err == nil && s.PredicateType != predicateType
}

// check holds the candidate to a policy, for the artifact with that sha256.
func (c candidate) check(p Policy, roots *TrustedRoots, digest []byte) (Attestation, error) {
	v, err := p.consumer(roots).Check(c.bundle, "sha256", digest)
	if err != nil {
		return Attestation{}, err
	}
	return Attestation{
		Bundle: c.bundle.Raw(), BundleURL: c.url, Initiator: c.initiator,
		PredicateType: v.PredicateType, Statement: v.Statement, Certificate: certificateOf(v.Certificate),
		Times: v.Times, LogIndex: v.LogIndex,
		summary: v.Certificate,
	}, nil
}

// fetchCandidates fetches the attestations of a digest from where the options say they are.
func (o Options) fetchCandidates(ctx context.Context, s subject) ([]candidate, error) {
	switch {
	case o.Bundle != "":
		return readBundles(o.Bundle, o.path(o.Bundle))
	case o.BundleFromOCI:
		return fromRegistry(ctx, s)
	}
	return o.fromAPI(ctx, s.digest.String())
}
