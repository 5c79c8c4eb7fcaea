package verify

import (
	"encoding/json"
	"time"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"
	"github.com/sigstore/sigstore-go/pkg/verify"
	"google.golang.org/protobuf/encoding/protojson"
)

// The documents of MarshalJSON.
type (
	jsonEntry struct {
		Ref          string          `json:"ref"`
		Digest       string          `json:"digest"`
		Attestation  jsonAttestation `json:"attestation"`
		Verification jsonResult      `json:"verificationResult"`
	}
	jsonAttestation struct {
		Bundle    json.RawMessage `json:"bundle"`
		BundleURL string          `json:"bundle_url"`
		Initiator string          `json:"initiator"`
	}
	jsonResult struct {
		MediaType  string          `json:"mediaType"`
		Statement  json.RawMessage `json:"statement"`
		Signature  jsonSignature   `json:"signature"`
		Timestamps []jsonTime      `json:"verifiedTimestamps"`
	}
	jsonSignature struct {
		Certificate certificate.Summary `json:"certificate"`
	}
	jsonTime struct {
		Type      string    `json:"type"`
		Timestamp time.Time `json:"timestamp"`
	}
)

// MarshalJSON writes the attestations that passed as `gh attestation verify --format json` does: an array of attestation
// and verificationResult. To each are added ref and digest, since several references may be verified at once; of gh's
// fields, verifiedIdentity (what was asked for) and the timestamps' uri are left out.
func (r Result) MarshalJSON() ([]byte, error) {
	entries := make([]jsonEntry, len(r.Verified))
	for i, a := range r.Verified {
		entries[i] = jsonEntry{
			Ref: r.Ref, Digest: r.Digest,
			Attestation: jsonAttestation{a.Bundle, a.BundleURL, a.Initiator},
			Verification: jsonResult{
				MediaType:  verify.VerificationResultMediaType01,
				Statement:  a.Statement,
				Signature:  jsonSignature{a.summary},
				Timestamps: times(a),
			},
		}
	}
	return json.Marshal(entries)
}

// times are the witnessed times; a log's are those that the bundle's log entries state.
func times(a Attestation) []jsonTime {
	logged := map[int64]bool{}
	var b protobundle.Bundle
	if protojson.Unmarshal(a.Bundle, &b) == nil {
		for _, e := range b.GetVerificationMaterial().GetTlogEntries() {
			logged[e.GetIntegratedTime()] = true
		}
	}
	out := make([]jsonTime, len(a.Times))
	for i, t := range a.Times {
		out[i] = jsonTime{"TimestampAuthority", t}
		if logged[t.Unix()] {
			out[i].Type = "Tlog"
		}
	}
	return out
}
