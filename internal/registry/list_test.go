package registry_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/taglast/taglast/internal/registry"
	"github.com/taglast/taglast/internal/sandbox"
	"github.com/taglast/taglast/internal/testkit/registrytest"
)

// list answers tags/list alone.
func list(answer http.HandlerFunc) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, "/tags/list") {
			return false
		}
		answer(w, r)
		return true
	}
}

func TestOnlyAListOfTagsIsOne(t *testing.T) {
	status := func(code int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(code)
			_, _ = io.WriteString(w, body)
		}
	}
	for title, c := range map[string]struct {
		answer http.HandlerFunc
		want   []string
		kind   error
		says   string // part of the error; empty: a list
	}{
		"a list out of order":        {status(200, `{"name":"acme/app","tags":["b","a","_c","B"]}`), []string{"B", "_c", "a", "b"}, nil, ""},
		"a name without its path":    {status(200, `{"name":"app","tags":["a"]}`), []string{"a"}, nil, ""},
		"a name that ends alike":     {status(200, `{"name":"pp","tags":["a"]}`), nil, nil, "lists the tags of"},
		"a tag twice":                {status(200, `{"name":"acme/app","tags":["a","a"]}`), []string{"a"}, nil, ""},
		"an empty list":              {status(200, `{"name":"acme/app","tags":[]}`), nil, nil, ""},
		"null":                       {status(200, `{"name":"acme/app","tags":null}`), nil, nil, ""},
		"null without a name":        {status(200, `{"tags":null}`), nil, nil, ""},
		"an unknown repository":      {status(404, `{"errors":[{"code":"NAME_UNKNOWN"}]}`), nil, registry.ErrNotFound, "404"},
		"an unknown manifest":        {status(404, `{"errors":[{"code":"MANIFEST_UNKNOWN"}]}`), nil, registry.ErrNotFound, "404"},
		"a 404 that says nothing":    {status(404, `<html>`), nil, registry.ErrNotFound, "404"},
		"unauthorized":               {status(401, `{}`), nil, registry.ErrDenied, "401"},
		"forbidden":                  {status(403, `{"errors":[{"code":"DENIED"}]}`), nil, registry.ErrDenied, "DENIED"},
		"a broken server":            {status(500, `{}`), nil, nil, "500"},
		"a method that is not there": {status(405, `{}`), nil, nil, "405"},
		"no content":                 {status(204, ``), nil, nil, "204"},
		"garbage":                    {status(200, `<html>`), nil, nil, "no list of tags"},
		"nothing":                    {status(200, ``), nil, nil, "no list of tags"},
		"half a list":                {status(200, `{"name":"acme/app","tags":["a"`), nil, nil, "no list of tags"},
		"two documents":              {status(200, `{"name":"acme/app","tags":["a"]}{}`), nil, nil, "no list of tags"},
		"errors under a 200":         {status(200, `{"errors":[{"code":"DENIED"}]}`), nil, nil, "no list of tags"},
		"no tags":                    {status(200, `{"name":"acme/app"}`), nil, nil, "no list of tags"},
		"tags that are no list":      {status(200, `{"name":"acme/app","tags":{"a":1}}`), nil, nil, "no list of tags"},
		"a tag that is a number":     {status(200, `{"name":"acme/app","tags":[1]}`), nil, nil, "no list of tags"},
		"a tag that is null":         {status(200, `{"name":"acme/app","tags":["a",null]}`), nil, nil, "which is no tag"},
		"a tag that is none":         {status(200, `{"name":"acme/app","tags":["a","-b"]}`), nil, nil, `"-b", which is no tag`},
		"a tag with a control":       {status(200, `{"name":"acme/app","tags":["\u001b[2J"]}`), nil, nil, "which is no tag"},
		"a tag that is too long":     {status(200, `{"name":"acme/app","tags":["`+strings.Repeat("a", 129)+`"]}`), nil, nil, "which is no tag"},
		"another repository's":       {status(200, `{"name":"acme/ap","tags":["a"]}`), nil, nil, `lists the tags of "acme/ap"`},
		"more than 8 MiB":            {status(200, `{"name":"acme/app","tags":[],"x":"`+strings.Repeat("x", 8<<20)+`"}`), nil, nil, "bytes that are read"},
		"a body without end": {func(w http.ResponseWriter, _ *http.Request) {
			for range 10 {
				_, _ = w.Write(make([]byte, 1<<20))
			}
		}, nil, nil, "bytes that are read"},
	} {
		t.Run(title, func(t *testing.T) {
			w := newWorld(t, func(o *registry.Options) { o.Retry.Budget = -1 })
			w.Before = list(c.answer)
			got, err := w.client.Tags(context.Background())
			if c.says == "" {
				if err != nil || !slices.Equal(got, c.want) {
					t.Errorf("Tags = %q, %v, want %q", got, err, c.want)
				}
				return
			}
			if err == nil || got != nil || !strings.Contains(err.Error(), c.says) || !strings.HasPrefix(err.Error(), "list the tags of registry.example/acme/app: ") {
				t.Errorf("Tags = %q, %v, want %q", got, err, c.says)
			}
			for _, kind := range []error{registry.ErrNotFound, registry.ErrDenied} {
				if errors.Is(err, kind) != errors.Is(c.kind, kind) {
					t.Errorf("whether it is %q: %v", kind, err)
				}
			}
			if err != nil && strings.ContainsAny(err.Error(), "\x1b\n") {
				t.Errorf("%q is not inert", err)
			}
		})
	}
}

