package retry_test

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/taglast/taglast/internal/retry"
)

// body counts what is read of it, and whether it was closed.
type body struct {
	io.Reader
	read   int
	closed bool
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	b.read += n
	return n, err
}

func (b *body) Close() error { b.closed = true; return nil }

func answer(code int, contentType, text string) (*http.Response, *body) {
	b := &body{Reader: strings.NewReader(text)}
	u, _ := url.Parse("https://user:pass@r.example/v2/a%2Fb/manifests/1?sig=secret#x")
	return &http.Response{
		StatusCode: code, Header: http.Header{"Content-Type": {contentType}}, Body: b,
		Request: &http.Request{Method: http.MethodPut, URL: u},
	}, b
}

func TestCheckStatusReadsWhatServersSay(t *testing.T) {
	for name, c := range map[string]struct {
		code       int
		kind, body string
		want       string // after "PUT https://r.example/v2/a%2Fb/manifests/1: "
	}{
		"a registry's errors": {
			403, "application/json", `{"errors":[{"code":"DENIED","message":"may not push","detail":null},{"code":"UNAUTHORIZED","message":"log in"}]}`,
			"403 Forbidden: DENIED, UNAUTHORIZED: may not push; log in",
		},
		"GitHub's message":           {422, "application/json", `{"message":"Invalid Argument","errors":["duplicate subject"],"documentation_url":"https://docs"}`, "422 Unprocessable Entity: Invalid Argument; duplicate subject"},
		"GitHub's field errors":      {422, "application/json", `{"message":"Validation Failed","errors":[{"resource":"R","code":"custom","message":"bad"}]}`, "422 Unprocessable Entity: custom: Validation Failed; bad"},
		"Sigstore's numeric code":    {400, "application/json", `{"code":3,"message":"bad token","details":[]}`, "400 Bad Request: bad token"},
		"Docker's token service":     {401, "application/json", `{"details":"incorrect username or password"}`, "401 Unauthorized: incorrect username or password"},
		"plain text":                 {502, "text/plain", "upstream\n\x1b[31m##[error]gone\n", `502 Bad Gateway: upstream\n\x1b[31m##\[error]gone`},
		"a web page is left out":     {503, "text/html; charset=utf-8", "<html>Unicorn!</html>", "503 Service Unavailable"},
		"garbage JSON is left out":   {500, "application/json", "{", "500 Internal Server Error"},
		"a body of another JSON":     {500, "application/json", `{"message":{"a":1},"errors":{"b":2}}`, "500 Internal Server Error"},
		"an empty body":              {404, "", "", "404 Not Found"},
		"a status without a name":    {522, "", "", "522"},
		"a code that tries to act":   {400, "application/json", `{"errors":[{"code":"A\n::set-env::","message":""}]}`, `400 Bad Request: A\n::set-env::`},
		"a message longer than 1 KB": {400, "text/plain", strings.Repeat("x", 2000), "400 Bad Request: " + strings.Repeat("x", 1021) + "…"},
	} {
		t.Run(name, func(t *testing.T) {
			resp, b := answer(c.code, c.kind, c.body)
			err := retry.CheckStatus(resp)
			if want := "PUT https://r.example/v2/a%2Fb/manifests/1: " + c.want; err == nil || err.Error() != want {
				t.Errorf("got  %v\nwant %s", err, want)
			}
			if !b.closed {
				t.Error("the body is left open")
			}
		})
	}
}

func TestCheckStatusLeavesAGoodAnswerAlone(t *testing.T) {
	for _, c := range []struct {
		code int
		ok   []int
		want bool
	}{{200, nil, true}, {204, nil, true}, {304, nil, false}, {404, []int{200, 404}, true}, {201, []int{200}, false}} {
		resp, b := answer(c.code, "text/plain", "x")
		if err := retry.CheckStatus(resp, c.ok...); (err == nil) != c.want {
			t.Errorf("status %d, ok %v: %v", c.code, c.ok, err)
		}
		if c.want && (b.closed || b.read > 0) {
			t.Errorf("status %d: the body was touched", c.code)
		}
	}
}

