package sandbox

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/taglast/taglast/internal/ociref"
)

// overlay is a registry whose writes stay inside and whose reads fall through to the real one where nothing was written.
// Referrers and sha256-… tags of the real registry are not seen.
type overlay struct {
	*registry
	base *gateway

	mu      sync.Mutex
	mounted map[string]string   // repository@digest → the repository on the real registry that holds it
	listed  map[string][]string // by repository, the real registry's tags when their first page was last asked for
}

func newOverlay(g *registry, base *gateway) *overlay {
	return &overlay{registry: g, base: base, mounted: map[string]string{}, listed: map[string][]string{}}
}

// RoundTrip answers inside what was written inside, and whatever would write.
func (o *overlay) RoundTrip(req *http.Request) (*http.Response, error) {
	t, ok := parseTarget(req.URL.Path)
	switch {
	case !ok:
		return answerInProcess(o.registry, req)
	case req.Method != http.MethodGet && req.Method != http.MethodHead:
		if from := req.URL.Query().Get("from"); t.kind == "uploads" && t.ref == "" && from != "" {
			if err := o.findSource(req, t.repo, from, req.URL.Query().Get("mount")); err != nil {
				closeBody(req)
				return nil, err
			}
		}
		return answerInProcess(o.registry, req)
	case t.kind == "":
		return o.base.pass(req)
	case t.kind == "tags":
		return o.listTags(req, t.repo)
	case t.kind == "uploads", t.kind == "referrers", t.kind == "manifests" && isReferrersTag(t.ref):
		return answerInProcess(o.registry, req)
	case o.canAnswer(t, req.Method):
		return answerInProcess(o.registry, req)
	case t.kind == "blobs":
		req = o.fromSource(req, t)
	}
	resp, err := o.base.pass(req)
	if err == nil && resp.StatusCode < 400 {
		o.recordOnBase(t, resp)
	}
	return resp, err
}

// canAnswer says whether the overlay itself can answer a read.
func (o *overlay) canAnswer(t target, method string) bool {
	if t.kind == "manifests" {
		_, ok := o.manifest(t.repo, t.ref)
		return ok
	}
	b, ok := o.blob(t.repo, t.ref)
	return ok && (b.hasContent || method == http.MethodHead)
}

// recordOnBase remembers what the real repository has: a manifest that names it may be written.
func (o *overlay) recordOnBase(t target, resp *http.Response) {
	digest := t.ref
	if !isDigest(digest) {
		digest = resp.Header.Get("Docker-Content-Digest")
	}
	o.registry.mu.Lock()
	defer o.registry.mu.Unlock()
	o.repo(t.repo).onBase[digest] = true
}

// findSource looks whether the real registry can mount a blob, unless the overlay knows. It is not an error where
// the registry says no or does not let us look: the client is then told to upload.
func (o *overlay) findSource(req *http.Request, repo, from, digest string) error {
	if _, ok := o.blob(from, digest); ok || !isDigest(digest) || !ociref.IsPath(from) {
		return nil
	}
	if !o.options.TrustBase {
		resp, err := o.base.pass(readOf(req, http.MethodHead, from, digest))
		if err != nil {
			return err
		}
		_ = resp.Body.Close()
		if resp.StatusCode >= 400 {
			return nil
		}
		if resp.StatusCode == http.StatusOK {
			o.link(from, digest, &blob{size: resp.ContentLength})
		} else {
			o.recordOnBase(target{kind: "blobs", repo: from, ref: digest}, resp)
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.mounted[repo+"@"+digest] = from
	return nil
}

// fromSource points the read of a mounted blob to where the real registry has it.
func (o *overlay) fromSource(req *http.Request, t target) *http.Request {
	o.mu.Lock()
	from, ok := o.mounted[t.repo+"@"+t.ref]
	o.mu.Unlock()
	if !ok {
		return req
	}
	return readOf(req, req.Method, from, t.ref)
}

// readOf is a read of a blob with the headers of another request.
func readOf(req *http.Request, method, repo, digest string) *http.Request {
	out := req.Clone(req.Context())
	out.Method, out.Body, out.ContentLength = method, nil, 0
	out.URL = &url.URL{Scheme: req.URL.Scheme, Host: req.URL.Host, Path: "/v2/" + repo + "/blobs/" + digest}
	return out
}

// listTags is the real registry's list and the overlay's own tags as one, without referrers tags.
func (o *overlay) listTags(req *http.Request, repo string) (*http.Response, error) {
	own, written := o.tags(repo)
	real, refusal, err := o.baseTags(req, repo)
	switch {
	case err != nil:
		return nil, err
	case refusal != nil && (!written || refusal.StatusCode != http.StatusNotFound):
		return refusal, nil
	case refusal != nil:
		_ = refusal.Body.Close()
	}
	all := slices.Concat(real, own)
	slices.Sort(all)
	all = slices.Compact(all)
	return answerInProcess(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o.writeTags(w, r, repo, all)
	}), req)
}

// baseTags are the real registry's, referrers tags aside. They are read once for all pages of a list: read anew for each,
// 40,000 tags would be 1,600 requests.
func (o *overlay) baseTags(req *http.Request, repo string) (tags []string, refusal *http.Response, err error) {
	if req.URL.Query().Has("last") {
		o.mu.Lock()
		tags, ok := o.listed[repo]
		o.mu.Unlock()
		if ok {
			return tags, nil, nil
		}
	}
	tags, refusal, err = o.base.tags(req, repo)
	if err != nil || refusal != nil {
		return nil, refusal, err
	}
	tags = slices.DeleteFunc(tags, isReferrersTag)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.listed[repo] = tags
	return tags, nil, nil
}

// pullOnly takes push and delete out of a token request's scopes.
func pullOnly(form url.Values) {
	for i, scope := range form["scope"] {
		fields := strings.Fields(scope)
		for j, one := range fields {
			at := strings.LastIndex(one, ":")
			if !strings.HasPrefix(one, "repository:") || at < len("repository:") {
				continue
			}
			fields[j] = one[:at] + ":pull"
		}
		form["scope"][i] = strings.Join(fields, " ")
	}
}