func TestTagsFollowsThePages(t *testing.T) {
	pages := map[string]struct{ link, tags string }{
		"n=1000":         {`</v2/acme/app/tags/list?n=3&last=c>; rel="next"`, `["a","c","b"]`},
		"n=3&last=c":     {`<list?n=3&last=e>; rel="next"`, `["c","d","e"]`}, // one of them again
		"n=3&last=e":     {`<http://registry.example/v2/acme/app/tags/list?token=x%2F>; rel=next`, `["f"]`},
		"token=x%2F":     {`<https://registry.example:443/v2/acme/app/tags/list?n=3&last=h>; rel="prev next"`, `["h"]`},
		"n=3&last=h":     {`</v2/acme/app/tags/list?n=3&last=empty>; rel="next"`, `["g"]`},
		"n=3&last=empty": {`</v2/acme/app/tags/list?n=3&last=a>; rel="prev"`, `null`},
	}
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		failed := map[string]bool{}
		w.Before = list(func(rw http.ResponseWriter, r *http.Request) {
			p, ok := pages[r.URL.RawQuery]
			switch {
			case !ok:
				t.Errorf("it asks for %s", r.URL)
				rw.WriteHeader(http.StatusBadRequest)
			case !failed[r.URL.RawQuery]: // each page fails once
				failed[r.URL.RawQuery] = true
				rw.WriteHeader(http.StatusServiceUnavailable)
			default:
				rw.Header().Set("Link", p.link)
				_, _ = fmt.Fprintf(rw, `{"name":"acme/app","tags":%s}`, p.tags)
			}
		})
		got, err := w.client.Tags(t.Context())
		if want := strings.Split("abcdefgh", ""); err != nil || !slices.Equal(got, want) {
			t.Errorf("Tags = %q, %v, want %q", got, err, want)
		}
		if n := w.Count("GET /v2/acme/app/tags/list"); n != 2*len(pages) {
			t.Errorf("%d requests", n)
		}
	})
}

