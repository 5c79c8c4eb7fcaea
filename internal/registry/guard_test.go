package registry

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/taglast/taglast/internal/registry/permit"
)

// passed records what the guard let through.
type passed struct{ bodies []string }

func (p *passed) RoundTrip(r *http.Request) (*http.Response, error) {
	body := ""
	if r.Body != nil {
		raw, _ := io.ReadAll(r.Body)
		body = string(raw)
	}
	p.bodies = append(p.bodies, body)
	return httptest.NewRecorder().Result(), nil
}

func TestTheGuardRefusesWhateverCouldWriteATag(t *testing.T) {
	const body = `{"schemaVersion":2}`
	own, _, _ := v1.SHA256(strings.NewReader(body))
	foreign := v1.Hash{Algorithm: "sha256", Hex: strings.Repeat("0", 64)}
	app, _ := name.NewRepository("ghcr.io/acme/app")
	other, _ := name.NewRepository("ghcr.io/acme/other")
	free := context.Background()
	const base = "https://ghcr.io/v2/acme/app/manifests/"
	for title, c := range map[string]struct {
		ctx    context.Context
		method string
		url    string
		header http.Header
		host   string
		pass   bool
	}{
		"its own digest passes":                        {url: base + own.String(), pass: true},
		"a tag":                                        {url: base + "1.2.3"},
		"another digest":                               {url: base + foreign.String()},
		"a digest in capitals":                         {url: base + "sha256:" + strings.ToUpper(own.Hex)},
		"sha512":                                       {url: base + "sha512:" + strings.Repeat("0", 128)},
		"a digest with a trailing slash":               {url: base + own.String() + "/"},
		"a digest and a path":                          {url: base + own.String() + "/../1.2.3"},
		"a digest with an encoded colon":               {url: base + "sha256%3A" + own.Hex},
		"a digest with a tag in the query":             {url: base + own.String() + "?tag=1.2.3"},
		"a digest with an empty query":                 {url: base + own.String() + "?"},
		"a digest in another repository":               {url: "https://ghcr.io/v2/acme/other/manifests/" + own.String()},
		"a tag with a permit passes":                   {ctx: permit.Tag(free, app, "1.2.3", own), url: base + "1.2.3", pass: true},
		"a permit for another tag":                     {ctx: permit.Tag(free, app, "1.2.4", own), url: base + "1.2.3"},
		"a permit for another body":                    {ctx: permit.Tag(free, app, "1.2.3", foreign), url: base + "1.2.3"},
		"a permit for another repository":              {ctx: permit.Tag(free, other, "1.2.3", own), url: base + "1.2.3"},
		"a permit that was replaced":                   {ctx: permit.Tag(permit.Tag(free, app, "1.2.3", own), app, "2", own), url: base + "1.2.3"},
		"a permit for an empty tag":                    {ctx: permit.Tag(free, app, "", own), url: base},
		"a permit for a tag with an encoded letter":    {ctx: permit.Tag(free, app, "latest", own), url: base + "l%61test"},
		"a permit and a query":                         {ctx: permit.Tag(free, app, "1.2.3", own), url: base + "1.2.3?tag=latest"},
		"a permit and a double slash":                  {ctx: permit.Tag(free, app, "1.2.3", own), url: "https://ghcr.io/v2/acme/app//manifests/1.2.3"},
		"an encoded slash before the tag":              {url: "https://ghcr.io/v2/acme/app/manifests%2F1.2.3"},
		"a twice encoded slash":                        {url: "https://ghcr.io/v2/acme/app/manifests%252F1.2.3"},
		"encoded letters":                              {url: "https://ghcr.io/v2/acme/app/%6danifests/1.2.3"},
		"capitals":                                     {url: "https://ghcr.io/v2/acme/app/Manifests/1.2.3"},
		"a version in capitals":                        {url: "https://ghcr.io/V2/acme/app/manifests/1.2.3"},
		"backslashes":                                  {url: `https://ghcr.io/v2/acme/app/manifests%5C1.2.3`},
		"parameters on the segment":                    {url: "https://ghcr.io/v2/acme/app/manifests;x=y/1.2.3"},
		"out of the uploads":                           {url: "https://ghcr.io/v2/acme/app/blobs/uploads/../../manifests/1.2.3"},
		"out of the uploads, encoded":                  {url: "https://ghcr.io/v2/acme/app/blobs/uploads/%2e%2e/%2e%2e/manifests/1.2.3"},
		"under a prefix":                               {url: "https://ghcr.io/x/v2/acme/app/manifests/1.2.3"},
		"another host":                                 {url: "https://evil.example/v2/acme/app/manifests/1.2.3"},
		"PATCH of a manifest":                          {method: "PATCH", url: base + own.String()},
		"POST of a manifest":                           {method: "POST", url: base + own.String()},
		"DELETE of a manifest":                         {method: "DELETE", url: base + own.String()},
		"a method in small letters":                    {method: "put", url: base + own.String()},
		"a method of its own":                          {method: "MOVE", url: base + own.String()},
		"a method override":                            {method: "POST", url: "https://ghcr.io/v2/acme/app/blobs/uploads/", header: http.Header{"X-Http-Method-Override": {"PUT"}}},
		"an encoded body":                              {url: base + own.String(), header: http.Header{"Content-Encoding": {"gzip"}}},
		"another Host":                                 {url: base + own.String(), host: "docker.io"},
		"a blob's commit passes":                       {url: "https://ghcr.io/v2/acme/app/blobs/uploads/1?digest=x", pass: true},
		"a commit on a storage host passes":            {url: "https://storage.example/upload/1", pass: true},
		"an upload named manifests passes":             {url: "https://ghcr.io/v2/acme/app/blobs/uploads/manifests/1.2.3", pass: true},
		"reading a tag passes":                         {method: "GET", url: base + "1.2.3", pass: true},
		"looking at a tag passes":                      {method: "HEAD", url: base + "1.2.3", pass: true},
		"starting an upload passes":                    {method: "POST", url: "https://ghcr.io/v2/acme/app/blobs/uploads/?mount=x&from=manifests", pass: true},
		"a permit does not open a neighbour's uploads": {ctx: permit.Tag(free, app, "1.2.3", own), url: "https://ghcr.io/v2/acme/other/blobs/uploads/../../manifests/1.2.3"},
	} {
		t.Run(title, func(t *testing.T) {
			if c.ctx == nil {
				c.ctx = free
			}
			if c.method == "" {
				c.method = http.MethodPut
			}
			u, err := url.Parse(c.url)
			if err != nil {
				t.Fatal(err)
			}
			req := (&http.Request{Method: c.method, URL: u, Host: u.Host, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}).WithContext(c.ctx)
			if c.header != nil {
				req.Header = c.header
			}
			if c.host != "" {
				req.Host = c.host
			}
			next := &passed{}
			_, err = guard{app, next}.RoundTrip(req)
			if c.pass != (err == nil) || c.pass != (len(next.bodies) == 1) {
				t.Fatalf("passed %q with %v", next.bodies, err)
			}
			if !c.pass && !errors.Is(err, ErrGuard) {
				t.Errorf("%v is no ErrGuard", err)
			}
			if c.pass && next.bodies[0] != body {
				t.Errorf("the body became %q", next.bodies[0])
			}
		})
	}
}

