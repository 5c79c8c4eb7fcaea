package sandbox

import (
	"net/http"
	"time"
)

// Options make a World; the zero value is a world of its own, with the identity of acme/app, that lets nothing out.
type Options struct {
	// Identity of the job; empty fields have values that fit.
	Identity Identity
	// ServerURL is GITHUB_SERVER_URL; default https://github.com.
	ServerURL string
	// APIURL is GITHUB_API_URL; default https://api.github.com.
	APIURL string
	// GitHubToken is the job's GITHUB_TOKEN; default a made-up one, which never leaves. With a Base, give the real one
	// if there is one: it is what the production code sends, to read from ghcr.io and from GitHub's API.
	GitHubToken string

	// NoIDToken leaves the job without "id-token: write".
	NoIDToken bool
	// NoAttestations leaves the job without "attestations: write".
	NoAttestations bool
	// StoreRefuses is what the store answers every create call with, as a 403; empty: it takes them. GitHub says so
	// where a plan or an account has no attestations.
	StoreRefuses string
	// CommitDate is what GitHub's commits API says of the identity's commit; zero: it knows no commit. The event of a push
	// names it too, and a made-up one where it is zero.
	CommitDate time.Time
	// History is a line of commits, the oldest first, that GitHub's compare API knows.
	History []string
	// Branch is a line of commits, the oldest first, that left History at its first commit.
	Branch []string
	// InlineBundle lists attestations with the bundle inside, beside bundle_url.
	InlineBundle bool
	// StoreLag is how long a stored attestation stays unseen by lists.
	StoreLag time.Duration

	// Base is the real network below the overlay registries; nil lets nothing out.
	Base http.RoundTripper
	// Registry configures every registry that Registries does not name.
	Registry RegistryOptions
	// Registries are the hosts (host or host:port) that exist, with their behaviour. nil: every host that is asked for
	// /v2/ is a registry, an overlay where there is a Base.
	Registries map[string]RegistryOptions
	// Law is asked before any tag is written, and refuses it by an error. nil is the world's own law: see World.checkLaw.
	Law func(Tag) error
}

// serviceURLs are where the world's services are; none ends in a slash.
type serviceURLs struct {
	token   string // the runner's token endpoint
	issuer  string // of ID tokens
	fulcio  string
	ctLog   string // a name in the trusted root, to which nothing is sent
	rekor   string
	tsa     string // without /api/v1/timestamp
	bundles string // the storage behind bundle_url
}

// transportURLs are the URLs of a world that is a transport: hosts under taglast.invalid, and GitHub's own name for the issuer
// of ID tokens.
var transportURLs = serviceURLs{ //nolint:gosec // nothing here opens anything
	token:   "https://runner.taglast.invalid/idtoken",
	issuer:  "https://token.actions.githubusercontent.com",
	fulcio:  "https://fulcio.taglast.invalid",
	ctLog:   "https://ctlog.taglast.invalid",
	rekor:   "https://rekor.taglast.invalid",
	tsa:     "https://timestamp.taglast.invalid",
	bundles: "https://bundles.taglast.invalid",
}

const defaultToken = "ghs_taglastdryrun" //nolint:gosec // opens nothing

func (o Options) withDefaults() Options {
	set := func(field *string, value string) {
		if *field == "" {
			*field = value
		}
	}
	set(&o.ServerURL, "https://github.com")
	set(&o.APIURL, "https://api.github.com")
	set(&o.GitHubToken, defaultToken)
	o.Identity = o.Identity.withDefaults()
	return o
}
