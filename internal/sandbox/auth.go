package sandbox

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Auth is how a registry knows its clients. The zero value lets everyone in.
type Auth struct {
	Scheme    string // "", "basic" or "bearer"
	Username  string // "" takes any, as GHCR does
	Password  string
	Anonymous bool // bearer: reads need no login
}

const (
	tokenPath  = "/token"
	bearerLife = 5 * time.Minute
)

// auth admits requests, and hands out bearer tokens at /token (distribution specification, "Token Authentication").
type auth struct {
	host    string
	options RegistryOptions

	mu     sync.Mutex
	tokens map[string]grant
}

// grant is what a bearer token is good for.
type grant struct {
	scopes  map[string][]string // repository → actions
	denied  map[string]bool     // repositories whose push was asked for and not given
	expires time.Time
}

func newAuth(host string, o RegistryOptions) *auth {
	return &auth{host: host, options: o, tokens: map[string]grant{}}
}

func (a *auth) mayPush(repo string) bool {
	return !slices.Contains(a.options.DenyPush, "*") && !slices.Contains(a.options.DenyPush, repo)
}

// loggedIn checks basic credentials.
func (a *auth) loggedIn(r *http.Request) bool {
	user, password, ok := r.BasicAuth()
	want := a.options.Auth
	return ok && password == want.Password && (want.Username == "" || user == want.Username)
}

// admit says whether the request may go on; if not, it has answered.
func (a *auth) admit(w http.ResponseWriter, r *http.Request, t target) bool {
	write := r.Method != http.MethodGet && r.Method != http.MethodHead
	if write && a.options.Auth.Scheme != "bearer" && !a.mayPush(t.repo) {
		return a.deny(w, t)
	}
	switch a.options.Auth.Scheme {
	case "basic":
		if !a.loggedIn(r) {
			w.Header().Set("Www-Authenticate", `Basic realm="`+a.host+`"`)
			refuse(w, http.StatusUnauthorized, "UNAUTHORIZED", "authentication required")
			return false
		}
	case "bearer":
		return a.admitBearer(w, r, t, write)
	}
	return true
}

// mayRead says whether the request may read that repository: what a mount from it needs beside the right to push.
func (a *auth) mayRead(r *http.Request, repo string) bool {
	if a.options.Auth.Scheme != "bearer" {
		return true
	}
	raw, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Contains(a.tokens[raw].scopes[repo], "pull")
}

func (a *auth) deny(w http.ResponseWriter, t target) bool {
	refuse(w, http.StatusForbidden, "DENIED", "permission_denied: write_package: "+t.repo)
	return false
}

func (a *auth) admitBearer(w http.ResponseWriter, r *http.Request, t target, write bool) bool {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	a.mu.Lock()
	g, ok := a.tokens[token]
	a.mu.Unlock()
	if ok = ok && time.Now().Before(g.expires); ok {
		action := "pull"
		if write {
			action = "push"
		}
		switch {
		case t.kind == "" || slices.Contains(g.scopes[t.repo], action):
			return true
		case write && g.denied[t.repo]:
			return a.deny(w, t)
		}
	}
	challenge := fmt.Sprintf(`Bearer realm="%s://%s%s",service="%s"`, requestScheme(r), r.Host, tokenPath, a.host)
	if t.kind != "" {
		actions := "pull"
		if write {
			actions = "pull,push"
		}
		challenge += fmt.Sprintf(`,scope="repository:%s:%s"`, t.repo, actions)
	}
	if ok {
		challenge += `,error="insufficient_scope"`
	}
	w.Header().Set("Www-Authenticate", challenge)
	refuse(w, http.StatusUnauthorized, "UNAUTHORIZED", "authentication required")
	return false
}

// token gives a token for the scopes that are asked for. Like GHCR it never says no to a scope: what is not granted shows
// at the first use.
func (a *auth) token(w http.ResponseWriter, r *http.Request) {
	if !allow(w, r, http.MethodGet) {
		return
	}
	login := a.loggedIn(r)
	if !login && (r.Header.Get("Authorization") != "" || !a.options.Auth.Anonymous) {
		refuse(w, http.StatusUnauthorized, "UNAUTHORIZED", "authentication required")
		return
	}
	g := grant{scopes: map[string][]string{}, denied: map[string]bool{}, expires: time.Now().Add(bearerLife)}
	for _, scope := range r.URL.Query()["scope"] {
		for one := range strings.FieldsSeq(scope) {
			parts := strings.Split(one, ":")
			if len(parts) != 3 || parts[0] != "repository" {
				continue
			}
			for action := range strings.SplitSeq(parts[2], ",") {
				if action == "push" && (!login || !a.mayPush(parts[1])) {
					g.denied[parts[1]] = true
					continue
				}
				g.scopes[parts[1]] = append(g.scopes[parts[1]], action)
			}
		}
	}
	var id [16]byte
	if _, err := rand.Read(id[:]); err != nil {
		refuse(w, http.StatusInternalServerError, "UNKNOWN", err.Error())
		return
	}
	raw := hex.EncodeToString(id[:])
	a.mu.Lock()
	a.tokens[raw] = g
	a.mu.Unlock()
	writeJSON(w, http.StatusOK, map[string]any{"token": raw, "access_token": raw, "expires_in": int(bearerLife.Seconds())})
}
