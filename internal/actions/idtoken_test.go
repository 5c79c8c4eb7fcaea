package actions_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taglast/taglast/internal/actions"
	"github.com/taglast/taglast/internal/retry"
)

const (
	endpoint = "https://run.actions.example/token?api-version=2.0"
	bearer   = "ghs_requestToken"
)

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func reply(req *http.Request, code int, body string, header ...string) *http.Response {
	h := http.Header{}
	for i := 0; i < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{StatusCode: code, Header: h, Body: io.NopCloser(strings.NewReader(body)), Request: req}
}

func tokenRunner(log io.Writer, url string) *actions.Runner {
	return actions.New(env("GITHUB_ACTIONS", "true", "ACTIONS_ID_TOKEN_REQUEST_URL", url, "ACTIONS_ID_TOKEN_REQUEST_TOKEN", bearer), log)
}

func TestIDTokenAsksAsGitHubDocuments(t *testing.T) {
	for url, want := range map[string]string{
		endpoint:                             endpoint + "&audience=sig+store%26x",
		"https://run.example/token":          "https://run.example/token?audience=sig+store%26x",
		"http://127.0.0.1:8080/t?a=b%2Fc":    "http://127.0.0.1:8080/t?a=b%2Fc&audience=sig+store%26x",
		"http://[::1]:8080/t":                "http://[::1]:8080/t?audience=sig+store%26x",
		"http://localhost/t#never-a-query":   "http://localhost/t?audience=sig+store%26x",
		"https://run.example/a%2Fb?q=1;2&&x": "https://run.example/a%2Fb?q=1;2&&x&audience=sig+store%26x",
	} {
		var log bytes.Buffer
		client := &http.Client{Transport: roundTrip(func(req *http.Request) (*http.Response, error) {
			if req.Method != http.MethodGet || req.URL.String() != want {
				t.Errorf("asked %s %s, want %s", req.Method, req.URL, want)
			}
			if got := req.Header; got.Get("Authorization") != "Bearer "+bearer || got.Get("Accept") != "application/json" {
				t.Errorf("headers %v", got)
			}
			return reply(req, 200, `{"count":1234,"value":"ey.J.x"}`), nil
		})}
		token, err := tokenRunner(&log, url).IDToken(t.Context(), client, "sig store&x", retry.Policy{})
		if err != nil || token != "ey.J.x" {
			t.Errorf("%s: %q, %v", url, token, err)
		}
		if want := "::add-mask::" + bearer + "\n::add-mask::ey.J.x\n"; log.String() != want {
			t.Errorf("log %q, want %q", log.String(), want)
		}
	}
}

func TestIDTokenWithoutPermission(t *testing.T) {
	for _, getenv := range []func(string) string{
		env("ACTIONS_ID_TOKEN_REQUEST_URL", endpoint),
		env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", bearer),
		env(),
	} {
		if _, err := actions.New(getenv, io.Discard).IDToken(t.Context(), &http.Client{}, "sigstore", retry.Policy{}); !errors.Is(err, actions.ErrNoIDToken) {
			t.Errorf("got %v", err)
		}
	}
}

func TestIDTokenOutlastsAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin, tries := time.Now(), 0
		client := &http.Client{Transport: roundTrip(func(req *http.Request) (*http.Response, error) {
			switch tries++; {
			case tries == 1:
				return nil, syscall.ECONNRESET
			case tries == 2:
				return reply(req, 408, ""), nil
			case tries == 3:
				return reply(req, 429, "", "Retry-After", "5"), nil
			case time.Since(begin) < 5*time.Minute:
				return reply(req, 503, "busy"), nil
			}
			return reply(req, 200, `{"value":"ey.J.x"}`), nil
		})}
		token, err := tokenRunner(io.Discard, endpoint).IDToken(t.Context(), client, "sigstore", retry.Policy{Budget: 10 * time.Minute})
		if err != nil || token == "" || tries < 10 {
			t.Errorf("%q, %v after %d tries", token, err, tries)
		}
	})
}

