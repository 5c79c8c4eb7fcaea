package verify

import (
	"fmt"
	"time"

	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"
)

// Result is what is known of one reference.
type Result struct {
	Ref      string        // as it was given
	Digest   string        // sha256:hex; empty where the reference could not be resolved
	Verified []Attestation // those that passed
	Refused  []Refusal     // those that did not pass; there may be some beside a success, too
	Others   int           // attestations of another predicate type, which were not looked at

	otherTypes []string // of those, each once
}

// Attestation is one that passed, and what it proves.
type Attestation struct {
	Bundle    []byte // the Sigstore bundle, JSON
	BundleURL string // where it was fetched from, without credentials; empty for files and registries
	Initiator string // who GitHub says posted it; empty for files and registries

	PredicateType string
	Statement     []byte // the in-toto statement that was signed, JSON
	Certificate   Certificate
	Times         []time.Time // witnessed by log and timestamp authority, earliest first
	LogIndex      int64       // in the transparency log; −1 where no log entry with a signed time was verified

	summary certificate.Summary // for MarshalJSON, whole
}

// Certificate says who signed, as the certificate authority checked it. A field is empty where the certificate does not
// say it.
type Certificate struct {
	Identity          string // subject alternative name: of a workflow its URL with @REF
	Issuer            string // of the ID token that the certificate was given for
	SourceRepository  string // URL of the repository that the run was of
	SourceRef         string // git ref of the source
	SourceDigest      string // commit of the source
	Run               string // URL of the run and its attempt
	RunnerEnvironment string // github-hosted or self-hosted
}

// Refusal is an attestation that did not pass.
type Refusal struct {
	Source string // which one: "3 of 5 from api.github.com", "a.jsonl:2", a referrer's digest
	Err    error  // why
}

// certificateOf picks what callers need.
func certificateOf(s certificate.Summary) Certificate {
	return Certificate{
		Identity:          s.SubjectAlternativeName,
		Issuer:            s.Issuer,
		SourceRepository:  s.SourceRepositoryURI,
		SourceRef:         s.SourceRepositoryRef,
		SourceDigest:      s.SourceRepositoryDigest,
		Run:               s.RunInvocationURI,
		RunnerEnvironment: s.RunnerEnvironment,
	}
}

// verdict is nil for at least one attestation that passed. Nothing found is never a success (CVE-2025-25204).
func (r Result) verdict(predicateType string) error {
	switch {
	case len(r.Verified) > 0:
		return nil
	case len(r.Refused) > 0:
		return fmt.Errorf("%s: %s: %w: %s", printable(r.Ref), r.Digest, ErrNonePasses, countOf(len(r.Refused), "was refused", "were refused"))
	case r.Others > 0:
		return fmt.Errorf("%s: %s: %w of type %s, %s of other types", printable(r.Ref), r.Digest, ErrNoAttestation, printable(predicateType), countOf(r.Others, "is", "are"))
	}
	return fmt.Errorf("%s: %s: %w found", printable(r.Ref), r.Digest, ErrNoAttestation)
}

// countOf is n with its verb.
func countOf(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
