package policy_test

import (
	"errors"
	"testing"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"

	"github.com/taglast/taglast/internal/policy"
	"github.com/taglast/taglast/internal/sandbox"
	"github.com/taglast/taglast/internal/trust"
)

// everything is what bundles of the public-good instance carry.
var everything = trust.PublicGood(trust.Services{}, trust.Material{}).Requires

// TestEachRequiredWitnessMustBeThere takes the witnesses away one by one: whoever requires it refuses, and whoever does
// not accepts.
func TestEachRequiredWitnessMustBeThere(t *testing.T) {
	for _, c := range []struct {
		name    string
		change  func(*signed)
		without trust.Requirements // what such a bundle still satisfies
	}{
		{"no SCT", func(s *signed) { s.exact.Trusted = withoutCTLogs(t, s.w) }, trust.Requirements{Log: true, IntegratedTime: true, Timestamp: true}},
		{"no log entry", func(s *signed) { s.bundle.VerificationMaterial.TlogEntries = nil }, trust.Requirements{SCT: true, Timestamp: true}},
		{"no integrated time", func(s *signed) {
			s.bundle.VerificationMaterial.TlogEntries[0].InclusionPromise = nil
		}, trust.Requirements{SCT: true, Log: true, Timestamp: true}},
		{"no timestamp", func(s *signed) {
			s.bundle.VerificationMaterial.TimestampVerificationData = &protobundle.TimestampVerificationData{}
		}, trust.Requirements{SCT: true, Log: true, IntegratedTime: true}},
		{"neither SCT nor log entry", func(s *signed) {
			s.exact.Trusted = withoutCTLogs(t, s.w)
			s.bundle.VerificationMaterial.TlogEntries = nil
		}, trust.Requirements{Timestamp: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSigned(t, sandbox.Identity{})
			c.change(&s)
			b := parsed(t, s.bundle)
			for _, requires := range []trust.Requirements{everything, c.without} {
				s.exact.Requires = requires
				reuse := policy.Reuse{Trusted: s.exact.Trusted, Requires: requires, Claims: s.exact.Claims, ServerURL: server, Digest: digestA}
				_, exactErr := s.exact.Check(b)
				_, reuseErr := reuse.Check(b)
				for _, err := range []error{exactErr, reuseErr} {
					if requires == c.without && err != nil || requires == everything && !errors.Is(err, policy.ErrUntrusted) {
						t.Errorf("under %+v: %v", requires, err)
					}
				}
			}
		})
	}
}

func TestAPolicyWithoutAWitnessedTimeAcceptsNothing(t *testing.T) {
	s := newSigned(t, sandbox.Identity{})
	b := parsed(t, s.bundle)
	for _, requires := range []trust.Requirements{{}, {SCT: true, Log: true}} {
		s.exact.Requires = requires
		if _, err := s.exact.Check(b); err == nil {
			t.Errorf("%+v: accepted", requires)
		}
	}
}
