package identity

import (
	"context"
	"crypto/ecdsa"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/taglast/taglast/internal/bounded"
	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/internal/retry"
)

const (
	maxAnswer  = 1 << 20
	maxKeys    = 100
	minRSABits = 2048
	staleAfter = time.Minute // a set of keys older than this is fetched again for a key that it lacks
)

// errNotFound says that an address answers, but not with what was asked for.
var errNotFound = errors.New("not there")

// keys holds the public keys of issuers, each issuer's fetched once.
type keys struct {
	client http.Client
	policy retry.Policy
	lock   chan struct{} // holds one value while sets are read or fetched; unlike a mutex, waiting for it ends with a context
	sets   map[string]keySet
}

type keySet struct {
	keys    []jose.JSONWebKey
	fetched time.Time
}

func newKeys(client *http.Client, policy retry.Policy) *keys {
	k := &keys{client: *client, policy: policy, lock: make(chan struct{}, 1), sets: map[string]keySet{}}
	k.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return k
}

// verify returns the payload of jws where one of the issuer's keys has signed it.
func (k *keys) verify(ctx context.Context, issuer string, jws *jose.JSONWebSignature) ([]byte, error) {
	set, err := k.load(ctx, issuer, false)
	if err != nil {
		return nil, err
	}
	header := jws.Signatures[0].Protected
	matching := set.matching(header)
	if len(matching) == 0 && time.Since(set.fetched) > staleAfter { // the issuer has changed its keys
		if set, err = k.load(ctx, issuer, true); err != nil {
			return nil, err
		}
		matching = set.matching(header)
	}
	for _, key := range matching {
		if payload, err := jws.Verify(key.Key); err == nil {
			return payload, nil
		}
	}
	return nil, fmt.Errorf("no key of %s has signed it", escape.Text(issuer))
}

// matching returns the keys that could have signed under the header: those of its kid, or all where it names none.
func (s keySet) matching(h jose.Header) []jose.JSONWebKey {
	var found []jose.JSONWebKey
	for _, key := range s.keys {
		if (h.KeyID == "" || key.KeyID == h.KeyID) && (key.Algorithm == "" || key.Algorithm == h.Algorithm) {
			found = append(found, key)
		}
	}
	return found
}

// load returns the issuer's keys. They are fetched the first time, and again where refresh is true and they are stale.
func (k *keys) load(ctx context.Context, issuer string, refresh bool) (keySet, error) {
	select {
	case k.lock <- struct{}{}:
		defer func() { <-k.lock }()
	case <-ctx.Done():
		return keySet{}, context.Cause(ctx)
	}
	if set, ok := k.sets[issuer]; ok && (!refresh || time.Since(set.fetched) <= staleAfter) {
		return set, nil
	}
	found, err := k.fetch(ctx, issuer)
	if err != nil {
		return keySet{}, fmt.Errorf("keys of %s: %w", escape.Text(issuer), err)
	}
	set := keySet{keys: found, fetched: time.Now()}
	k.sets[issuer] = set
	return set, nil
}

// fetch asks first where GitHub documents its keys to be, which saves a request, and then where OpenID Connect Discovery
// 1.0, section 4, says.
func (k *keys) fetch(ctx context.Context, issuer string) ([]jose.JSONWebKey, error) {
	base := strings.TrimSuffix(issuer, "/")
	found, err := k.fetchSet(ctx, base+"/.well-known/jwks")
	if !errors.Is(err, errNotFound) {
		return found, err
	}
	var discovery struct {
		Issuer string `json:"issuer"`
		JWKS   string `json:"jwks_uri"`
	}
	if err := k.get(ctx, base+"/.well-known/openid-configuration", &discovery); err != nil {
		return nil, err
	}
	if discovery.Issuer != issuer {
		return nil, fmt.Errorf("its configuration is that of %q", escape.Bounded(discovery.Issuer, 200))
	}
	if err := checkKeysURL(issuer, discovery.JWKS); err != nil {
		return nil, fmt.Errorf("jwks_uri %q: %w", escape.Bounded(discovery.JWKS, 200), err)
	}
	return k.fetchSet(ctx, discovery.JWKS)
}

// fetchSet fetches a JWK Set (RFC 7517, section 5) and leaves out the keys that verify no signature of an ID token.
func (k *keys) fetchSet(ctx context.Context, address string) ([]jose.JSONWebKey, error) {
	var answer struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := k.get(ctx, address, &answer); err != nil {
		return nil, err
	}
	if len(answer.Keys) == 0 {
		return nil, fmt.Errorf("%s: %w: no key", escape.Text(address), errNotFound)
	}
	if len(answer.Keys) > maxKeys {
		return nil, fmt.Errorf("%s: %d keys, at most %d are allowed", escape.Text(address), len(answer.Keys), maxKeys)
	}
	var usable []jose.JSONWebKey
	for _, raw := range answer.Keys {
		var key jose.JSONWebKey
		if key.UnmarshalJSON(raw) == nil && (key.Use == "" || key.Use == "sig") && isStrong(key.Key) {
			usable = append(usable, key) // RFC 7517, section 5: keys that are not understood are ignored
		}
	}
	if len(usable) == 0 {
		return nil, fmt.Errorf("%s: none of its %d keys can be used", escape.Text(address), len(answer.Keys))
	}
	return usable, nil
}

// isStrong reports whether key is of a kind and size that may sign an ID token.
func isStrong(key any) bool {
	switch key := key.(type) {
	case *rsa.PublicKey:
		return key.N.BitLen() >= minRSABits
	case *ecdsa.PublicKey:
		return true
	}
	return false
}

// get reads the JSON object at address into v. The error is errNotFound where the address refuses for good, or answers
// with something else.
func (k *keys) get(ctx context.Context, address string, v any) error {
	return retry.Do(ctx, k.policy, func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return err
		}
		req.Header.Set("Accept", "application/json")
		resp, err := k.client.Do(req)
		if err != nil {
			return retry.WithoutQuery(err)
		}
		defer func() { _ = resp.Body.Close() }()
		if err := retry.CheckStatus(resp, http.StatusOK); err != nil {
			if transient, _, _ := retry.Classify(err); transient {
				return err
			}
			return fmt.Errorf("%w: %w", errNotFound, err)
		}
		body, err := bounded.ReadBody(resp, maxAnswer)
		if errors.Is(err, bounded.ErrTooLarge) {
			return fmt.Errorf("%s: longer than %d bytes", escape.Text(address), maxAnswer)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", escape.Text(address), err)
		}
		if err := json.Unmarshal(body, v); err != nil {
			return fmt.Errorf("%s: %w: %s", escape.Text(address), errNotFound, escape.Bounded(err.Error(), 200))
		}
		return nil
	})
}
