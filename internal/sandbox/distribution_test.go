package sandbox

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

const repoURL = "https://ghcr.io/v2/acme/app"

func sha(text string) string { return fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(text))) }

// ask sends a request with headers given as "Name: value".
func ask(t testing.TB, w http.RoundTripper, method, path, body string, headers ...string) (int, http.Header, string) {
	t.Helper()
	u := path
	if strings.HasPrefix(path, "/") {
		u = repoURL + path
		if strings.HasPrefix(path, "/v2/") {
			u = "https://ghcr.io" + path
		}
	}
	req, err := http.NewRequest(method, u, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		key, value, _ := strings.Cut(h, ": ")
		req.Header.Set(key, value)
	}
	resp, err := w.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(raw)
}

func TestUploadInPieces(t *testing.T) {
	w := newWorld(t, Options{})
	_, header, _ := ask(t, w, "POST", "/blobs/uploads/", "")
	at := header.Get("Location")
	for _, step := range []struct {
		method, query, body, header string
		status                      int
		rng                         string
	}{
		{"PATCH", "", "hello ", "Content-Range: 0-5", 202, "0-5"},
		{"PATCH", "", "again ", "Content-Range: 0-5", 416, "0-5"},
		{"GET", "", "", "X: y", 204, "0-5"},
		{"PATCH", "", "wor", "X: y", 202, "0-8"},
		{"PUT", "?digest=" + sha("hello world"), "ld", "X: y", 201, ""},
		{"PUT", "?digest=" + sha("hello world"), "", "X: y", 404, ""}, // the session is gone, the blob is there
	} {
		status, header, body := ask(t, w, step.method, at+step.query, step.body, step.header)
		if status != step.status || header.Get("Range") != step.rng {
			t.Fatalf("%s: %d, range %q: %s", step.method, status, header.Get("Range"), body)
		}
	}
	if _, _, body := ask(t, w, "GET", "/blobs/"+sha("hello world"), ""); body != "hello world" {
		t.Errorf("blob is %q", body)
	}
	if status, _, body := ask(t, w, "GET", "/blobs/"+sha("hello world"), "", "Range: bytes=6-"); status != 206 || body != "world" {
		t.Errorf("range: %d %q", status, body)
	}
	if status, _, _ := ask(t, w, "GET", "/v2/acme/other/blobs/"+sha("hello world"), ""); status != 404 {
		t.Errorf("another repository has the blob: status %d", status)
	}
	if status, _, _ := ask(t, w, "POST", "/v2/acme/other/blobs/uploads/?from=acme/app&mount="+sha("hello world"), ""); status != 201 {
		t.Errorf("mount: status %d", status)
	}
	if status, _, _ := ask(t, w, "POST", "/v2/acme/third/blobs/uploads/?from=acme/none&mount="+sha("hello world"), ""); status != 202 {
		t.Errorf("mount from a repository without the blob: status %d", status)
	}
	_, header, _ = ask(t, w, "POST", "/blobs/uploads/", "")
	if status, _, _ := ask(t, w, "DELETE", header.Get("Location"), ""); status != 204 {
		t.Errorf("cancel: status %d", status)
	}
	if status, _, body := ask(t, w, "PATCH", header.Get("Location"), "x"); status != 404 || !strings.Contains(body, "BLOB_UPLOAD_UNKNOWN") {
		t.Errorf("a cancelled upload: %d %s", status, body)
	}
}

func TestAbsoluteURLsHaveAStateThatACommitBringsBack(t *testing.T) {
	w := newWorld(t, Options{Law: anyTag, Registry: RegistryOptions{AbsoluteURLs: true}})
	for state, want := range map[string]int{"": 400, "&_state=a/b": 400, "&_state=a%2Fb%3D%3D": 201} {
		_, header, _ := ask(t, w, "POST", "/blobs/uploads/", "")
		at, given, _ := strings.Cut(header.Get("Location"), "?")
		if !strings.HasPrefix(at, "http://ghcr.io/v2/acme/app/blobs/uploads/") || given != "_state=a%2Fb%3D%3D" {
			t.Fatalf("Location %s", header.Get("Location"))
		}
		if status, _, body := ask(t, w, "PUT", at+"?digest="+sha("a")+state, "a"); status != want {
			t.Errorf("state %q: %d %s", state, status, body)
		}
	}
	for _, tag := range []string{"a", "b"} {
		putTag(t, w, tag, "a")
	}
	if _, header, _ := ask(t, w, "GET", "/tags/list?n=1", ""); header.Get("Link") != `<http://ghcr.io/v2/acme/app/tags/list?last=a&n=1>; rel="next"` {
		t.Errorf("Link %s", header.Get("Link"))
	}
}

