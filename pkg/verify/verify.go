// Package verify is the other side of a release: it takes a reference, finds its digest, fetches the attestations of
// that digest, and holds them to a consumer's policy, as `gh attestation verify` does.
package verify

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"

	"github.com/taglast/taglast/internal/hint"
	"github.com/taglast/taglast/internal/policy"
	"github.com/taglast/taglast/internal/retry"
)

// Bounds of Options.Limit, as gh has them.
const (
	DefaultLimit = 30
	MaxLimit     = 1000
)

const defaultBudget = time.Minute // somebody is waiting at a terminal

// Why nothing passed, for errors.Is. Errors about the options themselves wrap policy.ErrUsage.
var (
	ErrNoAttestation = errors.New("no attestation")
	ErrNonePasses    = errors.New("no attestation passes")
)

// Options say whom to trust and where attestations are.
type Options struct {
	HTTP     http.RoundTripper // never nil
	Keychain authn.Keychain    // for registries; nil is anonymous
	Policy   policy.Consumer   // with trusted roots

	Dir string // what relative paths are relative to; empty: the process's own directory

	// Bundles come from GitHub's API, unless one of these is set.
	Bundle        string // a file: one bundle (.json) or one a line (.jsonl)
	BundleFromOCI bool   // the registry, as referrers of the image

	APIURL string // of GitHub's API; empty: the one of Policy.Hostname
	Token  string // for GitHub's API alone; a secret; may be empty
	Limit  int    // attestations taken from GitHub's API; zero means 30

	Retry     retry.Policy // a zero budget means one minute
	UserAgent string
}

// Result is what was found out about one reference.
type Result struct {
	Ref      string // as it was given
	Digest   string // sha256:hex
	Verified []Attestation
	Refused  []Refusal // what did not pass; not empty beside a success, too
	Others   int       // attestations of another predicate type, not looked at
}

// Attestation is one that passed.
type Attestation struct {
	Bundle    []byte
	BundleURL string // where it was fetched from, without credentials; empty for files and registries
	Initiator string // who GitHub says posted it; empty for files and registries
	Verified  policy.Verified
}

// Refusal is an attestation that did not pass.
type Refusal struct {
	Source string // which one: "3 of 5 from api.github.com", "a.jsonl:2", a referrer's digest
	Err    error
}

// Verify finds ref's digest and its attestations. One that passes is enough: then the error is nil. The error wraps
// ErrNoAttestation where there is none of the predicate type, ErrNonePasses where there are some; the Result tells what
// is known in either case.
func Verify(ctx context.Context, o Options, ref string) (Result, error) {
	r := Result{Ref: ref}
	o = o.withDefaults()
	if err := o.check(); err != nil {
		return r, err
	}
	subject, err := o.resolve(ctx, ref)
	if err != nil {
		return r, err
	}
	r.Digest = subject.digest.String()
	found, err := o.find(ctx, subject)
	if err != nil {
		return r, fmt.Errorf("%s: %w", shown(ref), err)
	}
	raw, err := digestBytes(subject.digest)
	if err != nil {
		return r, err
	}
	for _, c := range found {
		if err := ctx.Err(); err != nil {
			return r, context.Cause(ctx)
		}
		if c.err == nil && c.other(o.predicateType()) {
			r.Others++
			continue
		}
		if c.err == nil {
			var v policy.Verified
			if v, c.err = o.Policy.Check(c.bundle, "sha256", raw); c.err == nil {
				r.Verified = append(r.Verified, Attestation{c.bundle.Raw(), c.url, c.initiator, v})
				continue
			}
		}
		r.Refused = append(r.Refused, Refusal{c.source, c.err})
	}
	return r, hint.With(r.verdict(o.predicateType()), o.advice(r))
}

// verdict is nil for at least one attestation that passed. Nothing found is never a success (CVE-2025-25204).
func (r Result) verdict(predicateType string) error {
	switch {
	case len(r.Verified) > 0:
		return nil
	case len(r.Refused) > 0:
		return fmt.Errorf("%s: %s: %w: %s", shown(r.Ref), r.Digest, ErrNonePasses, counted(len(r.Refused), "was refused", "were refused"))
	case r.Others > 0:
		return fmt.Errorf("%s: %s: %w of type %s, %s of other types", shown(r.Ref), r.Digest, ErrNoAttestation, shown(predicateType), counted(r.Others, "is", "are"))
	}
	return fmt.Errorf("%s: %s: %w found", shown(r.Ref), r.Digest, ErrNoAttestation)
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
