package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/taglast/taglast/internal/retry"
)

// session is one login: the transport that adds the credentials, and whether other repositories may be mounted from.
type session struct {
	auth   http.RoundTripper
	mounts bool
}

// loginError is a failure of the ping, the credentials or the token endpoint, not of the request that needed them.
type loginError struct{ err error }

func (e *loginError) Error() string { return "log in: " + e.err.Error() }
func (e *loginError) Unwrap() error { return e.err }

// openSession gives the session, logging in if there is none. After a login that failed the next call tries
// again.
func (c *client) openSession(ctx context.Context) (*session, error) {
	select {
	case c.login <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	defer func() { <-c.login }()
	if c.session != nil {
		return c.session, nil
	}
	s, err := c.logIn(ctx)
	if err != nil {
		return nil, &loginError{err}
	}
	c.session = s
	return s, nil
}

// dropSession forgets a session that the registry no longer accepts, unless another call has done so already.
func (c *client) dropSession(ctx context.Context, s *session) {
	select {
	case c.login <- struct{}{}:
	case <-ctx.Done():
		return
	}
	defer func() { <-c.login }()
	if c.session == s {
		c.session = nil
		c.host.forgetPings()
	}
}

func (c *client) logIn(ctx context.Context) (*session, error) {
	auth := authn.Anonymous
	if c.options.Keychain != nil {
		found, err := authn.Resolve(ctx, c.options.Keychain, c.repo)
		if err != nil {
			return nil, fmt.Errorf("credentials: %w", err)
		}
		auth = found
	}
	own, mounts := c.scopes()
	if len(mounts) > 0 {
		rt, err := c.handshake(ctx, auth, append(own, mounts...))
		if err == nil {
			return &session{auth: rt, mounts: true}, nil
		}
		// A token endpoint may refuse all scopes for one that it does not grant; then blobs are uploaded.
		if !hasStatus(err, http.StatusUnauthorized, http.StatusForbidden) {
			return nil, err
		}
		if transient, _, _ := retry.Classify(err); transient {
			return nil, err
		}
	}
	rt, err := c.handshake(ctx, auth, own)
	if err != nil {
		return nil, err
	}
	return &session{auth: rt, mounts: len(mounts) == 0}, nil
}

// scopes are the repository's own, and pull of the repositories on the same registry to mount from.
func (c *client) scopes() (own, mounts []string) {
	if c.options.ReadOnly {
		return []string{c.repo.Scope(transport.PullScope)}, nil
	}
	seen := map[string]bool{c.repo.Name(): true}
	for _, r := range c.options.MountFrom {
		if r.RegistryStr() == c.repo.RegistryStr() && !seen[r.Name()] {
			seen[r.Name()] = true
			mounts = append(mounts, r.Scope(transport.PullScope))
		}
	}
	return []string{c.repo.Scope(transport.PushScope)}, mounts
}

// handshake pings the registry and, where it asks for one, gets a bearer token.
func (c *client) handshake(ctx context.Context, auth authn.Authenticator, scopes []string) (http.RoundTripper, error) {
	reg, err := c.endpoint.registry()
	if err != nil {
		return nil, err
	}
	ping := &pings{}
	rt, err := transport.NewWithContext(context.WithValue(ctx, pingsKey{}, ping), reg, auth, c.wire(), scopes)
	if err == nil {
		return rt, nil
	}
	// The ping tries https and then, where the library thinks it may, http: the failure that matters is the one of the
	// scheme that this program allows.
	if cause := ping.cause(c.endpoint.local); cause != nil {
		return nil, cause
	}
	return nil, tokenFailure(err)
}

// tokenFailure keeps the token endpoint's answer out of the error: it may hold a token.
func tokenFailure(err error) error {
	var (
		status *retry.StatusError
		syntax *json.SyntaxError
		value  *json.UnmarshalTypeError
	)
	switch {
	case errors.As(err, &status):
		return status
	case errors.As(err, &syntax), errors.As(err, &value):
		return retry.Transient(errors.New("the token endpoint's answer is no token"), 0)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return retry.Transient(errors.New("the token endpoint's answer ends early"), 0)
	case strings.Contains(err.Error(), "no token in bearer response"):
		return errors.New("the token endpoint's answer holds no token")
	}
	return err
}