func TestUploadsAreOpenUntilTheyAreCommittedOrCancelled(t *testing.T) {
	w := newWorld(t, Options{})
	for _, end := range []string{"", "DELETE", "PUT", "PATCH"} {
		_, header, _ := ask(t, w, "POST", "/blobs/uploads/", "")
		if end != "" {
			ask(t, w, end, header.Get("Location")+"?digest="+sha("a"), "a")
		}
	}
	if open := w.State().Uploads; len(open) != 1 || open["ghcr.io/acme/app"] != 2 {
		t.Errorf("open uploads %v", open)
	}
}

func TestForgottenBlobIsGoneFromItsRepositoryAlone(t *testing.T) {
	w := newWorld(t, Options{})
	ask(t, w, "POST", "/blobs/uploads/?digest="+sha("a"), "a")
	ask(t, w, "POST", "/v2/acme/other/blobs/uploads/?from=acme/app&mount="+sha("a"), "")
	w.Delete("ghcr.io", "acme/app", sha("a"))
	for repo, want := range map[string]int{"app": 404, "other": 200} {
		if status, _, _ := ask(t, w, "HEAD", "/v2/acme/"+repo+"/blobs/"+sha("a"), ""); status != want {
			t.Errorf("acme/%s: status %d", repo, status)
		}
	}
}

func TestRegistryRefusesWhatIsNotWhole(t *testing.T) {
	w := newWorld(t, Options{Law: anyTag})
	config := `{}`
	ask(t, w, "POST", "/blobs/uploads/?digest="+sha(config), config)
	image := func(layer string) string {
		return fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"config":{"digest":%q,"size":2},"layers":[%s]}`, mediaOCIManifest, sha(config), layer)
	}
	whole, layerless := image(""), image(`{"digest":"`+sha("layer")+`","size":5}`)
	foreign := image(`{"digest":"` + sha("layer") + `","size":5,"urls":["https://example.com"]}`)
	index := func(child string) string {
		return fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"manifests":[{"digest":%q,"size":5}]}`, mediaOCIIndex, child)
	}
	for _, c := range []struct {
		name, path, mediaType, body string
		status                      int
		code                        string
	}{
		{"a manifest under its digest", "/manifests/" + sha(whole), mediaOCIManifest, whole, 201, ""},
		{"a manifest under another digest", "/manifests/" + sha("x"), mediaOCIManifest, whole, 400, "DIGEST_INVALID"},
		{"a manifest whose layer lacks", "/manifests/" + sha(layerless), mediaOCIManifest, layerless, 404, "MANIFEST_BLOB_UNKNOWN"},
		{"a manifest with a foreign layer", "/manifests/" + sha(foreign), mediaOCIManifest, foreign, 201, ""},
		{"an index whose child is there", "/manifests/v1", mediaOCIIndex, index(sha(whole)), 201, ""},
		{"an index whose child lacks", "/manifests/v2", mediaOCIIndex, index(sha("x")), 404, "MANIFEST_BLOB_UNKNOWN"},
		{"another media type", "/manifests/v3", mediaDockerImage, whole, 400, "MANIFEST_INVALID"},
		{"no JSON", "/manifests/v4", mediaOCIManifest, "{", 400, "MANIFEST_INVALID"},
		{"a bad tag", "/manifests/-v", mediaOCIManifest, whole, 400, "TAG_INVALID"},
		{"too much", "/manifests/v5", mediaOCIManifest, strings.Repeat(" ", maxManifest+1), 413, "SIZE_INVALID"},
		{"a blob under another digest", "/blobs/uploads/?digest=" + sha("x"), "", "y", 400, "DIGEST_INVALID"},
	} {
		method := "PUT"
		if strings.Contains(c.path, "uploads") {
			method = "POST"
		}
		if status, _, body := ask(t, w, method, c.path, c.body, "Content-Type: "+c.mediaType); status != c.status || !strings.Contains(body, c.code) {
			t.Errorf("%s: %d %s", c.name, status, body)
		}
	}
	status, header, _ := ask(t, w, "HEAD", "/manifests/v1", "")
	if status != 200 || header.Get("Docker-Content-Digest") != sha(index(sha(whole))) || header.Get("Content-Type") != mediaOCIIndex {
		t.Errorf("HEAD of a tag: %d %v", status, header)
	}
}

