package sandbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// putTag writes an empty index, with some text to make its digest, under a tag.
func putTag(t *testing.T, w *World, tag, text string) (int, string) {
	t.Helper()
	status, _, body := ask(t, w, "PUT", "/manifests/"+tag, indexOf(text), "Content-Type: "+mediaOCIIndex)
	return status, body
}

func indexOf(text string) string {
	return fmt.Sprintf(`{"schemaVersion":2,"manifests":[],"annotations":{"text":%q}}`, text)
}

func TestLawTakesOnlyAnAttestationOfTheTaggedDigestByTheJobsWorkflow(t *testing.T) {
	digest := sha(indexOf("a"))
	for name, c := range map[string]struct {
		prepare func(t *testing.T, w *World)
		status  int
		reason  string
	}{
		"none": {func(*testing.T, *World) {}, 403, "no attestation"},
		"its own": {func(t *testing.T, w *World) {
			store(t, w, signBundle(t, w, digest))
		}, 201, ""},
		"of another digest": {func(t *testing.T, w *World) {
			store(t, w, signBundle(t, w, someDigest(1)))
		}, 403, "no attestation"},
		"signed but not stored": {func(t *testing.T, w *World) {
			signBundle(t, w, digest)
		}, 403, "no attestation"},
		"of another workflow": {func(t *testing.T, w *World) {
			ours := w.Identity()
			w.SetIdentity(Identity{JobWorkflowRef: "acme/app/.github/workflows/evil.yml@refs/heads/main"})
			store(t, w, signBundle(t, w, digest))
			w.SetIdentity(ours)
		}, 403, "no attestation that verifies"},
		"of other authorities": {func(t *testing.T, w *World) {
			store(t, w, signBundle(t, newWorld(t, Options{}), digest))
		}, 403, "no attestation that verifies"},
		"without a log entry": {func(t *testing.T, w *World) {
			if status := store(t, w, without(t, signBundle(t, w, digest), "tlogEntries")); status != http.StatusCreated {
				t.Fatalf("store: status %d", status)
			}
		}, 403, "no attestation that verifies"},
		"in the registry": {func(t *testing.T, w *World) {
			bundle := string(signBundle(t, w, digest))
			ask(t, w, "POST", "/blobs/uploads/?digest="+sha(bundle), bundle)
			ask(t, w, "POST", "/blobs/uploads/?digest="+sha("{}"), "{}")
			m := fmt.Sprintf(`{"schemaVersion":2,"artifactType":"application/vnd.dev.sigstore.bundle.v0.3+json","config":{"digest":%q,"size":2},`+
				`"layers":[{"digest":%q,"size":%d}],"subject":{"digest":%q,"size":1}}`, sha("{}"), sha(bundle), len(bundle), digest)
			if status, _, body := ask(t, w, "PUT", "/manifests/"+sha(m), m, "Content-Type: "+mediaOCIManifest); status != 201 {
				t.Fatalf("%d %s", status, body)
			}
		}, 201, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, Options{})
			c.prepare(t, w)
			status, body := putTag(t, w, "1.0.0", "a")
			if status != c.status || !strings.Contains(body, c.reason) {
				t.Errorf("%d %s", status, body)
			}
			tagged := w.State().Tags["ghcr.io/acme/app"]["1.0.0"] != ""
			if tagged != (c.status == 201) || (len(w.Violations()) == 0) != tagged {
				t.Errorf("tagged %t, violations %v", tagged, w.Violations())
			}
		})
	}
}

func TestPrivateRepositoryNeedsATimestampAndNoLog(t *testing.T) {
	digest := sha(indexOf("a"))
	for part, status := range map[string]int{"tlogEntries": 201, "timestampVerificationData": 403} {
		w := newWorld(t, Options{Identity: Identity{RepositoryVisibility: "private"}})
		store(t, w, without(t, signBundle(t, w, digest), part))
		if got, body := putTag(t, w, "1.0.0", "a"); got != status {
			t.Errorf("without %s: %d %s", part, got, body)
		}
	}
}

