// Package policy decides whether a Sigstore bundle is good: for a consumer as `gh attestation verify` would, for reuse
// by a later run, and exactly for this run. It touches no network.
//
// All three verify the bundle's signature, certificate, log entry and times with sigstore-go, and compare afterwards:
// the certificate with what is expected, the statement with the certificate. What a workflow claims of itself in a
// predicate is believed only where the certificate says the same.
package policy

import (
	"encoding/json"
	"time"

	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"

	"github.com/taglast/taglast/internal/provenance"
)

// Verified is what a bundle proved.
type Verified struct {
	Certificate   certificate.Summary
	Subjects      []provenance.Subject // one for each digest of each subject, the digest as algorithm:hex
	PredicateType string
	Predicate     json.RawMessage
	Times         []time.Time // witnessed by log and timestamp authority, earliest first
	LogIndex      int64       // −1 where no log entry with a signed time was verified
	Statement     []byte      // the DSSE payload
}
