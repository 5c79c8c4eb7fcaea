package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/taglast/taglast/internal/ociref"
)

// maxManifest is what the distribution specification asks registries to accept at least, and GHCR at most.
const maxManifest = 4 << 20

const (
	mediaOCIIndex    = "application/vnd.oci.image.index.v1+json"
	mediaOCIManifest = "application/vnd.oci.image.manifest.v1+json"
	mediaDockerList  = "application/vnd.docker.distribution.manifest.list.v2+json"
	mediaDockerImage = "application/vnd.docker.distribution.manifest.v2+json"
)

// manifest is a stored one: its bytes, and what they say.
type manifest struct {
	mediaType string
	digest    string
	raw       []byte
	content   manifestContent
}

type manifestContent struct {
	MediaType    string            `json:"mediaType"`
	ArtifactType string            `json:"artifactType"`
	Config       *descriptor       `json:"config"`
	Layers       []descriptor      `json:"layers"`
	Manifests    []descriptor      `json:"manifests"`
	Subject      *descriptor       `json:"subject"`
	Annotations  map[string]string `json:"annotations"`
}

type descriptor struct {
	MediaType    string            `json:"mediaType"`
	Digest       string            `json:"digest"`
	Size         int64             `json:"size"`
	URLs         []string          `json:"urls,omitempty"`
	ArtifactType string            `json:"artifactType,omitempty"`
	Annotations  map[string]string `json:"annotations,omitempty"`
}

// parseManifest checks the bytes of a manifest under the media type that the client names.
func parseManifest(mediaType string, raw []byte) (*manifest, error) {
	m := &manifest{mediaType: mediaType, digest: ociref.Sum(raw).String(), raw: raw}
	if err := json.Unmarshal(raw, &m.content); err != nil {
		return nil, fmt.Errorf("not a manifest: %w", err)
	}
	if m.content.MediaType != "" && m.content.MediaType != mediaType {
		return nil, fmt.Errorf("media type is %q in the manifest, %q in the request", m.content.MediaType, mediaType)
	}
	switch mediaType {
	case mediaOCIManifest, mediaDockerImage:
		if m.content.Config == nil || m.content.Manifests != nil {
			return nil, errors.New("not an image manifest")
		}
	case mediaOCIIndex, mediaDockerList:
		if m.content.Config != nil || m.content.Layers != nil {
			return nil, errors.New("not an index")
		}
	default:
		return nil, fmt.Errorf("media type %q is not supported", mediaType)
	}
	return m, nil
}

// blobs are the descriptors of content that must be there before the manifest is.
func (m *manifest) blobs() []descriptor {
	var out []descriptor
	if m.content.Config != nil {
		out = append(out, *m.content.Config)
	}
	for _, l := range m.content.Layers {
		if len(l.URLs) == 0 && !strings.Contains(l.MediaType, "foreign") && !strings.Contains(l.MediaType, "nondistributable") {
			out = append(out, l)
		}
	}
	return out
}

// artifactsOnly says whether m is an index whose entries all have an artifact type: what a referrers tag may name.
func (m *manifest) artifactsOnly() bool {
	if m.mediaType != mediaOCIIndex {
		return false
	}
	for _, d := range m.content.Manifests {
		if d.ArtifactType == "" {
			return false
		}
	}
	return true
}

func (g *registry) serveManifest(w http.ResponseWriter, r *http.Request, t target) {
	if !isDigest(t.ref) && !ociref.IsTag(t.ref) {
		refuse(w, http.StatusBadRequest, "TAG_INVALID", "neither a tag nor a sha256 digest")
		return
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		m, ok := g.manifest(t.repo, t.ref)
		if !ok {
			refuse(w, http.StatusNotFound, "MANIFEST_UNKNOWN", "manifest unknown")
			return
		}
		w.Header().Set("Docker-Content-Digest", m.digest)
		w.Header().Set("Etag", `"`+m.digest+`"`)
		writeBytes(w, http.StatusOK, m.mediaType, m.raw)
	case http.MethodPut:
		g.putManifest(w, r, t)
	default:
		unsupported(w)
	}
}

// manifest is what a digest or a tag names.
func (g *registry) manifest(repo, ref string) (*manifest, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	r, ok := g.repos[repo]
	if !ok {
		return nil, false
	}
	if digest, ok := r.tags[ref]; ok {
		ref = digest
	}
	m, ok := r.manifests[ref]
	return m, ok
}

// missing names the first blob or child that the repository does not have.
func (g *registry) missing(repo string, m *manifest) (string, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.options.TrustBase {
		return "", false
	}
	r := g.repo(repo)
	for _, d := range m.blobs() {
		if !r.blobs[d.Digest] && !r.onBase[d.Digest] {
			return d.Digest, true
		}
	}
	for _, d := range m.content.Manifests {
		if r.manifests[d.Digest] == nil && !r.onBase[d.Digest] {
			return d.Digest, true
		}
	}
	return "", false
}
