package fault

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/taglast/taglast/internal/bounded"
)

// maxSnapshot bounds the old state that is remembered; a manifest has 4 MiB at most.
const maxSnapshot = 8 << 20

// stale hides what a write made, until a time.
type stale struct {
	mu     sync.Mutex
	host   string
	hidden func(path string) bool
	until  time.Time
	old    *snapshot // nil: there was nothing
}

// snapshot is how a resource read before the write.
type snapshot struct {
	header http.Header
	body   string
}

// answer gives the old state to a read of something hidden.
func (s *stale) answer(req *http.Request) (*http.Response, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	isRead := req.Method == http.MethodGet || req.Method == http.MethodHead
	if s.hidden == nil || !isRead || req.URL.Host != s.host || !s.hidden(req.URL.Path) || !time.Now().Before(s.until) {
		return nil, false
	}
	if s.old != nil {
		return response(req, http.StatusOK, s.old.header, s.old.body), true
	}
	header := http.Header{"Content-Type": {"application/json"}}
	code := "MANIFEST_UNKNOWN"
	if strings.Contains(req.URL.Path, "/blobs/") {
		code = "BLOB_UNKNOWN"
	}
	return response(req, http.StatusNotFound, header, fmt.Sprintf(`{"errors":[{"code":%q,"message":"injected: not there yet"}],"message":"Not Found"}`, code)), true
}

// sendAndHide sends a write and then hides what it made.
func (t *Transport) sendAndHide(req *http.Request) (*http.Response, error) {
	var old *snapshot
	if strings.Contains(req.URL.Path, "/manifests/") {
		var err error
		if old, err = t.readBefore(req); err != nil {
			closeBody(req)
			return nil, err
		}
	}
	resp, err := t.send(req)
	if err != nil || resp.StatusCode >= 300 {
		return resp, err
	}
	hidden := pathsShowing(req, resp)
	if hidden == nil {
		return resp, nil
	}
	t.stale.mu.Lock()
	defer t.stale.mu.Unlock()
	t.stale.host, t.stale.hidden, t.stale.old, t.stale.until = req.URL.Host, hidden, old, time.Now().Add(staleFor)
	return resp, nil
}

// readBefore reads what a manifest write will replace.
func (t *Transport) readBefore(req *http.Request) (*snapshot, error) {
	read := req.Clone(req.Context())
	read.Method, read.Body, read.ContentLength, read.GetBody = http.MethodGet, nil, 0, nil
	read.Header.Del("Content-Type")
	resp, err := t.Base.RoundTrip(read)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, nil
	}
	body, err := bounded.Read(resp.Body, maxSnapshot)
	if err != nil {
		return nil, fmt.Errorf("remember %s: %w", req.URL.Path, err)
	}
	return &snapshot{header: resp.Header, body: string(body)}, nil
}

// pathsShowing says which paths show what a write made; nil where none does.
func pathsShowing(req *http.Request, resp *http.Response) func(string) bool {
	path := req.URL.Path
	equal := func(want string) func(string) bool { return func(p string) bool { return p == want } }
	switch {
	case strings.Contains(path, "/manifests/"):
		return equal(path)
	case strings.Contains(path, "/blobs/uploads/"):
		query := req.URL.Query()
		digest := query.Get("digest")
		if digest == "" {
			digest = query.Get("mount")
		}
		if digest == "" || resp.StatusCode != http.StatusCreated {
			return nil
		}
		repo, _, _ := strings.Cut(path, "/blobs/uploads/")
		return equal(repo + "/blobs/" + digest)
	case strings.HasSuffix(path, "/attestations"):
		return func(p string) bool { return strings.HasPrefix(p, path+"/") }
	default:
		location, err := url.Parse(resp.Header.Get("Location"))
		if err != nil || location.Path == "" {
			return nil
		}
		return func(p string) bool { return strings.HasSuffix(p, location.Path) }
	}
}
