package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	sigstore "github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"

	"github.com/taglast/taglast/internal/bundle"
	"github.com/taglast/taglast/internal/escape"
)

// ErrUntrusted is wrapped by every error about a signature, certificate, log entry or time that does not verify.
var ErrUntrusted = errors.New("bundle does not verify")

// verifyBundle verifies b against trusted: log, times, certificate, signature, subject digest, as sigstore-go does under
// options. It does not look at whose certificate it is: callers compare that.
func verifyBundle(b *bundle.Bundle, trusted root.TrustedMaterial, alg string, digest []byte, options ...verify.VerifierOption) (v Verified, err error) {
	entity, err := b.Verifiable()
	if err != nil {
		return Verified{}, err
	}
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
	// Any identity passes here, but there must be a certificate: a public key has none.
	identity, err := verify.NewShortCertificateIdentity("", ".*", "", ".*")
	if err != nil {
		return Verified{}, err
	}
	result, err := verifier.Verify(entity, verify.NewPolicy(
		verify.WithArtifactDigest(alg, digest), verify.WithCertificateIdentity(identity)))
	if err != nil {
		return Verified{}, errors.New(escape.Text(err.Error()))
	}
	s, err := b.Statement()
	if err != nil {
		return Verified{}, err
	}
	return Verified{
		Certificate:   *result.Signature.Certificate,
		Subjects:      s.Subjects,
		PredicateType: s.PredicateType,
		Predicate:     s.Predicate,
		Times:         witnessedTimes(result.VerifiedTimestamps),
		LogIndex:      logIndex(entity, result.VerifiedTimestamps),
		Statement:     s.Raw,
	}, nil
}

// witnessedTimes returns the times that were verified, each once, earliest first.
func witnessedTimes(stamps []verify.TimestampVerificationResult) []time.Time {
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

// logIndex returns the index of the log entry whose signed time was verified, and −1 where none was: an entry that was
// not verified proves nothing, and its index proves nothing.
func logIndex(b *sigstore.Bundle, stamps []verify.TimestampVerificationResult) int64 {
	for _, s := range stamps {
		for _, e := range b.GetVerificationMaterial().GetTlogEntries() {
			if s.Type == "Tlog" && e.GetIntegratedTime() == s.Timestamp.Unix() {
				return e.GetLogIndex()
			}
		}
	}
	return -1
}

// leafIssuer returns the organisation that issued the signing certificate, which must name exactly one.
func leafIssuer(b *sigstore.Bundle) (string, error) {
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

// noPanic is deferred where a library reads foreign bytes: it turns a panic into the error of a bundle that does not
// verify.
func noPanic(err *error) {
	if r := recover(); r != nil {
		*err = errors.New("malformed: the reader gave up on it")
	}
}
