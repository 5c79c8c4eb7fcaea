package publish_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/taglast/taglast/internal/bundle"
	"github.com/taglast/taglast/internal/ociref"
	"github.com/taglast/taglast/internal/sandbox"
	"github.com/taglast/taglast/pkg/publish"
	"github.com/taglast/taglast/pkg/release"
	"github.com/taglast/taglast/pkg/verify"
)

const (
	spdx23    = "https://spdx.dev/Document/v2.3"
	cycloneDX = "https://cyclonedx.org/bom"
	slsa      = "https://slsa.dev/provenance/v1"
)

// spdxDocument is an SBOM with that name, of a version whose text must stay as it is.
func spdxDocument(name string) string {
	return `{"spdxVersion":"SPDX-2.3","SPDXID":"SPDXRef-DOCUMENT","name":"` + name + `","packages":[{"versionInfo":"1.10","n":1.0}]}`
}

// buildkitLayout is the quickstart's layout as BuildKit leaves it where it was asked for an SBOM: beside each platform that
// documents names an attestation manifest with the document.
func buildkitLayout(t *testing.T, documents map[string]string) string {
	t.Helper()
	from, to := filepath.Join("..", "..", "testdata", "quickstart", "image"), t.TempDir()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	put := func(raw []byte) (digest string, size int) {
		h := ociref.Sum(raw)
		writeSBOM(t, filepath.Join(to, "blobs", "sha256", h.Hex), string(raw))
		return h.String(), len(raw)
	}
	encode := func(v any) []byte {
		raw, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	read := func(path string) (index object) {
		raw, err := os.ReadFile(path)
		if err != nil || json.Unmarshal(raw, &index) != nil {
			t.Fatal(err)
		}
		return index
	}
	top := read(filepath.Join(to, "index.json"))
	root := top["manifests"].([]any)[0].(map[string]any)
	index := read(filepath.Join(to, "blobs", "sha256", strings.TrimPrefix(root["digest"].(string), "sha256:")))
	children := index["manifests"].([]any)
	empty, emptySize := put([]byte("{}"))
	for _, c := range slices.Clone(children) {
		child := c.(map[string]any)
		platform := child["platform"].(map[string]any)
		document, ok := documents[platform["os"].(string)+"/"+platform["architecture"].(string)]
		if !ok {
			continue
		}
		statement, size := put([]byte(`{"_type":"https://in-toto.io/Statement/v1","predicateType":"https://spdx.dev/Document","subject":[],"predicate":` + document + `}`))
		manifest, manifestSize := put(encode(object{
			"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "artifactType": "application/vnd.docker.attestation.manifest.v1+json",
			"subject": object{"mediaType": child["mediaType"], "digest": child["digest"], "size": child["size"]},
			"config":  object{"mediaType": "application/vnd.oci.empty.v1+json", "digest": empty, "size": emptySize},
			"layers": []any{object{
				"mediaType": "application/vnd.in-toto+json", "digest": statement, "size": size,
				"annotations": object{"in-toto.io/predicate-type": "https://spdx.dev/Document"},
			}},
		}))
		children = append(children, object{
			"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": manifest, "size": manifestSize,
			"platform":    object{"os": "unknown", "architecture": "unknown"},
			"annotations": object{"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": child["digest"]},
		})
	}
	index["manifests"] = children
	root["digest"], root["size"] = put(encode(index))
	writeSBOM(t, filepath.Join(to, "index.json"), string(encode(top)))
	return to
}

func writeSBOM(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// fromBuild makes a scene's image one whose SBOMs BuildKit left.
func (s *scene) fromBuild(t *testing.T, documents map[string]string) {
	t.Helper()
	s.file.Images[0].Source = release.OCISource{Paths: []string{buildkitLayout(t, documents)}}
	s.file.Images[0].SBOM = release.SBOM{FromBuild: true}
}

// fromFiles makes a scene's image one whose SBOMs are files, by architecture, in a new directory, which it returns.
func (s *scene) fromFiles(t *testing.T, documents map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for arch, document := range documents {
		writeSBOM(t, filepath.Join(dir, arch+".json"), document)
	}
	s.file.Images[0].SBOM = release.SBOM{Path: filepath.ToSlash(dir) + "/{{arch}}.json"}
	return dir
}

func bothPlatforms() map[string]string {
	return map[string]string{"linux/amd64": spdxDocument("amd64"), "linux/arm64": spdxDocument("arm64")}
}

// attested is what a report says of its first image's attestations: type, platform and bundle.
func attested(im publish.ImageReport) []string {
	var out []string
	for _, a := range im.Attestations {
		about := "index"
		for _, p := range im.Platforms {
			if p.Digest == a.Subject {
				about = p.Platform
			}
		}
		out = append(out, a.PredicateType+" "+about+" "+a.Bundle)
	}
	return out
}

// statementOf is the statement in a bundle of the output directory.
func statementOf(t *testing.T, s *scene, name string) bundle.Statement {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(s.out, "taglast-out", name))
	if err != nil {
		t.Fatal(err)
	}
	b, err := bundle.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	statement, err := b.Statement()
	if err != nil {
		t.Fatal(err)
	}
	return statement
}

// asConsumer verifies a platform's SBOM as `taglast verify --predicate-type TYPE REF@DIGEST` does.
func asConsumer(t *testing.T, s *scene, ref, predicateType string) error {
	t.Helper()
	path := filepath.Join(t.TempDir(), "root.json")
	writeSBOM(t, path, string(s.world.TrustedRoot()))
	roots, err := verify.LoadTrustedRoots(path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = verify.Verify(t.Context(), ref, verify.Options{
		HTTP: s.world, Roots: roots, Token: s.world.Env()["GITHUB_TOKEN"], Policy: verify.Policy{Repo: "acme/app", PredicateType: predicateType},
	})
	return err
}

// TestEachPlatformsSBOMIsAttested: what BuildKit left becomes a signed attestation of the platform's manifest, in a bundle
// of its own, which a consumer accepts; and a second run writes nothing.
func TestEachPlatformsSBOMIsAttested(t *testing.T) {
	s := newScene(t, oneByTwo, sandbox.Options{})
	s.fromBuild(t, bothPlatforms())
	heard := &listener{}
	r, requests := must(t, s, func(o *publish.Options) { o.Observer = heard })
	if note := "1 certificate, 3 signed; 2 SBOMs among them"; !strings.Contains(strings.Join(heard.heard, "\n"), note) {
		t.Errorf("not told: %s", note)
	}
	im := r.Images[0]
	want := []string{
		slsa + " index app.sigstore.json",
		spdx23 + " linux/amd64 app.linux-amd64.sbom.sigstore.json",
		spdx23 + " linux/arm64 app.linux-arm64.sbom.sigstore.json",
	}
	if got := attested(im); !slices.Equal(got, want) {
		t.Errorf("attestations:\n%s", strings.Join(got, "\n"))
	}
	if certificates, stored := posts(requests); certificates != 1 || stored != 3 {
		t.Errorf("%d certificates, %d stored", certificates, stored)
	}
	var lists []string
	for _, q := range requests {
		if strings.Contains(q.Path, "/attestations/sha256:") {
			lists = append(lists, q.Path+"?"+q.Query)
		}
	}
	slices.Sort(lists)
	if n := len(lists); n != 6 || len(slices.Compact(lists)) != 3 {
		t.Errorf("the store was asked %d times, want before and after for each of three:\n%s", n, strings.Join(lists, "\n"))
	}
	for i, p := range im.Platforms {
		a := im.Attestations[i+1]
		if a.LogIndex == nil || a.ID == "" || a.URL == "" || a.Run == "" || a.Reused || !slices.Equal(a.Stores, []string{"github"}) {
			t.Errorf("%+v", a)
		}
		statement := statementOf(t, s, a.Bundle)
		if got, want := string(statement.Predicate), bothPlatforms()[p.Platform]; got != want {
			t.Errorf("%s: the predicate is %s, want %s", p.Platform, got, want)
		}
		var subjects []string
		for _, sub := range statement.Subjects {
			subjects = append(subjects, sub.Name+"@"+sub.Digest)
		}
		if want := []string{"ghcr.io/acme/app@" + p.Digest, "docker.io/acme/app@" + p.Digest}; !slices.Equal(subjects, want) {
			t.Errorf("%s: subjects are %v", p.Platform, subjects)
		}
		if err := asConsumer(t, s, "ghcr.io/acme/app@"+p.Digest, spdx23); err != nil {
			t.Errorf("%s: %v", p.Platform, err)
		}
		if err := asConsumer(t, s, "ghcr.io/acme/app@"+p.Digest, slsa); err != nil {
			t.Errorf("provenance of %s: %v", p.Platform, err)
		}
	}
	if err := asConsumer(t, s, "ghcr.io/acme/app:1.2.3", spdx23); err == nil {
		t.Error("the index itself has an SBOM")
	}
	if !strings.HasSuffix(im.Verify, "gh attestation verify oci://ghcr.io/acme/app:1.2.3 --repo acme/app") {
		t.Errorf("verify is %q", im.Verify)
	}

	s.next()
	s.out = t.TempDir() // a new runner
	again, requests := must(t, s, nil)
	if got := attested(again.Images[0]); !slices.Equal(got, want) || !again.Images[0].Adopted {
		t.Errorf("adopted %v, attestations:\n%s", again.Images[0].Adopted, strings.Join(got, "\n"))
	}
	for _, a := range again.Images[0].Attestations {
		if !a.Reused {
			t.Errorf("%s of %s was not reused", a.PredicateType, a.Subject)
		}
		statementOf(t, s, a.Bundle) // on this runner, too
	}
	if got := withoutProbes(writes(requests)); len(got) > 0 {
		t.Errorf("a second run sent %v", got)
	}
}

// TestKeptAttestationsStandBesideSignedSBOMs: BuildKit's own stay in the index, and are lifted all the same.
func TestKeptAttestationsStandBesideSignedSBOMs(t *testing.T) {
	for _, keep := range []bool{false, true} {
		s := newScene(t, oneByTwo, sandbox.Options{})
		s.fromBuild(t, bothPlatforms())
		s.file.Images[0].KeepAttestations = keep
		r, _ := must(t, s, nil)
		if got := len(r.Images[0].Attestations); got != 3 {
			t.Errorf("kept %v: %d attestations", keep, got)
		}
		raw, _ := fetch(t, s.world, r.Images[0].Digest)
		if got := strings.Count(string(raw), `"architecture":"unknown"`); got != map[bool]int{true: 2}[keep] {
			t.Errorf("kept %v: %d attestation manifests in the index", keep, got)
		}
	}
}

// TestSBOMsOfTwoFormats come from files, which may be anything that is an SBOM.
func TestSBOMsOfTwoFormats(t *testing.T) {
	s := newScene(t, oneByTwo, sandbox.Options{})
	s.fromFiles(t, map[string]string{"amd64": spdxDocument("amd64"), "arm64": "{\n  \"bomFormat\": \"CycloneDX\", \"specVersion\": \"1.6\"\n}\n"})
	r, _ := must(t, s, nil)
	want := []string{
		slsa + " index app.sigstore.json",
		spdx23 + " linux/amd64 app.linux-amd64.sbom.sigstore.json",
		cycloneDX + " linux/arm64 app.linux-arm64.sbom.sigstore.json",
	}
	if got := attested(r.Images[0]); !slices.Equal(got, want) {
		t.Errorf("attestations:\n%s", strings.Join(got, "\n"))
	}
	if got := string(statementOf(t, s, "app.linux-arm64.sbom.sigstore.json").Predicate); got != `{"bomFormat":"CycloneDX","specVersion":"1.6"}` {
		t.Errorf("the predicate is %s", got)
	}
}

// byDigest is a release that nothing adopts: the image is built each time.
const byDigest = "repositories: [ghcr.io/acme/app]\nplatforms: [linux/amd64, linux/arm64]\ntags: []\nimages: [{name: app, source: {oci: image}}]\n"

// TestAnSBOMIsReusedWhereItIsTheSame: an image that is built again is signed anew only where a file says something else.
func TestAnSBOMIsReusedWhereItIsTheSame(t *testing.T) {
	s := newScene(t, byDigest, sandbox.Options{})
	dir := s.fromFiles(t, map[string]string{"amd64": spdxDocument("amd64"), "arm64": spdxDocument("arm64")})
	must(t, s, nil)
	for _, c := range []struct {
		name, arm64 string
		signed      int
	}{
		{"the same", spdxDocument("arm64"), 0},
		{"the same with other white space", strings.ReplaceAll(spdxDocument("arm64"), ",", ",\n  "), 0},
		{"another", spdxDocument("other"), 1},
		{"that one again", spdxDocument("other"), 0},
		{"a number written otherwise", strings.Replace(spdxDocument("other"), "1.0}", "1.00}", 1), 1},
		{"another format", `{"bomFormat":"CycloneDX","specVersion":"1.6"}`, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			writeSBOM(t, filepath.Join(dir, "arm64.json"), c.arm64)
			s.next()
			r, requests := must(t, s, nil)
			if _, stored := posts(requests); stored != c.signed {
				t.Errorf("%d attestations were stored, want %d", stored, c.signed)
			}
			var reused []bool
			for _, a := range r.Images[0].Attestations {
				reused = append(reused, a.Reused)
			}
			if want := []bool{true, true, c.signed == 0}; !slices.Equal(reused, want) {
				t.Errorf("reused %v, want %v", reused, want)
			}
			var compact bytes.Buffer
			if err := json.Compact(&compact, []byte(c.arm64)); err != nil {
				t.Fatal(err)
			}
			if got := statementOf(t, s, "app.linux-arm64.sbom.sigstore.json").Predicate; !bytes.Equal(got, compact.Bytes()) {
				t.Errorf("the bundle says %s", got)
			}
		})
	}
}

// TestAnotherScanOfTheSameBytesIsNotSignedAgain: a builder without the first one's cache gives the same image, and an SBOM
// that differs by its date.
func TestAnotherScanOfTheSameBytesIsNotSignedAgain(t *testing.T) {
	s := newScene(t, byDigest, sandbox.Options{})
	s.fromBuild(t, bothPlatforms())
	first, _ := must(t, s, nil)
	again := bothPlatforms()
	again["linux/arm64"] = spdxDocument("scanned again")
	s.fromBuild(t, again)
	s.next()
	second, requests := must(t, s, nil)
	if _, stored := posts(requests); stored != 0 || second.Images[0].Digest != first.Images[0].Digest || second.Images[0].Adopted {
		t.Errorf("%d attestations were stored; %s, then %s", stored, first.Images[0].Digest, second.Images[0].Digest)
	}
	if got := statementOf(t, s, "app.linux-arm64.sbom.sigstore.json").Predicate; !bytes.Contains(got, []byte("arm64")) {
		t.Errorf("the bundle says %s", got)
	}
}

// TestAnAdoptedImageKeepsItsSBOM: what the first run attested describes what the first run built, whatever a second build
// would say.
func TestAnAdoptedImageKeepsItsSBOM(t *testing.T) {
	for _, second := range []string{"the build's", "files"} {
		t.Run(second, func(t *testing.T) {
			s := newScene(t, titled("one", "ghcr.io/acme/app"), sandbox.Options{})
			s.fromBuild(t, bothPlatforms())
			must(t, s, nil)
			s.file = parse(t, titled("two", "ghcr.io/acme/app"))
			s.file.Images[0].Tags = append(s.file.Images[0].Tags, rule(t, "edge"))
			if second == "files" {
				s.fromFiles(t, map[string]string{"amd64": spdxDocument("new"), "arm64": spdxDocument("new")})
			} else {
				s.fromBuild(t, map[string]string{"linux/amd64": spdxDocument("new"), "linux/arm64": spdxDocument("new")})
			}
			s.next()
			r, requests := must(t, s, nil)
			if _, stored := posts(requests); stored != 0 || !r.Images[0].Adopted || len(r.Images[0].Attestations) != 3 {
				t.Errorf("adopted %v, %d stored: %v", r.Images[0].Adopted, stored, attested(r.Images[0]))
			}
			if got := string(statementOf(t, s, "app.linux-amd64.sbom.sigstore.json").Predicate); got != spdxDocument("amd64") {
				t.Errorf("the SBOM is %s", got)
			}
			if got := s.world.State().Tags["ghcr.io/acme/app"]["edge"]; got != r.Images[0].Digest {
				t.Errorf("edge names %q", got)
			}
		})
	}
}

// TestRebuildSignsAnotherSBOM of a published version whose image is the same.
func TestRebuildSignsAnotherSBOM(t *testing.T) {
	s := newScene(t, oneByTwo, sandbox.Options{})
	dir := s.fromFiles(t, map[string]string{"amd64": spdxDocument("amd64"), "arm64": spdxDocument("arm64")})
	must(t, s, nil)
	writeSBOM(t, filepath.Join(dir, "arm64.json"), spdxDocument("better"))
	s.next()
	r, requests := must(t, s, func(o *publish.Options) { o.Rebuild = true })
	if _, stored := posts(requests); stored != 1 || r.Images[0].Adopted {
		t.Errorf("adopted %v, %d stored", r.Images[0].Adopted, stored)
	}
	if got := string(statementOf(t, s, "app.linux-arm64.sbom.sigstore.json").Predicate); got != spdxDocument("better") {
		t.Errorf("the SBOM is %s", got)
	}
}

// TestAnAdoptedImageThatHasNoSBOM: it is not built again, so that only a file can say what is in it.
func TestAnAdoptedImageThatHasNoSBOM(t *testing.T) {
	s := newScene(t, titled("one", "ghcr.io/acme/app"), sandbox.Options{})
	first, _ := must(t, s, nil)
	s.file = parse(t, titled("two", "ghcr.io/acme/app"))
	s.file.Images[0].Tags = append(s.file.Images[0].Tags, rule(t, "edge"))
	s.fromBuild(t, bothPlatforms())
	s.next()
	before, seen := s.world.Published(), len(s.world.Requests())
	r, err := s.publish(t.Context())
	if publish.ExitCode(r, err) != 1 || r.Error.Stage != "build" || r.Error.Image != "app" ||
		!strings.Contains(r.Error.Message, "has no attested SBOM of linux/amd64, and nothing is built again") || !strings.Contains(r.Error.Hint, "sbom: {path: …}") {
		t.Errorf("exit %d: %+v", publish.ExitCode(r, err), r.Error)
	}
	if got := withoutProbes(writes(s.world.Requests()[seen:])); len(got) > 0 || !slices.Equal(before, s.world.Published()) {
		t.Errorf("sent %v", got)
	}
	s.fromFiles(t, map[string]string{"amd64": spdxDocument("amd64"), "arm64": spdxDocument("arm64")})
	s.next()
	r, requests := must(t, s, nil)
	if _, stored := posts(requests); stored != 2 || r.Images[0].Digest != first.Images[0].Digest || len(r.Images[0].Attestations) != 3 {
		t.Errorf("%d stored: %v", stored, attested(r.Images[0]))
	}
}

// TestASBOMOfSomebodyElseIsNotReused: neither of another commit, nor one that does not name all repositories.
func TestASBOMOfSomebodyElseIsNotReused(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*testing.T, *scene)
	}{
		{"of another commit", func(_ *testing.T, s *scene) { s.world.SetIdentity(sandbox.Identity{SHA: strings.Repeat("b", 40)}) }},
		{"of another workflow", func(_ *testing.T, s *scene) {
			s.world.SetIdentity(sandbox.Identity{WorkflowRef: "acme/app/.github/workflows/nightly.yml@refs/tags/v1.2.3"})
		}},
		{"that does not name a repository", func(t *testing.T, s *scene) {
			image := s.file.Images[0]
			s.file = parse(t, strings.Replace(byDigest, "ghcr.io/acme/app", "ghcr.io/acme/app, docker.io/acme/app", 1))
			s.file.Images[0].SBOM = image.SBOM
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t, byDigest+"annotations: {org.opencontainers.image.revision: \"\", org.opencontainers.image.created: \"\"}", sandbox.Options{})
			s.fromFiles(t, map[string]string{"amd64": spdxDocument("amd64"), "arm64": spdxDocument("arm64")})
			must(t, s, nil)
			c.change(t, s)
			_, requests := must(t, s, nil)
			if _, stored := posts(requests); stored != 3 {
				t.Errorf("%d were stored, want all three", stored)
			}
		})
	}
}

