package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"

	"github.com/taglast/taglast/internal/escape"
)

// ErrUntrusted is wrapped by every error about a signature, certificate, log entry or time that does not verify.
var ErrUntrusted = errors.New("bundle does not verify")

// check verifies b against trusted: log, times, certificate, signature, subject digest, as sigstore-go does under
// options. The identity is left to the caller: san, where set, is a Go regular expression that the certificate's
// subject alternative name must match.
func check(b *bundle.Bundle, trusted root.TrustedMaterial, san string, alg string, digest []byte, options ...verify.VerifierOption) (v Verified, err error) {
	defer func() {
		if err != nil {
			v, err = Verified{}, fmt.Errorf("%w: %w", ErrUntrusted, err)
		}
	}()
	defer noPanic(&err)
	if trusted == nil {
		return Verified{}, errors.New("no trusted root")
	}
	// The statement is read by our own parser: the library would build a tree of a predicate that may be large.
	verifier, err := verify.NewVerifier(trusted, append(options, verify.WithoutStatementPredicate())...)
	if err != nil {
		return Verified{}, err
	}
	// Any issuer passes here; callers compare it themselves, as gh does.
	identity, err := verify.NewShortCertificateIdentity("", ".*", "", san)
	if err != nil {
		return Verified{}, err
	}
	result, err := verifier.Verify(b, verify.NewPolicy(
		verify.WithArtifactDigest(alg, digest), verify.WithCertificateIdentity(identity)))
	if err != nil {
		return Verified{}, errors.New(escape.Text(err.Error()))
	}
	payload := b.GetDsseEnvelope().GetPayload()
	s, err := parseStatement(payload)
	if err != nil {
		return Verified{}, err
	}
	return Verified{
		Certificate:   *result.Signature.Certificate,
		Subjects:      s.subjects,
		PredicateType: s.predicateType,
		Predicate:     s.predicate,
		Times:         times(result.VerifiedTimestamps),
		LogIndex:      logIndex(b),
		Statement:     payload,
	}, nil
}

// times are the witnessed times, each once, earliest first.
func times(stamps []verify.TimestampVerificationResult) []time.Time {
	var out []time.Time
	for _, s := range stamps {
		t := s.Timestamp.UTC()
		if !slices.ContainsFunc(out, t.Equal) {
			out = append(out, t)
		}
	}
	slices.SortFunc(out, time.Time.Compare)
	return out
}

func logIndex(b *bundle.Bundle) int64 {
	entries := b.GetVerificationMaterial().GetTlogEntries()
	if len(entries) == 0 {
		return -1
	}
	return entries[0].GetLogIndex()
}

// leafIssuer is the organisation that issued the signing certificate; exactly one must be named.
func leafIssuer(b *bundle.Bundle) (string, error) {
	content, err := b.VerificationContent()
	if err != nil {
		return "", errors.New(escape.Text(err.Error()))
	}
	orgs := content.Certificate().Issuer.Organization
	if len(orgs) != 1 {
		return "", fmt.Errorf("the certificate's issuer names %d organisations (%s), not one", len(orgs), escape.Text(strings.Join(orgs, ", ")))
	}
	return orgs[0], nil
}