// without takes a member out of a bundle's verification material.
func without(t *testing.T, bundle []byte, part string) []byte {
	t.Helper()
	var all map[string]any
	if err := json.Unmarshal(bundle, &all); err != nil {
		t.Fatal(err)
	}
	delete(all["verificationMaterial"].(map[string]any), part)
	out, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestFirstTagWaitsForTheWholeRelease(t *testing.T) {
	w := newWorld(t, Options{})
	a, b := sha(indexOf("a")), sha(indexOf("b"))
	w.SetRelease(a, b)
	store(t, w, signBundle(t, w, a))
	if status, body := putTag(t, w, "1.0.0", "a"); status != 403 || !strings.Contains(body, "before "+b) {
		t.Errorf("before the barrier: %d %s", status, body)
	}
	store(t, w, signBundle(t, w, b))
	if status, body := putTag(t, w, "1.0.0", "a"); status != 201 {
		t.Errorf("after the barrier: %d %s", status, body)
	}
}

func TestReferrersTagNamesArtifactsOnly(t *testing.T) {
	w := newWorld(t, Options{})
	tag := "sha256-" + strings.Repeat("a", 64)
	ask(t, w, "POST", "/blobs/uploads/?digest="+sha("{}"), "{}")
	m := fmt.Sprintf(`{"schemaVersion":2,"config":{"digest":%q,"size":2},"layers":[]}`, sha("{}"))
	ask(t, w, "PUT", "/manifests/"+sha(m), m, "Content-Type: "+mediaOCIManifest)
	for artifact, want := range map[string]int{`,"artifactType":"application/x"`: 201, "": 403} {
		index := fmt.Sprintf(`{"schemaVersion":2,"manifests":[{"digest":%q,"size":1%s}]}`, sha(m), artifact)
		if status, _, body := ask(t, w, "PUT", "/manifests/"+tag, index, "Content-Type: "+mediaOCIIndex); status != want {
			t.Errorf("%q: %d %s", artifact, status, body)
		}
	}
	if status, _, _ := ask(t, w, "PUT", "/manifests/"+tag, m, "Content-Type: "+mediaOCIManifest); status != 403 {
		t.Errorf("an image under a referrers tag: status %d", status)
	}
}

func TestPublishedForgetsWhatDoesNotCount(t *testing.T) {
	run := func(extra bool) []string {
		w := newWorld(t, Options{})
		digest := sha(indexOf("a"))
		store(t, w, signBundle(t, w, digest))
		if extra {
			store(t, w, signBundle(t, w, digest))
			store(t, w, signBundle(t, w, someDigest(9)))
			ask(t, w, "PUT", "/manifests/"+sha(indexOf("orphan")), indexOf("orphan"), "Content-Type: "+mediaOCIIndex)
			ask(t, w, "POST", "/blobs/uploads/?digest="+sha("orphan"), "orphan")
		}
		putTag(t, w, "1.0.0", "a")
		return w.Published()
	}
	plain, noisy := fmt.Sprint(run(false)), fmt.Sprint(run(true))
	if plain != noisy || !strings.Contains(plain, "ghcr.io/acme/app:1.0.0 "+sha(indexOf("a"))+" attested=true") {
		t.Errorf("undisturbed %s\nwith orphans %s", plain, noisy)
	}
}

func TestTheLawIsAskedOfWhatIsLeftAfterForget(t *testing.T) {
	w := newWorld(t, Options{})
	for _, name := range []string{"a", "b"} {
		ask(t, w, "PUT", "/manifests/"+sha(indexOf(name)), indexOf(name), "Content-Type: "+mediaOCIIndex)
	}
	w.Delete("ghcr.io", "acme/app", sha(indexOf("a")))
	err := w.checkLaw(Tag{Host: "ghcr.io", Repository: "acme/app", Tag: "1.0.0", Digest: sha(indexOf("b"))})
	if err == nil || !strings.Contains(err.Error(), "no attestation") {
		t.Errorf("%v", err)
	}
	if got := w.State().Manifests["ghcr.io/acme/app"]; len(got) != 1 {
		t.Errorf("manifests %v", got)
	}
}
