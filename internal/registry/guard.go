package registry

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/taglast/taglast/internal/bounded"
	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/internal/ociref"
	"github.com/taglast/taglast/internal/registry/permit"
)

// guard stands under every client and decides about each write. It lets a manifest PUT pass if the reference is the sha256 of the very bytes that it
// hands on, or if the context carries a permit for this repository, this reference and these bytes. It parses nothing
// leniently: a manifest PUT has one spelling, and whatever a server could take for one in another spelling is refused.
type guard struct {
	repo name.Repository
	next http.RoundTripper
}

func (g guard) RoundTrip(req *http.Request) (*http.Response, error) {
	if !guarded {
		return g.next.RoundTrip(req)
	}
	refuse := func(why string) (*http.Response, error) {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return nil, fmt.Errorf("%w: %s %s: %s", ErrGuard, escape.Bounded(req.Method, 32), escape.Bounded(req.URL.Path, 512), why)
	}
	switch req.Method {
	case http.MethodGet, http.MethodHead:
		return g.next.RoundTrip(req)
	case http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
	default:
		return refuse("unknown method")
	}
	for k := range req.Header {
		if strings.Contains(strings.ToLower(k), "method") { // X-HTTP-Method-Override and its kin
			return refuse("a header names a method")
		}
	}
	if req.URL.Opaque != "" || req.Host != "" && req.Host != req.URL.Host {
		return refuse("URL and host disagree")
	}
	if !mayWriteManifest(g.repo, req.URL) {
		return g.next.RoundTrip(req)
	}
	ref, ok := strings.CutPrefix(req.URL.Path, "/v2/"+g.repo.RepositoryStr()+"/manifests/")
	switch {
	case req.Method != http.MethodPut:
		return refuse("manifests are read or PUT")
	case !ok || req.URL.EscapedPath() != req.URL.Path && req.URL.RawPath != "":
		return refuse("not this repository's manifests, or another spelling")
	case ociref.CheckDigest(ref) != nil && !ociref.IsTag(ref):
		return refuse("neither a sha256 digest nor a tag")
	case req.URL.RawQuery != "" || req.URL.ForceQuery:
		return refuse("a query could name tags")
	case len(req.Header["Content-Encoding"])+len(req.TransferEncoding)+len(req.Trailer) != 0:
		return refuse("an encoded body")
	}
	body, err := readManifestBody(req)
	if err != nil {
		return refuse(err.Error())
	}
	digest := ociref.Sum(body)
	if ref != digest.String() && !permit.Allows(req.Context(), g.repo, ref, digest) {
		return refuse("body " + digest.String())
	}
	sealed := req.Clone(req.Context())
	sealed.ContentLength = int64(len(body))
	sealed.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	sealed.Body, _ = sealed.GetBody()
	return g.next.RoundTrip(sealed)
}

// readManifestBody reads the body whole, so that what was hashed is what is sent.
func readManifestBody(req *http.Request) ([]byte, error) {
	if req.Body == nil {
		return nil, fmt.Errorf("no body")
	}
	defer req.Body.Close()
	body, err := bounded.Read(req.Body, MaxManifest)
	if errors.Is(err, bounded.ErrTooLarge) {
		return nil, fmt.Errorf("a manifest of %w", err)
	}
	return body, err
}

// mayWriteManifest tells whether a server could read the path as that of a manifest, after whatever decoding, case
// folding and cleaning. A path under this repository's uploads, spelled plainly, is not one, whatever the repository's name.
func mayWriteManifest(repo name.Repository, u *url.URL) bool {
	path := u.EscapedPath()
	if rest, ok := strings.CutPrefix(path, "/v2/"+repo.RepositoryStr()+"/blobs/uploads/"); ok &&
		!strings.ContainsAny(rest, `%\;`) && !strings.Contains("/"+rest+"/", "/../") && !strings.Contains(rest, "//") {
		return false
	}
	for {
		folded := strings.ToLower(strings.ReplaceAll(path, `\`, "/"))
		if _, after, ok := strings.Cut(folded, "v2"); ok && strings.Contains(after, "manifests") {
			return true
		}
		decoded, err := url.PathUnescape(path)
		if err != nil {
			return strings.Contains(folded, "manifest")
		}
		if decoded == path {
			return false
		}
		path = decoded
	}
}