// refusing refuses posts to the store after so many.
type refusing struct {
	base http.RoundTripper
	mu   sync.Mutex
	left int
}

func (f *refusing) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method != http.MethodPost || !strings.HasSuffix(req.URL.Path, "/attestations") {
		return f.base.RoundTrip(req)
	}
	f.mu.Lock()
	f.left--
	refused := f.left < 0
	f.mu.Unlock()
	if refused {
		return refusal(req, http.StatusUnprocessableEntity), nil
	}
	return f.base.RoundTrip(req)
}

// TestARunThatEndsBetweenTwoAttestations leaves no tag and every bundle on disk; the next run signs only what is not stored.
func TestARunThatEndsBetweenTwoAttestations(t *testing.T) {
	for taken := range 3 {
		t.Run(fmt.Sprint(taken, " of 3 are taken"), func(t *testing.T) {
			s := newScene(t, oneByTwo, sandbox.Options{})
			s.fromBuild(t, bothPlatforms())
			r, err := publish.Publish(t.Context(), s.options(&refusing{base: s.world, left: 1 + taken})) // one is the preflight
			if publish.ExitCode(r, err) != 1 || r.Error.Stage != "attest" {
				t.Fatalf("exit %d: %v", publish.ExitCode(r, err), err)
			}
			for repo, tags := range s.world.State().Tags {
				if len(tags) > 0 {
					t.Errorf("%s has tags: %v", repo, tags)
				}
			}
			for _, name := range []string{"app.sigstore.json", "app.linux-amd64.sbom.sigstore.json", "app.linux-arm64.sbom.sigstore.json"} {
				statementOf(t, s, name)
			}
			s.next()
			r, _ = must(t, s, nil)
			im := r.Images[0]
			want := map[string]int{im.Digest: 1, im.Platforms[0].Digest: 2, im.Platforms[1].Digest: 2} // provenance, and of a platform its SBOM
			if got := s.world.State().Attested; !maps.Equal(got, want) {
				t.Errorf("stored are %v, want %v", got, want)
			}
		})
	}
}

