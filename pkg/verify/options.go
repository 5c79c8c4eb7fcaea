package verify

import (
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"

	"github.com/taglast/taglast/internal/network"
	"github.com/taglast/taglast/internal/retry"
)

// Bounds of Options.Limit, as gh has them.
const (
	DefaultLimit = 30
	MaxLimit     = 1000
)

const defaultBudget = time.Minute // somebody is waiting at a terminal

// Options say whom to trust and where attestations are. Only Policy must be given. WithEnvironment fills in what the
// environment knows, as the command does.
type Options struct {
	Policy Policy
	Roots  *TrustedRoots // nil: FetchTrustedRoots, when the first attestation needs them

	HTTP     http.RoundTripper // carries every request; nil: the network, with connections that are closed at the end
	Keychain authn.Keychain    // for registries; nil: anonymous
	Token    string            // only for GitHub's API, a secret; empty: anonymous
	APIURL   string            // of GitHub's API; empty: the one of Policy.Hostname

	// Attestations come from GitHub's API, unless one of the next two is set.

	Bundle        string // a file: one bundle (.json) or one a line (.jsonl)
	BundleFromOCI bool   // the registry, as referrers of the image
	Limit         int    // attestations taken from GitHub's API, 1 to MaxLimit; zero: DefaultLimit

	Dir       string        // what relative paths are relative to; empty: the process's own directory
	CacheDir  string        // of TUF metadata; empty keeps nothing on disk
	Budget    time.Duration // how long a request that fails is tried again; zero: a minute, negative: never again
	UserAgent string        // of every request; empty: Go's
}

// Validate checks the options without sending anything. Its errors wrap ErrUsage.
func (o Options) Validate() error { return o.withDefaults().check() }

func (o Options) withDefaults() Options {
	if o.Limit == 0 {
		o.Limit = DefaultLimit
	}
	if o.Budget == 0 {
		o.Budget = defaultBudget
	}
	return o
}

// connect gives the options a transport where they have none, and a function that closes what it leaves open.
func (o Options) connect() (Options, func()) {
	if o.HTTP != nil {
		return o, func() {}
	}
	transport := network.Transport()
	o.HTTP = transport
	return o, transport.CloseIdleConnections
}

func (o Options) check() error {
	if err := o.Policy.consumer(nil).Validate(); err != nil {
		return err
	}
	usage := func(err error) error { return fmt.Errorf("%w: %w", ErrUsage, err) }
	switch {
	case o.Limit < 1 || o.Limit > MaxLimit:
		return usage(fmt.Errorf("--limit %d is not from 1 to %d", o.Limit, MaxLimit))
	case o.Bundle != "" && o.BundleFromOCI:
		return usage(errors.New("--bundle and --bundle-from-oci exclude each other"))
	case o.Bundle != "" && filepath.Ext(o.Bundle) != ".json" && filepath.Ext(o.Bundle) != ".jsonl":
		return usage(fmt.Errorf("--bundle %s: must end in .json (one bundle) or .jsonl (one a line)", printable(o.Bundle)))
	case o.Bundle == "" && !o.BundleFromOCI && o.Policy.Repo == "" && o.Policy.Owner == "":
		return usage(errors.New("GitHub keeps attestations by repository: give --repo or --owner, or the attestations themselves by --bundle or --bundle-from-oci"))
	}
	return nil
}

// retry is the policy of every client.
func (o Options) retry() retry.Policy { return retry.Policy{Budget: o.Budget} }

// path is p within Dir, unless it is absolute.
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
