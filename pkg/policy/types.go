// Package policy decides whether a Sigstore bundle is good: for a consumer as `gh attestation verify` would, for reuse
// by a later run, and exactly for this run. It touches no network.
package policy

import (
	"encoding/json"
	"time"

	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"
	"github.com/sigstore/sigstore-go/pkg/root"

	"github.com/taglast/taglast/pkg/identity"
	"github.com/taglast/taglast/pkg/provenance"
)

// MaxBundle is the largest bundle that is parsed: 16 MiB.
const MaxBundle = 16 << 20

// Verified is what a bundle proved.
type Verified struct {
	Certificate   certificate.Summary
	Subjects      []provenance.Subject
	PredicateType string
	Predicate     json.RawMessage
	Times         []time.Time // witnessed: log and timestamp authority, earliest first
	LogIndex      int64       // −1 where there is no log entry
	Statement     []byte      // the DSSE payload
}

// Exact is the policy of this run: every field must hold.
type Exact struct {
	Trusted   root.TrustedMaterial
	Claims    identity.Claims
	ServerURL string
	Statement []byte // what this run signed: compared whole, byte for byte
	Digest    string // the root's, sha256:hex
}

// Check verifies bundle under e.
func (e Exact) Check(bundle []byte) (Verified, error) { panic("skeleton") }

// Reuse is the policy for an attestation of an earlier run: issuer, SAN, workflow and its digest, source repository, ids,
// ref and sha, visibility and runner environment are ours; the run may be another; its subjects include ours.
type Reuse struct {
	Trusted   root.TrustedMaterial
	Claims    identity.Claims
	ServerURL string
	Subjects  []provenance.Subject
	Digest    string
}

// Check verifies bundle under r.
func (r Reuse) Check(bundle []byte) (Verified, error) { panic("skeleton") }