// TestAPlatformWithoutAnSBOM sends nothing, and says what to do.
func TestAPlatformWithoutAnSBOM(t *testing.T) {
	large := `{"spdxVersion":"SPDX-2.3","SPDXID":"x","name":"` + strings.Repeat("a", 16<<20) + `"}`
	for _, c := range []struct {
		name     string
		prepare  func(*testing.T, *scene)
		exit     int
		stage    string
		message  string
		hint     string
		planExit int
	}{
		{
			"that BuildKit left none of", func(t *testing.T, s *scene) { s.fromBuild(t, map[string]string{"linux/amd64": spdxDocument("a")}) },
			1, "build", "image app: the index has no SBOM for linux/arm64", "--sbom=true", 0,
		},
		{
			"whose file is not there", func(t *testing.T, s *scene) { s.fromFiles(t, map[string]string{"amd64": spdxDocument("a")}) },
			2, "plan", "image app: SBOM of linux/arm64: ", "every platform of the image needs its SBOM", 0,
		},
		{
			"whose file is none", func(t *testing.T, s *scene) {
				s.fromFiles(t, map[string]string{"amd64": spdxDocument("a"), "arm64": `{"components":[]}`})
			},
			2, "plan", "neither SPDX", "", 2,
		},
		{
			"whose file is too large", func(t *testing.T, s *scene) {
				s.fromFiles(t, map[string]string{"amd64": spdxDocument("a"), "arm64": large})
			},
			2, "plan", "the SBOM has more than 16777216 bytes", "leave the list of files out", 2,
		},
		{
			"where BuildKit's is too large", func(t *testing.T, s *scene) {
				s.fromBuild(t, map[string]string{"linux/amd64": spdxDocument("a"), "linux/arm64": large})
			},
			1, "build", "the SBOM has more than 16777216 bytes", "leave the list of files out", 0,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t, oneByTwo, sandbox.Options{})
			c.prepare(t, s)
			r, err := s.publish(t.Context())
			if publish.ExitCode(r, err) != c.exit || r.Error.Stage != c.stage || !strings.Contains(r.Error.Message, c.message) || !strings.Contains(r.Error.Hint, c.hint) {
				t.Errorf("exit %d: %+v", publish.ExitCode(r, err), r.Error)
			}
			if sent := withoutProbes(writes(s.world.Requests())); len(sent) > 0 {
				t.Errorf("sent %v", sent)
			}
			planned, err := publish.Plan(t.Context(), s.options(nil), true)
			if publish.ExitCode(planned, err) != c.planExit {
				t.Errorf("the plan: exit %d: %v", publish.ExitCode(planned, err), err)
			}
		})
	}
}