func TestAListOfTagsEnds(t *testing.T) {
	page := func(w http.ResponseWriter, next string, tags ...string) {
		if next != "" {
			w.Header().Set("Link", "<"+next+`>; rel="next"`)
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"name": "acme/app", "tags": tags})
	}
	many := func(n, from int) []string {
		tags := make([]string, n)
		for i := range tags {
			tags[i] = fmt.Sprint(from + i)
		}
		return tags
	}
	served := 0
	for title, c := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"a page that leads to itself": {func(w http.ResponseWriter, r *http.Request) {
			page(w, r.URL.RequestURI(), "a")
		}, "has no tag that the pages before it did not have"},
		"two pages in a circle": {func(w http.ResponseWriter, r *http.Request) {
			if r.URL.RawQuery == "n=1000" {
				page(w, "?last=a", "a")
				return
			}
			page(w, "?n=1000", "b")
		}, "has no tag"},
		"an empty page that leads on": {func(w http.ResponseWriter, _ *http.Request) { page(w, "?last=x") }, "has no tag"},
		"pages without end": {func(w http.ResponseWriter, _ *http.Request) {
			page(w, fmt.Sprintf("?last=%d", served), fmt.Sprint(served))
		}, "more than 5000 pages"},
		"tags without end": {func(w http.ResponseWriter, _ *http.Request) {
			page(w, fmt.Sprintf("?last=%d", served), many(1500, 1500*served)...)
		}, "more than 200000 tags"},
		"too many tags at once": {func(w http.ResponseWriter, _ *http.Request) { page(w, "", many(200_001, 0)...) }, "more than 200000 tags"},
		"another host": {func(w http.ResponseWriter, _ *http.Request) {
			page(w, "https://evil.example/v2/acme/app/tags/list", "a")
		}, "on another host"},
		"another host, without a scheme":  {func(w http.ResponseWriter, _ *http.Request) { page(w, "//evil.example/", "a") }, "on another host"},
		"another port":                    {func(w http.ResponseWriter, _ *http.Request) { page(w, "https://registry.example:8443/", "a") }, "on another host"},
		"the cloud's metadata":            {func(w http.ResponseWriter, _ *http.Request) { page(w, "https://169.254.169.254/", "a") }, "private address"},
		"a link that cannot be read":      {func(w http.ResponseWriter, _ *http.Request) { page(w, "/%zz", "a") }, "cannot be read"},
		"a link that is longer than that": {func(w http.ResponseWriter, _ *http.Request) { page(w, "?last="+strings.Repeat("a", 20<<10), "a") }, "longer than"},
		"a page that is gone": {func(w http.ResponseWriter, r *http.Request) {
			if r.URL.RawQuery != "n=1000" {
				registrytest.Refuse(w, http.StatusNotFound, "NAME_UNKNOWN")
				return
			}
			page(w, "?last=a", "a")
		}, "page 2 of tags"},
	} {
		t.Run(title, func(t *testing.T) {
			served = 0
			w := newWorld(t, func(o *registry.Options) { o.Retry.Budget = -1 })
			for _, h := range []string{"evil.example", "169.254.169.254", "registry.example:8443"} {
				w.transport.Hosts[h] = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Errorf("%s was asked", h) })
			}
			w.Before = list(func(rw http.ResponseWriter, r *http.Request) {
				served++
				c.answer(rw, r)
			})
			got, err := w.client.Tags(context.Background())
			if err == nil || got != nil || !strings.Contains(err.Error(), c.want) || errors.Is(err, registry.ErrNotFound) {
				t.Errorf("%d tags, %v, want %q", len(got), err, c.want)
			}
			if len(err.Error()) > 1<<10 {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
		})
	}
}

func TestTagsOfADryRunAreTheRealOnesAndItsOwn(t *testing.T) {
	outside := tagged(t, 3000)
	w, err := sandbox.New(sandbox.Options{Base: outside})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.SeedManifest(host, "acme/app", "own", "application/vnd.oci.image.index.v1+json", []byte(`{"manifests":[]}`)); err != nil {
		t.Fatal(err)
	}
	c := registry.NewClients(registry.Options{Transport: w}).Repository(repo(t, host+"/acme/app"))
	got, err := c.Tags(t.Context())
	if err != nil || len(got) != 3001 || got[0] != "own" || got[3000] != "t02999" {
		t.Errorf("%d tags, %v", len(got), err)
	}
	if n := len(outside.Requests()); n != 4 { // the ping and three pages
		t.Errorf("%d requests left", n)
	}
}

// tagged is a world in which acme/app has that many tags.
func tagged(tb testing.TB, tags int) *sandbox.World {
	tb.Helper()
	w, err := sandbox.New(sandbox.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	digest, err := w.SeedManifest(host, "acme/app", "", "application/vnd.oci.image.index.v1+json", []byte(`{"manifests":[]}`))
	if err != nil {
		tb.Fatal(err)
	}
	for n := range tags {
		if err := w.SeedTag(host, "acme/app", fmt.Sprintf("t%05d", n), digest); err != nil {
			tb.Fatal(err)
		}
	}
	return w
}

func BenchmarkTags40000(b *testing.B) {
	w := tagged(b, 40_000)
	c := registry.NewClients(registry.Options{Transport: w}).Repository(repo(b, host+"/acme/app"))
	for b.Loop() {
		if got, err := c.Tags(b.Context()); err != nil || len(got) != 40_000 {
			b.Fatal(len(got), err)
		}
	}
}