func TestTagsAreListedInPages(t *testing.T) {
	w := newWorld(t, Options{})
	var want []string
	for n := range 7 {
		tag := fmt.Sprintf("v%d", n)
		want = append(want, tag)
		if _, err := w.SeedManifest("ghcr.io", "acme/app", tag, mediaOCIIndex, []byte(`{"manifests":[]}`)); err != nil {
			t.Fatal(err)
		}
	}
	repo, _ := name.NewRepository("ghcr.io/acme/app")
	got, err := remote.List(repo, remote.WithTransport(w), remote.WithPageSize(2))
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("tags %v, %v", got, err)
	}
	pages := 0
	for _, r := range w.Requests() {
		if strings.HasSuffix(r.Path, "/tags/list") {
			pages++
		}
	}
	if pages != 4 {
		t.Errorf("%d pages", pages)
	}
}

func TestATagListIsNoLongerThanTheRegistryAllows(t *testing.T) {
	w := newWorld(t, Options{})
	digest := must(w.SeedManifest("ghcr.io", "acme/app", "", mediaOCIIndex, []byte(`{"manifests":[]}`)))
	for n := range maxPage + 1 {
		if err := w.SeedTag("ghcr.io", "acme/app", fmt.Sprintf("t%04d", n), digest); err != nil {
			t.Fatal(err)
		}
	}
	for _, query := range []string{"", "?n=5000"} {
		_, header, body := ask(t, w, "GET", "/tags/list"+query, "")
		if tags := strings.Count(body, `"t`) - 1; tags != maxPage || !strings.Contains(header.Get("Link"), "last=t0999&n=1000") {
			t.Errorf("%q: %d tags, Link %s", query, tags, header.Get("Link"))
		}
	}
}

func TestTagListOfNoneIsEmptyAndLeadsNowhere(t *testing.T) {
	w := newWorld(t, Options{})
	if _, err := w.SeedManifest("ghcr.io", "acme/app", "1", mediaOCIIndex, []byte(`{"manifests":[]}`)); err != nil {
		t.Fatal(err)
	}
	if status, header, body := ask(t, w, "GET", "/tags/list?n=0", ""); status != 200 || body != `{"name":"acme/app","tags":[]}` || header.Get("Link") != "" {
		t.Errorf("%d %q %s", status, header.Get("Link"), body)
	}
}

func TestDeniedListIsDeniedForThatRepositoryAlone(t *testing.T) {
	for denied, want := range map[string]int{"acme/app": 403, "*": 403, "acme/other": 200} {
		w := newWorld(t, Options{Registry: RegistryOptions{DenyList: []string{denied}}})
		if _, err := w.SeedManifest("ghcr.io", "acme/app", "1", mediaOCIIndex, []byte(`{"manifests":[]}`)); err != nil {
			t.Fatal(err)
		}
		if status, _, body := ask(t, w, "GET", "/tags/list", ""); status != want {
			t.Errorf("%s: %d %s", denied, status, body)
		}
		if status, _, body := ask(t, w, "GET", "/manifests/1", ""); status != 200 {
			t.Errorf("%s: the tag itself: %d %s", denied, status, body)
		}
	}
}

func TestSeededTagsNameManifestsThatAreThere(t *testing.T) {
	w := newWorld(t, Options{})
	digest, err := w.SeedManifest("ghcr.io", "acme/app", "", mediaOCIIndex, []byte(`{"manifests":[]}`))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.SeedTag("ghcr.io", "acme/app", "1.2", digest); err != nil || w.State().Tags["ghcr.io/acme/app"]["1.2"] != digest {
		t.Errorf("%v, %v", err, w.State().Tags)
	}
	for title, err := range map[string]error{
		"no such host":       w.SeedTag("quay.io", "acme/app", "1", digest),
		"no such repository": w.SeedTag("ghcr.io", "acme/other", "1", digest),
		"no such manifest":   w.SeedTag("ghcr.io", "acme/app", "1", someDigest(1)),
		"no tag":             w.SeedTag("ghcr.io", "acme/app", "-1", digest),
	} {
		if err == nil {
			t.Errorf("%s: seeded", title)
		}
	}
}

func TestDeniedPushShowsAtTheUpload(t *testing.T) {
	for _, scheme := range []string{"", "basic", "bearer"} {
		w := newWorld(t, Options{Law: anyTag, Registry: RegistryOptions{
			Auth: Auth{Scheme: scheme, Password: "p"}, DenyPush: []string{"acme/app"},
		}})
		login := remote.WithAuth(basicLogin("u", "p"))
		img, err := random.Image(10, 1)
		if err != nil {
			t.Fatal(err)
		}
		err = remote.Write(ref(t, "ghcr.io/acme/app:1"), img, remote.WithTransport(w), login)
		if err == nil || !strings.Contains(err.Error(), "DENIED") {
			t.Errorf("%q: %v", scheme, err)
		}
		if err := remote.Write(ref(t, "ghcr.io/acme/other@"+digestOf(t, img)), img, remote.WithTransport(w), login); err != nil {
			t.Errorf("%q: another repository: %v", scheme, err)
		}
	}
}

