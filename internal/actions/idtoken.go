package actions

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/taglast/taglast/internal/bounded"
	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/internal/retry"
	"github.com/taglast/taglast/internal/weburl"
)

const maxToken = 64 << 10

// ErrNoIDToken is returned where the job may not ask for an ID token: it has no `id-token: write`, it is that of a
// fork's pull request, or there is no runner.
var ErrNoIDToken = errors.New("this job may not ask GitHub for an ID token")

// IDToken asks the runner's endpoint for an ID token with the audience. The token is masked before it is returned; it is
// not verified. Transient failures and garbled answers are tried again under p.
//
// The request's own token goes to the endpoint's host alone: a redirect is an error. Plain http is for loopback
// addresses. Neither token is in any error.
func (r *Runner) IDToken(ctx context.Context, client *http.Client, audience string, p retry.Policy) (string, error) {
	endpoint, bearer := r.getenv("ACTIONS_ID_TOKEN_REQUEST_URL"), r.getenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN")
	if endpoint == "" || bearer == "" {
		return "", ErrNoIDToken
	}
	if client == nil {
		return "", errors.New("ID token: no HTTP client")
	}
	u, err := tokenURL(endpoint, audience)
	if err != nil {
		return "", fmt.Errorf("ID token: ACTIONS_ID_TOKEN_REQUEST_URL: %w", err)
	}
	if !isToken(bearer) {
		return "", errors.New("ID token: ACTIONS_ID_TOKEN_REQUEST_TOKEN is not a token")
	}
	r.Mask(bearer)
	direct := *client // follows no redirect and keeps no cookie
	direct.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	direct.Jar = nil

	var token string
	if err := retry.Do(ctx, p, func(ctx context.Context) (err error) {
		token, err = requestToken(ctx, &direct, u, bearer)
		return err
	}); err != nil {
		return "", fmt.Errorf("ID token: %w", err)
	}
	r.Mask(token)
	return token, nil
}

// tokenURL adds the audience to the endpoint, whose query stays as it is written.
func tokenURL(endpoint, audience string) (string, error) {
	u, err := url.Parse(endpoint)
	if err != nil {
		return "", weburl.ErrNotURL
	}
	switch err := weburl.Check(u); {
	case errors.Is(err, weburl.ErrPlain), errors.Is(err, weburl.ErrNotHTTPS):
		return "", fmt.Errorf("%s is not asked over %s", escape.Text(u.Host), escape.Text(u.Scheme))
	case err != nil:
		return "", weburl.ErrNotURL
	}
	if u.RawQuery != "" {
		u.RawQuery += "&"
	}
	u.RawQuery += "audience=" + url.QueryEscape(audience)
	u.Fragment = ""
	return u.String(), nil
}

// isToken reports whether s has the characters of a token alone: printable ASCII without blanks.
func isToken(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool { return c <= ' ' || c >= 0x7f })
}

// requestToken asks the endpoint once.
func requestToken(ctx context.Context, client *http.Client, u, bearer string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u, nil)
	if err != nil {
		return "", err
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Authorization", "Bearer "+bearer)
	resp, err := client.Do(req)
	if err != nil {
		return "", retry.WithoutQuery(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if err := retry.CheckStatus(resp, http.StatusOK); err != nil {
		return "", hideRequestToken(err, bearer)
	}
	body, err := bounded.ReadBody(resp, maxToken)
	if errors.Is(err, bounded.ErrTooLarge) {
		return "", fmt.Errorf("the answer is longer than %d bytes", maxToken)
	}
	if err != nil {
		return "", fmt.Errorf("read answer: %w", err)
	}
	var answer struct {
		Value string `json:"value"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		// A proxy may have garbled it, and may not the next time. The cause would quote the token.
		return "", retry.Transient(errors.New("the answer is not a JSON object with a token"), 0)
	}
	if answer.Value == "" {
		return "", errors.New("the answer holds no token")
	}
	if !isToken(answer.Value) {
		return "", errors.New("the answer's value is not a token")
	}
	return answer.Value, nil
}

// hideRequestToken removes the server's message from err if it repeats the request's token, or a part of it.
func hideRequestToken(err error, bearer string) error {
	const part = 12
	var status *retry.StatusError
	if errors.As(err, &status) && strings.Contains(status.Message, bearer[:min(part, len(bearer))]) {
		status.Message = ""
	}
	return err
}
