package verify

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/internal/policy"
	"github.com/taglast/taglast/internal/provenance"
)

// Validate checks the options without sending anything. Its errors wrap policy.ErrUsage.
func (o Options) Validate() error { return o.withDefaults().check() }

func (o Options) withDefaults() Options {
	if o.Limit == 0 {
		o.Limit = DefaultLimit
	}
	if o.Retry.Budget == 0 {
		o.Retry.Budget = defaultBudget
	}
	return o
}

func (o Options) check() error {
	if err := o.Policy.Validate(); err != nil {
		return err
	}
	usage := func(err error) error { return fmt.Errorf("%w: %w", policy.ErrUsage, err) }
	switch {
	case o.HTTP == nil:
		return errors.New("verify: no transport")
	case o.Limit < 1 || o.Limit > MaxLimit:
		return usage(fmt.Errorf("--limit %d is not from 1 to %d", o.Limit, MaxLimit))
	case o.Bundle != "" && o.BundleFromOCI:
		return usage(errors.New("--bundle and --bundle-from-oci exclude each other"))
	case o.Bundle != "" && filepath.Ext(o.Bundle) != ".json" && filepath.Ext(o.Bundle) != ".jsonl":
		return usage(fmt.Errorf("--bundle %s: must end in .json (one bundle) or .jsonl (one a line)", shown(o.Bundle)))
	case o.Bundle == "" && !o.BundleFromOCI && o.Policy.Repo == "" && o.Policy.Owner == "":
		return usage(errors.New("GitHub keeps attestations by repository: give --repo or --owner, or the attestations themselves by --bundle or --bundle-from-oci"))
	}
	return nil
}

func (o Options) predicateType() string {
	if o.Policy.PredicateType == "" {
		return provenance.PredicateType
	}
	return o.Policy.PredicateType
}

// path is where a path in the user's words is.
func (o Options) path(p string) string {
	if filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(o.Dir, p)
}

// apiURL of GitHub's REST API for the policy's host.
func (o Options) apiURL() string {
	if o.APIURL != "" {
		return o.APIURL
	}
	if o.Policy.Hostname == "" {
		return "https://api.github.com"
	}
	return "https://api." + strings.ToLower(o.Policy.Hostname)
}

// shown is foreign text for an error.
func shown(s string) string { return escape.Bounded(s, 200) }
