package publish

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"sync"

	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/internal/weburl"
)

// reachable is a dry run's way to the real registries. A host that cannot be reached must not fail a dry run: its ping
// is answered in its place, so that the overlay can be written to, and every read of it is refused at once, so that its
// tags are unknown and images that need it are skipped.
type reachable struct {
	base http.RoundTripper

	mu   sync.Mutex
	down map[string]string // host → why
}

// RoundTrip tries a host twice before it counts as down for the rest of the run.
func (r *reachable) RoundTrip(req *http.Request) (*http.Response, error) {
	if why := r.why(req.URL.Host); why != "" {
		return unreachable(req, why), nil
	}
	resp, err := r.base.RoundTrip(req)
	if err != nil && req.Context().Err() == nil && (req.Body == nil || req.Body == http.NoBody) {
		resp, err = r.base.RoundTrip(req.Clone(req.Context()))
	}
	if err == nil || req.Context().Err() != nil || req.URL.Scheme == "https" && weburl.Loopback(req.URL.Hostname()) {
		return resp, err
	}
	r.mu.Lock()
	r.down[req.URL.Host] = escape.Bounded(err.Error(), 300)
	r.mu.Unlock()
	return unreachable(req, r.why(req.URL.Host)), nil
}

func (r *reachable) why(host string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.down[host]
}

func unreachable(req *http.Request, why string) *http.Response {
	status, body := http.StatusOK, []byte("{}")
	if req.URL.Path != "/v2/" {
		status = http.StatusForbidden
		body, _ = json.Marshal(map[string]any{ // a map of strings always marshals
			"errors": []map[string]string{{"code": "DENIED", "message": "the registry cannot be reached: " + why}},
		})
	}
	return &http.Response{
		Status: strconv.Itoa(status) + " " + http.StatusText(status), StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(body)),
		ContentLength: int64(len(body)), Request: req,
	}
}
