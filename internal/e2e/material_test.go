//go:build e2e

package e2e

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

const (
	sbomType   = "https://spdx.dev/Document/v2.3"
	bundleType = "application/vnd.dev.sigstore.bundle.v0.3+json"
)

// material is what verdicts are asked about: one image, attested in several ways by sigstore-go, and one that is not.
type material struct {
	t                              *testing.T
	dir                            string
	image                          image
	repository, tag, hub, otherTag string // oci://…
	manifest, trusted              string // files
	root                           []byte
	bundle                         map[string][]byte
}

func newMaterial(t *testing.T, s *stack) *material {
	t.Helper()
	path := "acme/" + strings.ToLower(secret("verdict-"))
	m := &material{
		t: t, dir: t.TempDir(), image: newImage(t, 64), bundle: map[string][]byte{}, trusted: s.trustedRoot,
		repository: "oci://ghcr.io/" + path, tag: "oci://ghcr.io/" + path + ":1.2.3", hub: "oci://docker.io/" + path + ":1.2.3",
		otherTag: "oci://ghcr.io/" + path + ":other",
	}
	var err error
	if m.root, err = os.ReadFile(s.trustedRoot); err != nil {
		t.Fatal(err)
	}
	ghcr, hub, other := "127.0.0.1:"+s.ports.distribution+"/"+path, "127.0.0.1:"+s.ports.olareg+"/"+path, newImage(t, 64)
	m.image.push(t, ghcr+":1.2.3")
	m.image.push(t, hub+":1.2.3")
	other.push(t, ghcr+":other")
	_, raw := resolve(t, ghcr+":1.2.3")
	m.manifest = m.write("manifest.json", raw)

	j := release()
	subjects := []string{m.image.digest, m.image.platforms["linux/amd64"], m.image.platforms["linux/arm64"]}
	provenance := statement(t, provenanceType, "ghcr.io/"+path, subjects...)
	m.bundle["plain"] = s.sign(t, j, provenance)
	m.bundle["sbom"] = s.sign(t, j, statement(t, sbomType, "ghcr.io/"+path, subjects...))
	m.bundle["other"] = s.sign(t, j, statement(t, provenanceType, "ghcr.io/"+path, "sha256:"+strings.Repeat("12", 32)))
	m.bundle["text"] = s.signAs(t, j, "text/plain", []byte("hello"))
	with := func(change func(*job)) []byte {
		j := release()
		change(&j)
		return s.sign(t, j, provenance)
	}
	m.bundle["selfhosted"] = with(func(j *job) { j.RunnerKind = "self-hosted" })
	m.bundle["enterprise"] = with(func(j *job) { j.Enterprise = "octocorp" })
	m.bundle["reusable"] = with(func(j *job) {
		j.SignerRef, j.SignerSHA = "acme/shared/.github/workflows/build.yml@refs/heads/main", strings.Repeat("cd34", 10)
	})
	m.bundle["foreign"] = with(func(j *job) { j.SignerRef = "octo/build/.github/workflows/b.yml@refs/tags/v1" })
	s.store(t, j, m.bundle["plain"])
	s.store(t, j, m.bundle["sbom"])
	m.refer(ghcr)
	m.refer(hub)
	return m
}

// refer attaches the plain bundle to the index in a registry on loopback, as actions/attest does: in the registry that
// has no referrers API by the tag that stands for it.
func (m *material) refer(repository string) {
	m.t.Helper()
	repo, err := name.NewRepository(repository, name.Insecure)
	if err != nil {
		m.t.Fatal(err)
	}
	subject, err := remote.Head(repo.Digest(m.image.digest))
	if err != nil {
		m.t.Fatal(err)
	}
	bundle, config := static.NewLayer(m.bundle["plain"], bundleType), static.NewLayer([]byte("{}"), "application/vnd.oci.empty.v1+json")
	var described []v1.Descriptor
	for _, l := range []v1.Layer{bundle, config} {
		if err := remote.WriteLayer(repo, l); err != nil {
			m.t.Fatal(err)
		}
		d, err := partial.Descriptor(l)
		if err != nil {
			m.t.Fatal(err)
		}
		described = append(described, *d)
	}
	manifest := map[string]any{
		"schemaVersion": 2, "mediaType": types.OCIManifestSchema1, "artifactType": bundleType,
		"config": described[1], "layers": described[:1], "subject": subject,
	}
	raw := m.put(repo, "", types.OCIManifestSchema1, manifest)
	if resp, err := http.Get("http://" + repo.RegistryStr() + "/v2/" + repo.RepositoryStr() + "/referrers/" + m.image.digest); err != nil {
		m.t.Fatal(err)
	} else if _ = resp.Body.Close(); resp.StatusCode == http.StatusOK {
		return
	}
	m.put(repo, strings.Replace(m.image.digest, ":", "-", 1), types.OCIImageIndex, map[string]any{
		"schemaVersion": 2, "mediaType": types.OCIImageIndex, "manifests": []any{map[string]any{
			"mediaType": types.OCIManifestSchema1, "artifactType": bundleType, "digest": digestOf(raw), "size": len(raw),
		}},
	})
}

