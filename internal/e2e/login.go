//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
)

// A login puts token authentication (distribution, "Token Authentication Specification") before a registry that has
// none, the way GHCR and Docker Hub do it: anyone may pull; a token for pushing is given to whoever has an account, and
// it is the registry that refuses when it is used.
type login struct {
	host, service string // of the token endpoint, and the name it gives itself
	account       func(user, password string) (mayPush, known bool)
	registry      http.Handler

	mu     sync.Mutex
	tokens map[string]grant
}

type grant struct {
	push   bool
	scopes []string
}

func newLogin(host, service string, registry http.Handler, account func(user, password string) (mayPush, known bool)) *login {
	return &login{host: host, service: service, account: account, registry: registry, tokens: map[string]grant{}}
}

// token is the endpoint that WWW-Authenticate names.
func (l *login) token(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet { // who is refused the OAuth form asks again by GET
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	g := grant{scopes: r.URL.Query()["scope"]}
	if user, password, ok := r.BasicAuth(); ok {
		if g.push, ok = l.account(user, password); !ok {
			denied(w, http.StatusUnauthorized, "UNAUTHORIZED", "incorrect username or password")
			return
		}
	}
	t := secret("reg-")
	l.mu.Lock()
	l.tokens[t] = g
	l.mu.Unlock()
	reply(w, http.StatusOK, map[string]any{"token": t, "expires_in": 300})
}

func (l *login) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/token" {
		l.token(w, r)
		return
	}
	name, action := repositoryOf(r.URL.Path), "pull"
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		action = "push"
	}
	l.mu.Lock()
	g, ok := l.tokens[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]
	l.mu.Unlock()
	if !ok || (name != "" && !g.covers(name, action)) {
		challenge := fmt.Sprintf(`Bearer realm="https://%s/token",service=%q`, l.host, l.service)
		if name != "" {
			challenge += fmt.Sprintf(`,scope="repository:%s:%s"`, name, map[string]string{"pull": "pull", "push": "pull,push"}[action])
		}
		w.Header().Set("WWW-Authenticate", challenge)
		denied(w, http.StatusUnauthorized, "UNAUTHORIZED", "authentication required")
		return
	}
	if action == "push" && !g.push {
		denied(w, http.StatusForbidden, "DENIED", "permission_denied: write_package")
		return
	}
	r = r.Clone(r.Context())
	r.Header.Del("Authorization")
	l.registry.ServeHTTP(w, r)
}

// covers says whether the token was asked for this repository and action.
func (g grant) covers(name, action string) bool {
	for _, scope := range g.scopes {
		for one := range strings.FieldsSeq(scope) {
			if actions, ok := strings.CutPrefix(one, "repository:"+name+":"); ok && strings.Contains(","+actions+",", ","+action+",") {
				return true
			}
		}
	}
	return false
}

// basic asks for one user and password at every request.
func basic(user, password string, registry http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if u, p, ok := r.BasicAuth(); !ok || u != user || p != password {
			w.Header().Set("WWW-Authenticate", `Basic realm="registry"`)
			denied(w, http.StatusUnauthorized, "UNAUTHORIZED", "authentication required")
			return
		}
		r = r.Clone(r.Context())
		r.Header.Del("Authorization")
		registry.ServeHTTP(w, r)
	})
}

// withoutReferrers answers the referrers API as GHCR does: by sending the client to a page that is not there.
func withoutReferrers(registry http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if name := repositoryOf(r.URL.Path); name != "" && strings.HasPrefix(r.URL.Path, "/v2/"+name+"/referrers/") {
			http.Redirect(w, r, "https://github.com/-/v2/packages/container/package/"+url.PathEscape(name), http.StatusSeeOther)
			return
		}
		registry.ServeHTTP(w, r)
	})
}

// repositoryOf is the name in a path of the distribution API; empty for /v2/ itself.
func repositoryOf(path string) string {
	rest, ok := strings.CutPrefix(path, "/v2/")
	if !ok {
		return ""
	}
	for _, part := range []string{"/manifests/", "/blobs/", "/tags/list", "/referrers/"} {
		if at := strings.LastIndex(rest, part); at > 0 {
			return rest[:at]
		}
	}
	return ""
}

func denied(w http.ResponseWriter, status int, code, message string) {
	reply(w, status, map[string]any{"errors": []map[string]string{{"code": code, "message": message}}})
}
