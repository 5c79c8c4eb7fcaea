package sandbox

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/taglast/taglast/internal/bounded"
	"github.com/taglast/taglast/internal/link"
)

// gateway is the one way out of a world: to the real registries, to the token servers that they name, and to where they
// redirect reads. It learns these names from their answers.
type gateway struct {
	base       http.RoundTripper
	ownSecrets []string // credentials of the world's own making: they open nothing outside and never leave

	mu        sync.Mutex
	realms    map[string]bool // host + path
	redirects map[string]bool // host
}

func newGateway(base http.RoundTripper, ownSecrets ...string) *gateway {
	return &gateway{base: base, ownSecrets: append(ownSecrets, ownToken), realms: map[string]bool{}, redirects: map[string]bool{}}
}

// withoutOwnSecrets is the request without its credentials where they are the world's own.
func (g *gateway) withoutOwnSecrets(req *http.Request) *http.Request {
	_, secret, _ := strings.Cut(req.Header.Get("Authorization"), " ")
	if _, password, ok := req.BasicAuth(); ok {
		secret = password
	}
	if !slices.Contains(g.ownSecrets, secret) {
		return req
	}
	req = req.Clone(req.Context())
	req.Header.Del("Authorization")
	return req
}

// ownToken stands for a login that the real registry did not give: it opens the overlay and never leaves it.
const ownToken = "taglast-dry-run" //nolint:gosec // opens nothing

// pass sends a read to the real network and learns from the answer.
func (g *gateway) pass(req *http.Request) (*http.Response, error) {
	resp, err := g.base.RoundTrip(g.withoutOwnSecrets(req))
	if err != nil {
		return nil, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, challenge := range resp.Header.Values("Www-Authenticate") {
		if realm, ok := bearerRealm(challenge); ok {
			g.realms[canonicalHost(realm.Host)+realm.Path] = true
		}
	}
	if resp.StatusCode >= 300 && resp.StatusCode < 400 {
		if to, err := req.URL.Parse(resp.Header.Get("Location")); err == nil && to.Host != "" {
			g.redirects[canonicalHost(to.Host)] = true
		}
	}
	return resp, nil
}

var realmParameter = regexp.MustCompile(`(?i)^bearer\s.*\brealm="([^"]+)"`)

func bearerRealm(challenge string) (*url.URL, bool) {
	match := realmParameter.FindStringSubmatch(challenge)
	if match == nil {
		return nil, false
	}
	u, err := url.Parse(match[1])
	return u, err == nil && u.Host != ""
}

func (g *gateway) isRealm(r *http.Request) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.realms[hostOf(r)+r.URL.Path]
}

// isRedirect says whether a read goes where a real registry pointed.
func (g *gateway) isRedirect(r *http.Request) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return (r.Method == http.MethodGet || r.Method == http.MethodHead) && g.redirects[hostOf(r)]
}

// token asks the real token server for nothing but pull scope. Where it refuses, the client gets a token that opens the overlay
// for writing; what it then reads is refused by the real registry, as it must be.
func (g *gateway) token(req *http.Request) (*http.Response, error) {
	out, err := pullRequest(req)
	if err != nil {
		return nil, err
	}
	resp, err := g.base.RoundTrip(g.withoutOwnSecrets(out))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusUnauthorized && resp.StatusCode != http.StatusForbidden {
		return resp, nil
	}
	_ = resp.Body.Close()
	return answerInProcess(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]any{"token": ownToken, "access_token": ownToken})
	}), out)
}

// pullRequest is a token request with every scope cut down to pull: in the query, or in the form of an OAuth 2 POST.
func pullRequest(req *http.Request) (*http.Request, error) {
	out := req.Clone(req.Context())
	query := req.URL.Query()
	pullOnly(query)
	out.URL.RawQuery = query.Encode()
	if req.Body == nil || req.Body == http.NoBody {
		return out, nil
	}
	defer closeBody(req)
	body, err := readBody(req, 64<<10)
	if err != nil {
		return nil, fmt.Errorf("token request: %w", err)
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, fmt.Errorf("token request: its form cannot be read") // the error would show the form's secrets
	}
	pullOnly(form)
	text := form.Encode()
	out.Body, out.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
	return out, nil
}

// Bounds of a real registry's tag list.
const (
	maxTagPage  = 8 << 20
	maxTagPages = 1000
)

// tags reads all pages of the real list; refusal is the first answer that is not a list, for the caller to close.
func (g *gateway) tags(req *http.Request, repo string) (tags []string, refusal *http.Response, err error) {
	next := &url.URL{Scheme: req.URL.Scheme, Host: req.URL.Host, Path: "/v2/" + repo + "/tags/list", RawQuery: "n=1000"}
	for range maxTagPages {
		one := req.Clone(req.Context())
		one.URL = next
		resp, err := g.pass(one)
		if err != nil {
			return nil, nil, err
		}
		if resp.StatusCode != http.StatusOK {
			return nil, resp, nil
		}
		page, err := tagPage(resp)
		if err != nil {
			return nil, nil, fmt.Errorf("tags of %s/%s: %w", req.URL.Host, repo, err)
		}
		tags = append(tags, page...)
		following := link.Next(resp.Header, next)
		if following == nil {
			return tags, nil, nil
		}
		if following.Host != req.URL.Host {
			return nil, nil, fmt.Errorf("tags of %s/%s: the next page is on another host", req.URL.Host, repo)
		}
		next = following
	}
	return nil, nil, fmt.Errorf("tags of %s/%s: more than %d pages", req.URL.Host, repo, maxTagPages)
}

func tagPage(resp *http.Response) ([]string, error) {
	defer func() { _ = resp.Body.Close() }()
	raw, err := bounded.Read(resp.Body, maxTagPage)
	if err != nil {
		return nil, err
	}
	var page struct {
		Tags []string `json:"tags"`
	}
	if err := json.Unmarshal(raw, &page); err != nil {
		return nil, fmt.Errorf("page is no JSON: %w", err)
	}
	return page.Tags, nil
}
