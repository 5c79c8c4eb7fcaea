package fault

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taglast/taglast/internal/sandbox"
)

const (
	index     = `{"schemaVersion":2,"manifests":[]}`
	indexType = "application/vnd.oci.image.index.v1+json"
	app       = "https://ghcr.io/v2/acme/app"
)

func world(t *testing.T) *sandbox.World {
	t.Helper()
	w, err := sandbox.New(sandbox.Options{
		Law:      func(sandbox.Tag) error { return nil },
		Registry: sandbox.RegistryOptions{Auth: sandbox.Auth{Scheme: "basic", Username: "u", Password: "p"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

type outcome struct {
	status int
	header http.Header
	body   string
	err    error
}

func send(t *testing.T, rt http.RoundTripper, method, url, body string) outcome {
	t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", indexType)
	req.SetBasicAuth("u", "p")
	resp, err := rt.RoundTrip(req)
	if err != nil {
		return outcome{err: err}
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	return outcome{resp.StatusCode, resp.Header, string(raw), err}
}

func put(t *testing.T, rt http.RoundTripper) outcome {
	t.Helper()
	return send(t, rt, http.MethodPut, app+"/manifests/v1", index)
}

func written(w *sandbox.World) bool { return w.State().Tags["ghcr.io/acme/app"]["v1"] != "" }

var second = Key{Method: http.MethodPut, Host: "ghcr.io", Path: "/v2/acme/app/manifests/v1", N: 2}

func TestFaultHitsThePlannedRequestAlone(t *testing.T) {
	for _, c := range []struct {
		kind          Kind
		status, after int // of the planned request, of the one behind it
		err           error
		reaches       bool
	}{
		{ServerError, 500, 500, nil, false},
		{Reset, 0, 201, syscall.ECONNRESET, false},
		{Truncated, 201, 201, io.ErrUnexpectedEOF, true},
		{Garbage, 201, 201, nil, true},
		{Unauthorized, 401, 201, nil, false},
		{Forbidden, 403, 201, nil, false},
		{TooMany, 429, 201, nil, false},
		{LostAnswer, 0, 201, syscall.ECONNRESET, true},
		{StaleReads, 201, 201, nil, true},
	} {
		t.Run(c.kind.String(), func(t *testing.T) {
			w := world(t)
			rt := &Transport{Base: w, At: second, Kind: c.kind}
			if got := put(t, rt); got.status != http.StatusCreated || rt.Reached() {
				t.Fatalf("the request before: %+v, hit %t", got, rt.Reached())
			}
			before := len(w.Requests())
			got := put(t, rt)
			if got.status != c.status || !errors.Is(got.err, c.err) || !rt.Reached() {
				t.Errorf("%+v, hit %t", got, rt.Reached())
			}
			if reached := len(w.Requests()) > before; reached != c.reaches {
				t.Errorf("reached the server: %t", reached)
			}
			wantsRetry := c.kind == Forbidden || c.kind == TooMany
			if (got.header.Get("Retry-After") == "1") != wantsRetry {
				t.Errorf("Retry-After %q", got.header.Get("Retry-After"))
			}
			if c.kind == Garbage && json.Valid([]byte(got.body)) {
				t.Errorf("body %q", got.body)
			}
			if got := put(t, rt); got.status != c.after {
				t.Errorf("the request behind: %+v", got)
			}
		})
	}
}

func TestInjected401CarriesTheRegistrysOwnChallenge(t *testing.T) {
	w := world(t)
	ping := Key{Method: http.MethodGet, Host: "ghcr.io", Path: "/v2/", N: 2}
	rt := &Transport{Base: w, At: ping, Kind: Unauthorized}
	req, _ := http.NewRequest(http.MethodGet, "https://ghcr.io/v2/", nil)
	resp, err := rt.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if got := send(t, rt, http.MethodGet, "https://ghcr.io/v2/", ""); got.status != 401 || got.header.Get("Www-Authenticate") != `Basic realm="ghcr.io"` {
		t.Errorf("%+v", got)
	}
}

func TestStaleReadsShowTheOldStateForAWhile(t *testing.T) {
	other := `{"schemaVersion":2,"manifests":[],"annotations":{"a":"b"}}`
	for name, c := range map[string]struct {
		before string
		status int
	}{"nothing": {"", 404}, "another manifest": {other, 200}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := world(t)
				if c.before != "" {
					send(t, w, http.MethodPut, app+"/manifests/v1", c.before)
				}
				first := second
				first.N = 1
				rt := &Transport{Base: w, At: first, Kind: StaleReads}
				put(t, rt)
				if !written(w) {
					t.Error("the server did not act")
				}
				got := send(t, rt, http.MethodGet, app+"/manifests/v1", "")
				if got.status != c.status || c.before != "" && got.body != c.before {
					t.Errorf("at once: %+v", got)
				}
				if got := send(t, rt, http.MethodHead, app+"/manifests/v1", ""); got.status != c.status || got.body != "" {
					t.Errorf("HEAD at once: %+v", got)
				}
				timer := time.NewTimer(5 * time.Second)
				<-timer.C
				if got := send(t, rt, http.MethodGet, app+"/manifests/v1", ""); got.body != index {
					t.Errorf("later: %+v", got)
				}
			})
		})
	}
}

func TestStaleReadsHideABlobBehindItsUpload(t *testing.T) {
	w := world(t)
	rt := &Transport{Base: w, Kind: StaleReads}
	digest := "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
	rt.At = Key{Method: http.MethodPost, Host: "ghcr.io", Path: "/v2/acme/app/blobs/uploads/?digest={digest}", N: 1}
	if got := send(t, rt, http.MethodPost, app+"/blobs/uploads/?digest="+digest, "{}"); got.status != 201 || !rt.Reached() {
		t.Fatalf("%+v", got)
	}
	if got := send(t, rt, http.MethodHead, app+"/blobs/"+digest, ""); got.status != 404 {
		t.Errorf("%+v", got)
	}
	if got := send(t, w, http.MethodHead, app+"/blobs/"+digest, ""); got.status != 200 {
		t.Errorf("behind the fault: %+v", got)
	}
}

func TestKeysNumberEachRequest(t *testing.T) {
	rt := &Transport{Base: world(t)}
	put(t, rt)
	put(t, rt)
	send(t, rt, http.MethodGet, app+"/manifests/v1", "")
	var got []string
	for _, k := range rt.Keys() {
		got = append(got, k.String())
	}
	want := "PUT ghcr.io/v2/acme/app/manifests/v1 #1\nPUT ghcr.io/v2/acme/app/manifests/v1 #2\nGET ghcr.io/v2/acme/app/manifests/v1 #1"
	if strings.Join(got, "\n") != want {
		t.Errorf("keys\n%s", strings.Join(got, "\n"))
	}
}
