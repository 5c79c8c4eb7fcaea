package verify

import (
	"errors"
	"net/http"
	"strings"

	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/internal/hint"
	"github.com/taglast/taglast/internal/policy"
	"github.com/taglast/taglast/internal/retry"
)

// sanField is how package policy names a signer that is not the one asked for.
const sanField = "certificate subject alternative name"

// advice is what may help where nothing passed.
func (o Options) advice(r Result) string {
	api := o.Bundle == "" && !o.BundleFromOCI
	switch {
	case len(r.Refused) > 0 && o.signerMissing(r.Refused):
		return "signed by a reusable workflow of another repository? Name it: --signer-workflow OWNER/REPO/PATH, or --signer-repo OWNER/REPO"
	case len(r.Refused) > 0:
		return ""
	case r.Others > 0:
		return "ask for another type: --predicate-type " + escape.Bounded(strings.Join(r.otherTypes, ", or "), 500)
	case api && o.Token == "":
		return "for a private repository set GH_TOKEN; attestations that are in the registry are found with --bundle-from-oci"
	case api:
		return "attestations that are in the registry are found with --bundle-from-oci"
	}
	return ""
}

// signerMissing says that every refusal is about a signer that the user did not name.
func (o Options) signerMissing(refused []Refusal) bool {
	p := o.Policy
	if p.SignerWorkflow+p.SignerRepo+p.CertIdentity+p.CertIdentityRegex != "" {
		return false
	}
	for _, r := range refused {
		var m *policy.MismatchError
		if !errors.As(r.Err, &m) || m.Field != sanField {
			return false
		}
	}
	return true
}

// withTokenHint adds to GitHub's refusal of an anonymous question what helps.
func (o Options) withTokenHint(err error) error {
	var s *retry.StatusError
	if o.Token != "" || !errors.As(err, &s) {
		return err
	}
	switch s.Status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests:
		return hint.With(err, "set GH_TOKEN: without a token GitHub answers few questions an hour")
	}
	return err
}
