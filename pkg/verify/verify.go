// Package verify checks an image, a file or an OCI layout as its consumer: it takes a reference, finds its digest,
// fetches the attestations of that digest, and holds them to a policy, as `gh attestation verify` does.
//
//	result, err := verify.Verify(ctx, "ghcr.io/acme/app:1.2.3", verify.Options{
//		Policy: verify.Policy{Repo: "acme/app"},
//	})
//
// The policy must say whom to trust; everything else has a default: the network, anonymous access to registries and to
// GitHub, and the trusted roots of Sigstore's public-good instance and of GitHub, fetched by TUF. Messages call the
// options by the names of the command's flags.
//
// Result.Digest is what was verified. A tag may name something else a moment later: use the digest from then on.
package verify

import (
	"context"
	"fmt"
	"slices"

	"github.com/taglast/taglast/internal/hint"
	"github.com/taglast/taglast/internal/ociref"
)

// Verify finds ref's digest and its attestations. ref is an image reference, with or without oci://, or the path of a
// file or an OCI layout where it begins with ./ ../ or /, or exists under that name. One attestation that passes is
// enough: then the error is nil. The error wraps ErrNoAttestation where there is none of the predicate type,
// ErrNonePasses where there are some, ErrUsage where options or ref are wrong; the Result tells what is known in any
// case. Hint says what may help.
func Verify(ctx context.Context, ref string, o Options) (Result, error) {
	r := Result{Ref: ref}
	o = o.withDefaults()
	if err := o.check(); err != nil {
		return r, err
	}
	o, disconnect := o.connect()
	defer disconnect()
	subject, err := o.resolve(ctx, ref)
	if err != nil {
		return r, err
	}
	r.Digest = subject.digest.String()
	candidates, err := o.fetchCandidates(ctx, subject)
	if err != nil {
		return r, fmt.Errorf("%s: %w", printable(ref), err)
	}
	digest, err := ociref.DigestBytes(r.Digest)
	if err != nil {
		return r, err
	}
	missing, err := o.checkCandidates(ctx, &r, candidates, digest)
	if err != nil {
		return r, err
	}
	err = r.verdict(o.Policy.predicateType())
	if err != nil && missing != nil {
		err = fmt.Errorf("%w; %w", err, missing)
	}
	return r, hint.With(err, o.advice(r))
}

// checkCandidates sorts the candidates into those that pass, those that do not, and those of another predicate type. Trusted roots
// are fetched when the first candidate needs them; missing says which of them could not be had while another was. err
// ends the verification.
func (o Options) checkCandidates(ctx context.Context, r *Result, candidates []candidate, digest []byte) (missing, err error) {
	for _, c := range candidates {
		if ctx.Err() != nil {
			return missing, context.Cause(ctx)
		}
		if c.err == nil && c.hasOtherType(o.Policy.predicateType()) {
			r.Others++
			if t := c.bundle.PredicateType(); !slices.Contains(r.otherTypes, t) {
				r.otherTypes = append(r.otherTypes, t)
			}
			continue
		}
		if c.err == nil && o.Roots == nil {
			if o.Roots, missing = FetchTrustedRoots(ctx, o); o.Roots == nil {
				return nil, missing
			}
		}
		if c.err == nil {
			var a Attestation
			if a, c.err = c.check(o.Policy, o.Roots, digest); c.err == nil {
				r.Verified = append(r.Verified, a)
				continue
			}
		}
		r.Refused = append(r.Refused, Refusal{Source: c.source, Err: c.err})
	}
	return missing, nil
}