func TestTheGuardSendsWhatItHashedAndNothingElse(t *testing.T) {
	app, _ := name.NewRepository("ghcr.io/acme/app")
	body := []byte(`{"schemaVersion":2}`)
	digest, _, _ := v1.SHA256(bytes.NewReader(body))
	u, _ := url.Parse("https://ghcr.io/v2/acme/app/manifests/" + digest.String())
	req := &http.Request{Method: http.MethodPut, URL: u, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(body))}
	// A second body, for a replay after a 401, must not be able to differ from the one that was hashed.
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("other")), nil }
	var replay string
	_, err := guard{app, roundTrip(func(r *http.Request) (*http.Response, error) {
		second, err := r.GetBody()
		if err != nil {
			return nil, err
		}
		raw, _ := io.ReadAll(second)
		replay = string(raw)
		return httptest.NewRecorder().Result(), nil
	})}.RoundTrip(req)
	if err != nil || replay != string(body) {
		t.Errorf("the replay sends %q, %v", replay, err)
	}
}

func TestTheGuardReadsNoMoreThanAManifest(t *testing.T) {
	app, _ := name.NewRepository("ghcr.io/acme/app")
	u, _ := url.Parse("https://ghcr.io/v2/acme/app/manifests/sha256:" + strings.Repeat("0", 64))
	endless := io.NopCloser(io.LimitReader(zeros{}, 1<<40))
	_, err := guard{app, &passed{}}.RoundTrip(&http.Request{Method: http.MethodPut, URL: u, Header: http.Header{}, Body: endless})
	if !errors.Is(err, ErrGuard) {
		t.Error(err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// FuzzGuard: whatever the path, a PUT that passes without a permit is no request that a lenient server could read as
// the write of a manifest under anything but the body's digest.
func FuzzGuard(f *testing.F) {
	for _, s := range []string{"/v2/acme/app/manifests/latest", "/v2/acme/app/blobs/uploads/../../manifests/x", "/v2/acme/app/%6Danifests/x", "/v2//acme/app/manifests%2fx", `/v2/acme/app\manifests\x`} {
		f.Add(s)
	}
	app, _ := name.NewRepository("ghcr.io/acme/app")
	f.Fuzz(func(t *testing.T, path string) {
		u, err := url.Parse("https://ghcr.io" + path)
		if err != nil || u.Host != "ghcr.io" {
			return
		}
		req := &http.Request{Method: http.MethodPut, URL: u, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("x"))}
		if _, err := (guard{app, &passed{}}).RoundTrip(req); err != nil {
			return
		}
		lenient := u.Path
		for range 4 {
			lenient = strings.ReplaceAll(strings.ToLower(lenient), `\`, "/")
			if resolved := (&url.URL{Path: "/"}).ResolveReference(&url.URL{Path: lenient}); strings.HasPrefix(resolved.Path, "/v2/acme/app/manifests/") &&
				resolved.Path != "/v2/acme/app/manifests/sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881" {
				t.Fatalf("%q passed and can be read as %q", path, resolved.Path)
			}
			if lenient, err = url.PathUnescape(lenient); err != nil {
				return
			}
		}
	})
}