func TestCheckStatusReadsNoMoreThan64KiB(t *testing.T) {
	resp, b := answer(500, "text/plain", strings.Repeat("x", 1<<20))
	if err := retry.CheckStatus(resp); err == nil || b.read > 64<<10 {
		t.Errorf("%d bytes were read: %v", b.read, err)
	}
}

func TestCheckStatusWithoutARequestOrBody(t *testing.T) {
	if err := retry.CheckStatus(&http.Response{StatusCode: http.StatusInternalServerError}); err == nil || err.Error() != "500 Internal Server Error" {
		t.Errorf("got %v", err)
	}
}

func TestCheckStatusFindsTheWaitAskedFor(t *testing.T) {
	now := time.Now()
	reset := now.Add(10 * time.Minute).Unix()
	for name, c := range map[string]struct {
		code   int
		header map[string]string
		body   string
		want   time.Duration
		has    bool
	}{
		"Retry-After":                            {503, map[string]string{"Retry-After": "7"}, "", 7 * time.Second, true},
		"Retry-After before GitHub's reset":      {403, map[string]string{"Retry-After": "7", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": strconv.FormatInt(reset, 10)}, "", 7 * time.Second, true},
		"GitHub's reset":                         {403, map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": strconv.FormatInt(reset, 10)}, "", 10 * time.Minute, true},
		"GitHub's reset while requests are left": {403, map[string]string{"X-RateLimit-Remaining": "3", "X-RateLimit-Reset": strconv.FormatInt(reset, 10)}, "", 0, false},
		"GitHub's reset on a 404":                {404, map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": strconv.FormatInt(reset, 10)}, "", 0, false},
		"a secondary limit without a header":     {403, nil, `{"message":"You have exceeded a secondary rate limit."}`, time.Minute, true},
		"a plain refusal":                        {403, nil, `{"message":"Resource not accessible by integration"}`, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			resp, _ := answer(c.code, "application/json", c.body)
			for k, v := range c.header {
				resp.Header.Set(k, v)
			}
			var e *retry.StatusError
			if err := retry.CheckStatus(resp); !errors.As(err, &e) {
				t.Fatal(err)
			}
			if diff := e.After - c.want; e.HasAfter != c.has || diff > 0 || diff < -2*time.Second {
				t.Errorf("after %s, %v; want %s, %v", e.After, e.HasAfter, c.want, c.has)
			}
		})
	}
}

func TestWithoutQueryHidesSecrets(t *testing.T) {
	err := retry.WithoutQuery(&url.Error{Op: "Get", URL: "https://u:p@blob.example/x?sig=secret#f", Err: io.EOF})
	if want := `Get "https://blob.example/x": EOF`; err.Error() != want || !errors.Is(err, io.EOF) {
		t.Errorf("got %v, want %s", err, want)
	}
	if err := retry.WithoutQuery(&url.Error{Op: "Get", URL: "https://%zz?secret", Err: io.EOF}); strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v", err)
	}
	if err := retry.WithoutQuery(io.EOF); err != io.EOF { //nolint:errorlint // the very same error
		t.Errorf("got %v", err)
	}
}

func FuzzCheckStatus(f *testing.F) {
	for _, s := range []string{`{"errors":[{"code":"DENIED","message":"no"}]}`, `{"message":"x","errors":["y"]}`, `[]`, "\x1b[1m", `{"errors":[1,null,{"code":{}}]}`} {
		f.Add(s, "application/json")
	}
	f.Fuzz(func(t *testing.T, text, kind string) {
		resp, _ := answer(500, kind, text)
		var e *retry.StatusError
		if err := retry.CheckStatus(resp); !errors.As(err, &e) {
			t.Fatal(err)
		}
		if len(e.Message) > 1<<10 || len(e.Codes) > 16 || strings.ContainsAny(e.Error(), "\n\r\x1b\x00\u202e") {
			t.Errorf("%d bytes, %d codes: %q", len(e.Message), len(e.Codes), e)
		}
	})
}
