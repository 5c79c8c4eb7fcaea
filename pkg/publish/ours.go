package publish

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/taglast/taglast/internal/ociref"
	"github.com/taglast/taglast/internal/policy"
	"github.com/taglast/taglast/internal/provenance"
)

// reusePolicy is what an attestation of an earlier run must prove to stand for this one.
func (r *run) reusePolicy(subjects []provenance.Subject, digest string) policy.Reuse {
	return policy.Reuse{
		Trusted: r.trusted.Instance.Roots.Root, Requires: r.trusted.Instance.Requires, Claims: r.claims, ServerURL: r.serverURL,
		Subjects: subjects, Digest: digest,
	}
}

// isReusable says whether a store holds, for digest in repo, an attestation that passes the reuse policy.
func (r *run) isReusable(ctx context.Context, repo name.Repository, digest string) (bool, error) {
	reuse := r.reusePolicy(provenance.Subjects([]string{ociref.DisplayName(repo)}, digest, nil), digest)
	for _, s := range r.stores {
		listed, err := s.List(ctx, digest, provenance.PredicateType)
		if err != nil && len(listed) == 0 {
			return false, fmt.Errorf("list the attestations of %s in store %s: %w", digest, s.Name(), err)
		}
		for _, stored := range listed {
			if _, err := reuse.Check(stored.Bundle); err == nil {
				return true, nil
			}
		}
	}
	return false, nil
}

// ours are the attestations of a digest that a workflow of this repository made, whoever asks for them by one policy. An
// error stands beside what could be read.
func (r *run) ours(ctx context.Context, digest string) ([]policy.Verified, error) {
	raw, err := ociref.DigestBytes(digest)
	if err != nil {
		return nil, err
	}
	consumer := policy.Ours(r.claims, r.serverURL, r.trusted.Instance.Roots.Root)
	var found []policy.Verified
	var failed []error
	for _, s := range r.stores {
		listed, err := s.List(ctx, digest, provenance.PredicateType)
		failed = append(failed, err)
		for _, stored := range listed {
			if v, err := consumer.Check(stored.Bundle, "sha256", raw); err == nil {
				found = append(found, v)
			}
		}
	}
	return found, errors.Join(failed...)
}

// describeThere says of a published digest what its attestation tells: for an error's text, so that a failure to look is
// told as what it is.
func (r *run) describeThere(ctx context.Context, digest string) string {
	switch found, err := r.ours(ctx, digest); {
	case len(found) > 0:
		return fmt.Sprintf("there  %s  attested by %s", digest, signedBy(found[0]))
	case err != nil:
		return fmt.Sprintf("there  %s  its attestation could not be read", digest)
	default:
		return fmt.Sprintf("there  %s  not attested by %s", digest, r.claims.Repository)
	}
}

// signedBy tells who signed, where and when: `acme/hello release.yml at 4be91c0, 12 Nov 2026, run 11593512252`.
func signedBy(v policy.Verified) string {
	c := v.Certificate
	repository := strings.TrimPrefix(c.SourceRepositoryURI, "https://github.com/")
	workflow, _, _ := strings.Cut(c.BuildConfigURI, "@")
	when := ""
	if len(v.Times) > 0 {
		when = ", " + v.Times[0].UTC().Format("2 Jan 2006")
	}
	run := strings.TrimPrefix(c.RunInvocationURI, c.SourceRepositoryURI+"/actions/runs/")
	run, _, _ = strings.Cut(run, "/")
	return fmt.Sprintf("%s %s at %.7s%s, run %s", repository, path.Base(workflow), c.SourceRepositoryDigest, when, run)
}