// TestALargeSBOMIsAttested: the largest that is taken passes every bound behind it, and the person is told that the public
// log may not take it.
func TestALargeSBOMIsAttested(t *testing.T) {
	s := newScene(t, byDigest, sandbox.Options{})
	large := `{"spdxVersion":"SPDX-2.3","SPDXID":"x","name":""}`
	large = strings.Replace(large, `""`, `"`+strings.Repeat("a", 16<<20-len(large))+`"`, 1)
	s.fromFiles(t, map[string]string{"amd64": large, "arm64": spdxDocument("arm64")})
	heard := &warnings{}
	r, _ := must(t, s, func(o *publish.Options) { o.Observer = heard })
	if got := len(statementOf(t, s, "app.linux-amd64.sbom.sigstore.json").Predicate); got != 16<<20 {
		t.Errorf("the predicate has %d bytes", got)
	}
	if len(r.Images[0].Attestations) != 3 {
		t.Error(attested(r.Images[0]))
	}
	if got := heard.lines(); len(got) != 1 || !strings.Contains(got[0], "image app: the SBOM of linux/amd64 has 16.8 MB; Sigstore's public log") {
		t.Errorf("warnings %q", got)
	}
}

// TestADryRunAttestsSBOMs in its own world, and leaves bundles that verify offline.
func TestADryRunAttestsSBOMs(t *testing.T) {
	s := newScene(t, oneByTwo, sandbox.Options{})
	s.fromBuild(t, bothPlatforms())
	r, dir := dryRun(t, s)
	im := r.Images[0]
	if len(im.Attestations) != 3 || !strings.Contains(im.Verify, "--bundle "+filepath.ToSlash(dir)+"/app.sigstore.json ") {
		t.Fatalf("%v, verify %q", attested(im), im.Verify)
	}
	roots, err := verify.LoadTrustedRoots(filepath.Join(dir, "trusted_root.json"))
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range im.Platforms {
		manifest := filepath.Join(dir, "oci", "blobs", "sha256", strings.TrimPrefix(p.Digest, "sha256:"))
		_, err := verify.Verify(t.Context(), manifest, verify.Options{
			HTTP: s.world, Roots: roots, Bundle: filepath.Join(dir, im.Attestations[i+1].Bundle),
			Policy: verify.Policy{Repo: "acme/app", PredicateType: spdx23},
		})
		if err != nil {
			t.Errorf("%s: %v", p.Platform, err)
		}
	}
}