func TestPrivateRegistryAsksForALogin(t *testing.T) {
	for _, scheme := range []string{"basic", "bearer"} {
		w := newWorld(t, Options{Registry: RegistryOptions{Auth: Auth{Scheme: scheme, Password: "p"}}})
		for user, auth := range map[string]authn.Authenticator{"nobody": authn.Anonymous, "somebody": basicLogin("u", "wrong")} {
			if _, err := remote.Head(ref(t, "ghcr.io/acme/app:1"), remote.WithTransport(w), remote.WithAuth(auth)); err == nil || !strings.Contains(err.Error(), "401") && !strings.Contains(err.Error(), "UNAUTHORIZED") {
				t.Errorf("%s, %s: %v", scheme, user, err)
			}
		}
	}
}

func TestImmutableTagIsNeverWrittenAgain(t *testing.T) {
	w := newWorld(t, Options{Law: anyTag, Registry: RegistryOptions{ImmutableTags: true}})
	body := `{"manifests":[]}`
	for _, want := range []int{201, 400} {
		if status, _, answer := ask(t, w, "PUT", "/manifests/1.0.0", body, "Content-Type: "+mediaOCIIndex); status != want {
			t.Errorf("status %d, want %d: %s", status, want, answer)
		}
	}
}

func TestReferrersAreListedWhereTheAPIIsOn(t *testing.T) {
	w := newWorld(t, Options{Registry: RegistryOptions{Referrers: true}})
	ask(t, w, "POST", "/blobs/uploads/?digest="+sha("{}"), "{}")
	m := fmt.Sprintf(`{"schemaVersion":2,"artifactType":"application/x","config":{"digest":%q,"size":2},"layers":[],"subject":{"digest":%q,"size":1}}`, sha("{}"), sha("subject"))
	status, header, body := ask(t, w, "PUT", "/manifests/"+sha(m), m, "Content-Type: "+mediaOCIManifest)
	if status != 201 || header.Get("Oci-Subject") != sha("subject") {
		t.Fatalf("%d %v %s", status, header, body)
	}
	for query, want := range map[string]bool{"": true, "?artifactType=application/x": true, "?artifactType=application/y": false} {
		status, header, body := ask(t, w, "GET", "/referrers/"+sha("subject")+query, "")
		if status != 200 || strings.Contains(body, sha(m)) != want || header.Get("Content-Type") != mediaOCIIndex {
			t.Errorf("%s: %d %s", query, status, body)
		}
	}
	if status, _, _ := ask(t, newWorld(t, Options{}), "GET", "/referrers/"+sha("subject"), ""); status != 404 {
		t.Errorf("API is off: status %d", status)
	}
}

func TestBigBlobCostsNoMemoryWhereOnlyItsDigestIsKept(t *testing.T) {
	w := newWorld(t, Options{Registry: RegistryOptions{KeepBlobs: 1 << 20}})
	const size = 256 << 20
	content := func() io.Reader { return io.LimitReader(rand.NewChaCha8([32]byte{1}), size) }
	hash := sha256.New()
	if _, err := io.Copy(hash, content()); err != nil {
		t.Fatal(err)
	}
	digest := fmt.Sprintf("sha256:%x", hash.Sum(nil))
	_, header, _ := ask(t, w, "POST", "/blobs/uploads/", "")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	req, _ := http.NewRequest(http.MethodPatch, "https://ghcr.io"+header.Get("Location"), content())
	resp, err := w.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if status, _, body := ask(t, w, "PUT", "https://ghcr.io"+header.Get("Location")+"?digest="+digest, ""); status != 201 {
		t.Fatalf("%d %s", status, body)
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 16<<20 {
		t.Errorf("%d bytes were allocated for an upload of %d", used, size)
	}
	if status, header, _ := ask(t, w, "HEAD", "/blobs/"+digest, ""); status != 200 || header.Get("Content-Length") != fmt.Sprint(size) {
		t.Errorf("HEAD: %d %v", status, header)
	}
}

func TestRequestBodyMustHaveItsAnnouncedLength(t *testing.T) {
	w := newWorld(t, Options{})
	req, _ := http.NewRequest(http.MethodPost, repoURL+"/blobs/uploads/?digest="+sha("abc"), io.NopCloser(bytes.NewReader([]byte("abc"))))
	req.ContentLength = 4
	if resp, err := w.RoundTrip(req); err == nil {
		t.Errorf("status %d", resp.StatusCode)
	}
	if status, _, _ := ask(t, w, "HEAD", "/blobs/"+sha("abc"), ""); status != 404 {
		t.Errorf("the blob is there: status %d", status)
	}
}
