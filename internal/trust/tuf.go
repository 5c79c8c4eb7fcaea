package trust

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/sigstore/sigstore-go/pkg/tuf"
)

// githubRoot is the trust anchor of GitHub's TUF repository, as github.com/cli/cli v2.100.0 ships it
// (pkg/cmd/attestation/verification/embed/tuf-repo.github.com/root.json): public keys and signatures, no program text.
//
//go:embed tufroot/github.json
var githubRoot []byte

const (
	githubMirror  = "https://tuf-repo.github.com"
	rootTarget    = "trusted_root.json"
	configTarget  = "signing_config.v0.2.json"
	refreshBudget = 2 * time.Minute // of one repository, all files and tries together
)

// TUFOptions configure the reading of TUF repositories.
type TUFOptions struct {
	HTTP      http.RoundTripper // never nil
	CacheDir  string            // created with mode 0700; empty means that nothing is kept on disk
	UserAgent string
}

// DefaultCacheDir is taglast/tuf in the user's cache directory, or empty (no cache) where there is none.
func DefaultCacheDir() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "taglast", "tuf")
}

// repository is one TUF repository.
type repository struct {
	url    string
	anchor []byte
}

func publicGood() repository { return repository{url: tuf.DefaultMirror, anchor: tuf.DefaultRoot()} }

func gitHub() repository { return repository{url: githubMirror, anchor: githubRoot} }

// FromTUF reads services and trusted root of Sigstore's public-good instance. Its OIDCIssuers are left empty: the
// instance's own identity providers are not GitHub's.
func FromTUF(ctx context.Context, o TUFOptions) (Services, Material, error) {
	return publicGood().services(ctx, o)
}

// RootsFromTUF reads what a consumer trusts: the public-good instance's trusted root and GitHub's. Where one of them
// cannot be read, its error is in the joined error and the other root still in the result, as `gh attestation verify`
// does: either verifies its own bundles only.
func RootsFromTUF(ctx context.Context, o TUFOptions) ([]Material, error) {
	var out []Material
	var errs []error
	for _, r := range []repository{publicGood(), gitHub()} {
		m, err := r.root(ctx, o)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		out = append(out, m)
	}
	return out, errors.Join(errs...)
}

func (r repository) services(ctx context.Context, o TUFOptions) (Services, Material, error) {
	files, err := r.targets(ctx, o, rootTarget, configTarget)
	if err != nil {
		return Services{}, Material{}, err
	}
	m, err := parseRoot(files[0])
	if err != nil {
		return Services{}, Material{}, fmt.Errorf("TUF repository %s: %w", r.url, err)
	}
	config, err := parseConfig(files[1])
	if err != nil {
		return Services{}, Material{}, fmt.Errorf("TUF repository %s: %w", r.url, err)
	}
	s, err := selectServices(config, time.Now())
	if err != nil {
		return Services{}, Material{}, fmt.Errorf("TUF repository %s: signing config: %w", r.url, err)
	}
	return s, m, nil
}

func (r repository) root(ctx context.Context, o TUFOptions) (Material, error) {
	files, err := r.targets(ctx, o, rootTarget)
	if err != nil {
		return Material{}, err
	}
	m, err := parseRoot(files[0])
	if err != nil {
		return Material{}, fmt.Errorf("TUF repository %s: %w", r.url, err)
	}
	return m, nil
}

// targets refreshes the repository's metadata (TUF specification 5.3 to 5.6) and reads the named targets.
func (r repository) targets(ctx context.Context, o TUFOptions, names ...string) (files [][]byte, err error) {
	defer noPanic("TUF repository "+r.url, &err)
	ctx, cancel := context.WithTimeout(ctx, refreshBudget)
	defer cancel()
	client, err := tuf.New(&tuf.Options{
		Root:              r.anchor,
		RepositoryBaseURL: r.url,
		CachePath:         o.CacheDir,
		CacheValidity:     1, // in days; gh has the same
		DisableLocalCache: o.CacheDir == "",
		Fetcher: &fetcher{
			ctx:       ctx,
			client:    &http.Client{Transport: o.HTTP, CheckRedirect: sameScheme},
			userAgent: o.UserAgent,
		},
	})
	if err != nil {
		return nil, r.wrap(ctx, err)
	}
	for _, name := range names {
		file, err := client.GetTarget(name)
		if err != nil {
			return nil, r.wrap(ctx, err)
		}
		files = append(files, file)
	}
	return files, nil
}

// wrap adds the repository to err, and returns the end of ctx in its place, which go-tuf does not pass on.
func (r repository) wrap(ctx context.Context, err error) error {
	if cause := ctx.Err(); cause != nil {
		return fmt.Errorf("TUF repository %s: %w", r.url, cause)
	}
	return fmt.Errorf("TUF repository %s: %w", r.url, oneLine(err))
}

// sameScheme lets a mirror redirect a few times, never to plain http.
func sameScheme(req *http.Request, via []*http.Request) error {
	if len(via) >= 4 {
		return errors.New("more than 4 redirects")
	}
	if first := via[0].URL; first.Scheme != req.URL.Scheme {
		return fmt.Errorf("redirect from %s to %s", first.Scheme, (&url.URL{Scheme: req.URL.Scheme, Host: req.URL.Host}).String())
	}
	return nil
}