func TestIDTokenRefuses(t *testing.T) {
	const secret = "eyJsecret"
	for name, c := range map[string]struct {
		code int
		body string
		want string
	}{
		"an empty value":            {200, `{"count":0,"value":""}`, "ID token: the answer holds no token"},
		"no value":                  {200, `{}`, "ID token: the answer holds no token"},
		"a value with a line break": {200, `{"value":"` + secret + `\n::set-env::"}`, "ID token: the answer's value is not a token"},
		"an answer over 64 KiB":     {200, `{"value":"` + strings.Repeat("x", 64<<10) + `"}`, "ID token: the answer is longer than 65536 bytes"},
		"a refusal":                 {401, `{"message":"expired"}`, "ID token: GET https://run.actions.example/token: 401 Unauthorized: expired"},
		"a refusal that echoes":     {401, `{"message":"bad ` + bearer + `"}`, "ID token: GET https://run.actions.example/token: 401 Unauthorized"},
	} {
		t.Run(name, func(t *testing.T) {
			tries := 0
			client := &http.Client{Transport: roundTrip(func(req *http.Request) (*http.Response, error) {
				tries++
				return reply(req, c.code, c.body), nil
			})}
			token, err := tokenRunner(io.Discard, endpoint).IDToken(t.Context(), client, "sigstore", retry.Policy{})
			if token != "" || err == nil || err.Error() != c.want || tries != 1 {
				t.Errorf("got %q, %v after %d tries; want %s", token, err, tries, c.want)
			}
		})
	}
}

func TestGarbledAnswersAreAskedForAgainAndNeverShown(t *testing.T) {
	const secret = "eyJsecret"
	for _, body := range []string{`{"value":"` + secret, `{"value":["` + secret + `"]}`, secret, ""} {
		synctest.Test(t, func(t *testing.T) {
			tries, good := 0, false
			client := &http.Client{Transport: roundTrip(func(req *http.Request) (*http.Response, error) {
				if tries++; good {
					return reply(req, 200, `{"value":"ey.J.x"}`), nil
				}
				return reply(req, 200, body), nil
			})}
			token, err := tokenRunner(io.Discard, endpoint).IDToken(t.Context(), client, "sigstore", retry.Policy{})
			if token != "" || err == nil || tries < 3 || strings.Contains(err.Error(), secret) ||
				!strings.HasPrefix(err.Error(), "ID token: the answer is not a JSON object with a token for 2m00s (") {
				t.Errorf("%q: got %q, %v after %d tries", body, token, err, tries)
			}
			good = true
			if token, err := tokenRunner(io.Discard, endpoint).IDToken(t.Context(), client, "sigstore", retry.Policy{}); err != nil || token == "" {
				t.Errorf("and then: %v", err)
			}
		})
	}
}

func TestTheRequestsTokenGoesToItsHostAlone(t *testing.T) {
	var hosts []string
	client := &http.Client{Transport: roundTrip(func(req *http.Request) (*http.Response, error) {
		hosts = append(hosts, req.URL.Host)
		return reply(req, 302, "", "Location", "https://evil.example/token"), nil
	})}
	_, err := tokenRunner(io.Discard, endpoint).IDToken(t.Context(), client, "sigstore", retry.Policy{})
	if err == nil || strings.Join(hosts, " ") != "run.actions.example" {
		t.Errorf("%v, asked %v", err, hosts)
	}
}

func TestIDTokenRefusesEndpointsThatWouldShowTheToken(t *testing.T) {
	never := &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
		t.Error("asked")
		return nil, context.Canceled
	})}
	for _, url := range []string{"http://run.example/token", "ftp://run.example", "run.example/token", "https://u:p@run.example/t", "https://%zz", "https:///x"} {
		if _, err := tokenRunner(io.Discard, url).IDToken(t.Context(), never, "sigstore", retry.Policy{}); err == nil || strings.Contains(err.Error(), "u:p") {
			t.Errorf("%s: got %v", url, err)
		}
	}
	r := actions.New(env("ACTIONS_ID_TOKEN_REQUEST_URL", endpoint, "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "a\nb"), io.Discard)
	if _, err := r.IDToken(t.Context(), never, "sigstore", retry.Policy{}); err == nil {
		t.Error("a bearer with a line break is sent")
	}
}
