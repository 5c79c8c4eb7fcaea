package verify_test

import (
	"bytes"
	"errors"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/taglast/taglast/internal/sandbox"
	"github.com/taglast/taglast/internal/testkit/verifytest"
	"github.com/taglast/taglast/pkg/verify"
)

func TestTrustedRootsAreReadInBothForms(t *testing.T) {
	w := verifytest.New(t, sandbox.Options{})
	digest, raw := w.Image(t, "1.2.3")
	own, other := bytes.TrimSpace(w.TrustedRoot()), bytes.TrimSpace(verifytest.New(t, sandbox.Options{}).TrustedRoot())
	dir := t.TempDir()
	file := write(t, dir, "manifest.json", raw)
	o := verify.Options{ // a file, a bundle and a root: nothing of it is on a network, and none is given
		Policy: verify.Policy{Repo: "acme/app"}, Dir: dir, Bundle: write(t, dir, "app.json", w.Sign(t, provenance, digest)),
	}
	for _, c := range []struct {
		name    string
		content []byte
		want    error
	}{
		{"one document on several lines", bytes.ReplaceAll(own, []byte(","), []byte(",\n")), nil},
		{"JSON lines", slices.Concat(own, []byte("\n"), other, []byte("\n")), nil},
		{"another instance of the same name comes first: no other is tried", slices.Concat(other, []byte("\n"), own), verify.ErrNonePasses},
		{"another instance alone", other, verify.ErrNonePasses},
	} {
		t.Run(c.name, func(t *testing.T) {
			roots, err := verify.LoadTrustedRoots(write(t, t.TempDir(), "root", c.content))
			if err != nil {
				t.Fatal(err)
			}
			o := o
			o.Roots = roots
			if _, err := verify.Verify(t.Context(), file, o); !errors.Is(err, c.want) {
				t.Errorf("error %v, want %v", err, c.want)
			}
		})
	}
}

func TestTrustedRootsThatAreNoneAreRefused(t *testing.T) {
	for name, raw := range map[string]string{"nothing": "", "no JSON": "{", "another document": `{"a":1}`, "a second that is none": "{}"} {
		if roots, err := verify.ParseTrustedRoots([]byte(raw)); err == nil || roots != nil {
			t.Errorf("%s: roots %v, error %v", name, roots, err)
		}
	}
	if roots, err := verify.LoadTrustedRoots(filepath.Join(t.TempDir(), "none")); err == nil || roots != nil {
		t.Errorf("a file that is not there: roots %v, error %v", roots, err)
	}
}

// Without roots in the options they come by TUF, from both instances; and only where there is something to verify.
func TestRootsComeByTUFWhenAnAttestationNeedsThem(t *testing.T) {
	w := verifytest.New(t, sandbox.Options{})
	digest, _ := w.Image(t, "1.2.3")
	w.Image(t, "bare")
	w.Store(t, w.Sign(t, provenance, digest))
	var mirrors []string
	o := options(t, w)
	o.Roots = nil
	o.HTTP = roundTrip(func(r *http.Request) (*http.Response, error) {
		if strings.HasPrefix(r.URL.Host, "tuf-repo") {
			if !slices.Contains(mirrors, r.URL.Host) {
				mirrors = append(mirrors, r.URL.Host)
			}
			return &http.Response{StatusCode: http.StatusForbidden, Request: r, Body: http.NoBody, Header: http.Header{}}, nil
		}
		return w.RoundTrip(r)
	})
	if _, err := verify.Verify(t.Context(), "ghcr.io/acme/app:bare", o); !errors.Is(err, verify.ErrNoAttestation) || len(mirrors) != 0 {
		t.Errorf("without an attestation %q were asked: %v", mirrors, err)
	}
	r, err := verify.Verify(t.Context(), tag, o)
	if err == nil || len(r.Verified) != 0 || !strings.Contains(err.Error(), "TUF repository") {
		t.Errorf("without roots: %+v, %v", r, err)
	}
	if want := []string{"tuf-repo-cdn.sigstore.dev", "tuf-repo.github.com"}; !slices.Equal(mirrors, want) {
		t.Errorf("asked %q, want %q", mirrors, want)
	}
}