// put writes a manifest, by its digest where no tag is given.
func (m *material) put(repo name.Repository, tag string, mediaType types.MediaType, manifest any) []byte {
	m.t.Helper()
	raw, err := json.Marshal(manifest)
	if err != nil {
		m.t.Fatal(err)
	}
	if tag == "" {
		tag = digestOf(raw)
	}
	req, err := http.NewRequestWithContext(m.t.Context(), http.MethodPut,
		"http://"+repo.RegistryStr()+"/v2/"+repo.RepositoryStr()+"/manifests/"+tag, bytes.NewReader(raw))
	if err != nil {
		m.t.Fatal(err)
	}
	req.Header.Set("Content-Type", string(mediaType))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		m.t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusCreated {
		m.t.Fatalf("put %s: %s", tag, resp.Status)
	}
	return raw
}

func digestOf(raw []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(raw)) }

func (m *material) write(name string, content []byte) string {
	m.t.Helper()
	return write(m.t, m.dir, name, content)
}

// file is the bundle by that name as a file.
func (m *material) file(name string) string {
	m.t.Helper()
	path := filepath.Join(m.dir, name+".sigstore.json")
	if _, err := os.Stat(path); err == nil {
		return path
	}
	if m.bundle[name] == nil {
		m.t.Fatalf("no bundle %s", name)
	}
	return m.write(name+".sigstore.json", m.bundle[name])
}

// parsed is the bundle by that name, to be changed.
func (m *material) parsed(name string) map[string]any {
	m.t.Helper()
	var out map[string]any
	if err := json.Unmarshal(m.bundle[name], &out); err != nil {
		m.t.Fatal(err)
	}
	return out
}

func (m *material) payloadOf(name string) string {
	return at(m.parsed(name), "dsseEnvelope")["payload"].(string)
}

// rootWith is the trusted root, changed.
func (m *material) rootWith(change func(map[string]any)) []byte {
	m.t.Helper()
	var r map[string]any
	if err := json.Unmarshal(m.root, &r); err != nil {
		m.t.Fatal(err)
	}
	change(r)
	raw, err := json.Marshal(r)
	if err != nil {
		m.t.Fatal(err)
	}
	return append(raw, '\n')
}

// foreignRoot is the trusted root with a certificate authority that signed nothing here.
func (m *material) foreignRoot(organization string) []byte {
	m.t.Helper()
	ca, err := newAuthority(pkix.Name{Organization: []string{organization}, CommonName: "elsewhere"}, nil)
	if err != nil {
		m.t.Fatal(err)
	}
	return m.rootWith(func(r map[string]any) {
		at(r, "certificateAuthorities", 0)["certChain"] = map[string]any{
			"certificates": []any{map[string]any{"rawBytes": base64.StdEncoding.EncodeToString(ca.cert.Raw)}},
		}
	})
}

// at goes down into a JSON document.
func at(v any, path ...any) map[string]any {
	for _, p := range path {
		switch p := p.(type) {
		case string:
			v = v.(map[string]any)[p]
		case int:
			v = v.([]any)[p]
		}
	}
	return v.(map[string]any)
}

// flip changes one byte of a base64 text, in the middle.
func flip(t *testing.T, text string) string {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)/2] ^= 1
	return base64.StdEncoding.EncodeToString(raw)
}

func indented(t *testing.T, raw []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := json.Indent(&out, raw, "", "  "); err != nil {
		t.Fatal(err)
	}
	return append(out.Bytes(), '\n')
}

func unhex(t *testing.T, digest string) []byte {
	t.Helper()
	raw, err := hex.DecodeString(strings.TrimPrefix(digest, "sha256:"))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
