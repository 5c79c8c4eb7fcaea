package sandbox

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/sigstore/sigstore-go/pkg/root"
)

// World is everything outside of the publisher. It is an http.RoundTripper and, by Handler, an http.Handler; both may be
// used from several goroutines.
type World struct {
	options      Options
	urls         serviceURLs
	routes       []route
	api          *attestations
	gateway      *gateway // nil: nothing leaves
	issuer       *issuer
	requestToken string // ACTIONS_ID_TOKEN_REQUEST_TOKEN
	trusted      *root.TrustedRoot

	trustedRoot   []byte
	signingConfig []byte

	mu         sync.Mutex
	identity   Identity
	registries map[string]*overlay
	requests   []Request
	law        *law
}

// New makes a world with keys of its own, valid from an hour ago by the clock of package time.
func New(o Options) (*World, error) { return newWorldAt(transportURLs, o) }

func newWorldAt(urls serviceURLs, o Options) (*World, error) {
	o = o.withDefaults()
	now := time.Now()
	w := &World{options: o, urls: urls, identity: o.Identity, registries: map[string]*overlay{}}
	w.law = newLaw(w)
	if o.Base != nil {
		w.gateway = newGateway(o.Base, defaultToken)
	}
	var secret [16]byte
	if _, err := rand.Read(secret[:]); err != nil {
		return nil, fmt.Errorf("make the request token: %w", err)
	}
	w.requestToken = hex.EncodeToString(secret[:])

	ca, err := newFulcioChain(now)
	if err != nil {
		return nil, err
	}
	tsaChain, err := newTSAChain(now)
	if err != nil {
		return nil, err
	}
	if w.issuer, err = w.newIssuer(); err != nil {
		return nil, err
	}
	ctl, err := newCTLog()
	if err != nil {
		return nil, err
	}
	log, err := newRekor(urls.rekor)
	if err != nil {
		return nil, err
	}
	start := now.Add(-authorityMargin)
	if w.trusted, err = newTrustedRoot(urls, ca, tsaChain, ctl, log, start); err != nil {
		return nil, err
	}
	if w.trustedRoot, err = encodeTrustedRoot(w.trusted); err != nil {
		return nil, err
	}
	if w.signingConfig, err = encodeSigningConfig(urls, start); err != nil {
		return nil, err
	}
	w.api = &attestations{
		identity: w.Identity, token: o.GitHubToken, blobs: urls.bundles, refuses: o.StoreRefuses,
		inline: o.InlineBundle, lag: o.StoreLag, noPermission: o.NoAttestations,
	}
	for _, s := range []struct {
		url     string
		handler http.Handler
	}{
		{urls.token, http.HandlerFunc(w.issuer.token)},
		{urls.issuer, http.HandlerFunc(w.issuer.provider)},
		{urls.fulcio, &fulcio{chain: ca, issuer: w.issuer, log: ctl, server: o.ServerURL}},
		{urls.rekor, log},
		{urls.tsa, &tsa{chain: tsaChain}},
		{urls.bundles, http.HandlerFunc(w.api.blob)},
		{o.APIURL, &api{
			store: w.api, identity: w.Identity, token: o.GitHubToken, commitDate: o.CommitDate,
			compare: compare{o.History, o.Branch},
		}},
	} {
		if err := w.addRoute(s.url, s.handler); err != nil {
			return nil, err
		}
	}
	return w, nil
}

func (w *World) newIssuer() (*issuer, error) {
	key, err := newKey()
	if err != nil {
		return nil, err
	}
	return &issuer{url: w.urls.issuer, key: key, request: w.requestToken, identity: w.Identity}, nil
}

func newCTLog() (*ctLog, error) {
	key, id, err := newLogKey()
	if err != nil {
		return nil, err
	}
	return &ctLog{key: key, id: id}, nil
}

func newRekor(base string) (*rekor, error) {
	key, id, err := newLogKey()
	if err != nil {
		return nil, err
	}
	tree, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 62))
	if err != nil {
		return nil, fmt.Errorf("make a tree id: %w", err)
	}
	u, err := url.Parse(base)
	if err != nil {
		return nil, fmt.Errorf("log URL: %w", err)
	}
	return &rekor{key: key, id: id, origin: u.Hostname(), treeID: tree.Int64(), byUUID: map[string]int{}}, nil
}

// Identity is what ID tokens say now.
func (w *World) Identity() Identity {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.identity
}

// SetIdentity changes what later ID tokens say, as a re-run or another job would; empty fields have values that fit.
func (w *World) SetIdentity(i Identity) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.identity = i.withDefaults()
}

// SigningConfig is Sigstore's signing config v0.2 for this world.
func (w *World) SigningConfig() []byte { return append([]byte(nil), w.signingConfig...) }

// TrustedRoot is Sigstore's trusted root v0.1 for this world: one line that ends in a newline.
func (w *World) TrustedRoot() []byte { return append([]byte(nil), w.trustedRoot...) }

// Event is the webhook payload of the job, what GITHUB_EVENT_PATH names.
func (w *World) Event() ([]byte, error) {
	return w.Identity().event(w.options.ServerURL, w.options.CommitDate)
}

// Env is the environment of the job's steps, GITHUB_EVENT_PATH aside.
func (w *World) Env() map[string]string {
	i := w.Identity()
	_, name, _ := strings.Cut(strings.TrimPrefix(i.Ref, "refs/"), "/")
	env := map[string]string{
		"CI": "true", "GITHUB_ACTIONS": "true",
		"GITHUB_SERVER_URL": w.options.ServerURL, "GITHUB_API_URL": w.options.APIURL, "GITHUB_TOKEN": w.options.GitHubToken,
		"GITHUB_REPOSITORY": i.Repository, "GITHUB_REPOSITORY_ID": i.RepositoryID,
		"GITHUB_REPOSITORY_OWNER": i.RepositoryOwner, "GITHUB_REPOSITORY_OWNER_ID": i.RepositoryOwnerID,
		"GITHUB_REF": i.Ref, "GITHUB_REF_NAME": name, "GITHUB_REF_TYPE": i.RefType, "GITHUB_SHA": i.SHA,
		"GITHUB_HEAD_REF": i.HeadRef, "GITHUB_BASE_REF": i.BaseRef, "GITHUB_EVENT_NAME": i.EventName,
		"GITHUB_WORKFLOW": i.Workflow, "GITHUB_WORKFLOW_REF": i.WorkflowRef, "GITHUB_WORKFLOW_SHA": i.WorkflowSHA,
		"GITHUB_RUN_ID": i.RunID, "GITHUB_RUN_NUMBER": i.RunNumber, "GITHUB_RUN_ATTEMPT": i.RunAttempt,
		"GITHUB_ACTOR": i.Actor, "GITHUB_ACTOR_ID": i.ActorID, "RUNNER_ENVIRONMENT": i.RunnerEnvironment,
	}
	if !w.options.NoIDToken {
		env["ACTIONS_ID_TOKEN_REQUEST_URL"] = w.urls.token + "?api-version=2.0"
		env["ACTIONS_ID_TOKEN_REQUEST_TOKEN"] = w.requestToken
	}
	return env
}
