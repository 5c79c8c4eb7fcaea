package verify_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/taglast/taglast/internal/bundle"
	"github.com/taglast/taglast/internal/hint"
	"github.com/taglast/taglast/internal/sandbox"
	"github.com/taglast/taglast/internal/testkit/verifytest"
	"github.com/taglast/taglast/pkg/verify"
)

const (
	provenance = "https://slsa.dev/provenance/v1"
	sbom       = "https://spdx.dev/Document/v2.3"
	tag        = "ghcr.io/acme/app:1.2.3"
)

// options of a consumer who trusts acme/app.
func options(t *testing.T, w *verifytest.World) verify.Options {
	return verify.Options{
		HTTP: w, Token: w.Env()["GITHUB_TOKEN"], Budget: -1, // these tests have a network without trouble
		Policy: verify.Policy{Repo: "acme/app"}, Roots: trusted(t, w),
	}
}

// trusted are the roots of a world.
func trusted(t *testing.T, w *verifytest.World) *verify.TrustedRoots {
	t.Helper()
	roots, err := verify.ParseTrustedRoots(w.TrustedRoot())
	if err != nil {
		t.Fatal(err)
	}
	return roots
}

func TestVerifyFindsTheDigestAndItsAttestation(t *testing.T) {
	w := verifytest.New(t, sandbox.Options{})
	digest, raw := w.Image(t, "1.2.3")
	w.Store(t, w.Sign(t, provenance, digest))
	w.Store(t, w.Sign(t, sbom, digest))
	dir := t.TempDir()
	file := write(t, dir, "manifest.json", raw)
	layout := newLayout(t, digest, raw)
	for _, c := range []struct {
		name, ref string
		change    func(*verify.Options)
	}{
		{"a tag", tag, nil},
		{"a tag with oci://", "oci://" + tag, nil},
		{"a digest", "ghcr.io/acme/app@" + digest, nil},
		{"a tag and a digest", tag + "@" + digest, nil},
		{"a file", file, nil},
		{"a file in the working directory", "./manifest.json", func(o *verify.Options) { o.Dir = dir }},
		{"a file by its bare name", "manifest.json", func(o *verify.Options) { o.Dir = dir }},
		{"an OCI layout", layout, nil},
		{"by the owner, an organization", tag, func(o *verify.Options) { o.Policy.Repo, o.Policy.Owner = "", "acme" }},
		{"another predicate type", tag, func(o *verify.Options) { o.Policy.PredicateType = sbom }},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := options(t, w)
			if c.change != nil {
				c.change(&o)
			}
			r, err := verify.Verify(t.Context(), c.ref, o)
			if err != nil {
				t.Fatal(err)
			}
			if r.Digest != digest || r.Ref != c.ref || len(r.Verified) != 1 || len(r.Refused) != 0 {
				t.Errorf("result %+v", r)
			}
			if got := r.Verified[0]; got.Initiator != "user" || !strings.HasPrefix(got.BundleURL, "https://") || strings.Contains(got.BundleURL, "?") {
				t.Errorf("from %q, posted by %q", got.BundleURL, got.Initiator)
			}
		})
	}
}

func TestVerifyAsksForAUserWhereNoOrganizationKnows(t *testing.T) {
	w := verifytest.New(t, sandbox.Options{})
	digest, _ := w.Image(t, "1.2.3")
	w.Store(t, w.Sign(t, provenance, digest))
	o := options(t, w)
	o.Policy.Repo, o.Policy.Owner = "", "acme"
	var asked []string
	o.HTTP = roundTrip(func(r *http.Request) (*http.Response, error) {
		if r.URL.Host == "api.github.com" {
			asked = append(asked, strings.SplitN(r.URL.Path, "/", 4)[1])
			r.URL.Path = strings.Replace(r.URL.Path, "/orgs/", "/repos/nobody/", 1)
		}
		return w.RoundTrip(r)
	})
	if _, err := verify.Verify(t.Context(), tag, o); err != nil || strings.Join(asked, " ") != "orgs users" {
		t.Errorf("asked %q, %v", asked, err)
	}
}

func TestNothingThatPassesIsNeverASuccess(t *testing.T) {
	w := verifytest.New(t, sandbox.Options{})
	digest, _ := w.Image(t, "1.2.3")
	other, _ := w.Image(t, "other")
	w.Store(t, w.Sign(t, provenance, digest))
	dir := t.TempDir()
	good := w.Sign(t, provenance, digest)
	for _, c := range []struct {
		name, ref string
		change    func(*verify.Options)
		is        error
		text      string
	}{
		{"an image without any", "ghcr.io/acme/app:other", nil, verify.ErrNoAttestation, other},
		{"a predicate type that there is not, through the API", tag, func(o *verify.Options) { o.Policy.PredicateType = sbom }, verify.ErrNoAttestation, digest},
		{"a predicate type that there is not, by bundle", tag, func(o *verify.Options) {
			o.Policy.PredicateType, o.Bundle = sbom, write(t, dir, "good.json", good)
		}, verify.ErrNoAttestation, "1 is of other types"},
		{"a bundle of another digest", "ghcr.io/acme/app:other", func(o *verify.Options) { o.Bundle = write(t, dir, "other.json", good) }, verify.ErrNonePasses, "1 was refused"},
		{"another signer", tag, func(o *verify.Options) { o.Policy.SignerRepo = "acme/shared" }, verify.ErrNonePasses, "1 was refused"},
		{"another repository", tag, func(o *verify.Options) { o.Policy.Repo = "acme/else" }, verify.ErrNoAttestation, digest},
		{"no referrers", tag, func(o *verify.Options) { o.BundleFromOCI = true }, verify.ErrNoAttestation, digest},
		{"no trusted root", tag, func(o *verify.Options) { o.Roots = &verify.TrustedRoots{} }, verify.ErrNonePasses, "1 was refused"},
		{"a tag that is not there", "ghcr.io/acme/app:9", nil, nil, "not found"},
		{"a file that is not there", "./nothing", nil, nil, "does not exist"},
		{"an empty file of bundles", tag, func(o *verify.Options) { o.Bundle = write(t, dir, "empty.jsonl", []byte("\n")) }, nil, "empty"},
		{"a file with a line that is no bundle", tag, func(o *verify.Options) {
			o.Bundle = write(t, dir, "bad.jsonl", append(bytes.Clone(good), "\n\n{]\n"...))
		}, nil, "line 3"},
		{"a file of bundles beyond its bound", tag, func(o *verify.Options) { o.Bundle = write(t, dir, "big.json", make([]byte, 64<<20+1)) }, nil, "more than"},
		{"a bundle beyond its bound", tag, func(o *verify.Options) {
			o.Bundle = write(t, dir, "long.json", append(bytes.Repeat([]byte(" "), 8), bytes.Repeat([]byte("1"), 25<<20)...))
		}, bundle.ErrInvalid, "larger than"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := options(t, w)
			if c.change != nil {
				c.change(&o)
			}
			r, err := verify.Verify(t.Context(), c.ref, o)
			if err == nil || len(r.Verified) != 0 {
				t.Fatalf("it passed: %+v", r)
			}
			if c.is != nil && !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.text) {
				t.Errorf("error %v", err)
			}
			if errors.Is(err, verify.ErrUsage) {
				t.Errorf("%v: called wrong usage", err)
			}
			if r.Others > 0 && !strings.Contains(hint.Of(err), "--predicate-type "+provenance) {
				t.Errorf("the hint %q does not name what there is", hint.Of(err))
			}
		})
	}
}

func TestOneThatPassesIsEnough(t *testing.T) {
	w := verifytest.New(t, sandbox.Options{})
	digest, _ := w.Image(t, "1.2.3")
	good, wrong, other := w.Sign(t, provenance, digest), w.Sign(t, provenance, verifytest.Digest(nil)), w.Sign(t, sbom, digest)
	changed := bytes.Replace(good, []byte(`"sig":"`), []byte(`"sig":"AAAA`), 1)
	file := write(t, t.TempDir(), "all.jsonl", bytes.Join([][]byte{wrong, changed, other, good}, []byte("\n")))
	w.Refer(t, digest, []byte("{"), wrong, other, good)
	for _, c := range []struct {
		name    string
		change  func(*verify.Options)
		sources []string
	}{
		{"in a file", func(o *verify.Options) { o.Bundle = file }, []string{"all.jsonl:1", "all.jsonl:2"}},
		{"in the registry, by its fallback tag", func(o *verify.Options) { o.BundleFromOCI = true }, []string{"referrer sha256:", "referrer sha256:"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := options(t, w)
			c.change(&o)
			r, err := verify.Verify(t.Context(), tag, o)
			if err != nil {
				t.Fatal(err)
			}
			if len(r.Verified) != 1 || r.Others != 1 || len(r.Refused) != len(c.sources) {
				t.Fatalf("%d verified, %d of other types, refusals %q", len(r.Verified), r.Others, r.Refusals())
			}
			for i, source := range c.sources {
				if !strings.HasPrefix(r.Refused[i].Source, source) || r.Refused[i].Err == nil {
					t.Errorf("refusal %d: %q", i, r.Refusals()[i])
				}
			}
		})
	}
}

func TestReferrersAPIIsPreferred(t *testing.T) {
	w := verifytest.New(t, sandbox.Options{Registries: map[string]sandbox.RegistryOptions{"ghcr.io": {Referrers: true}}})
	digest, _ := w.Image(t, "1.2.3")
	w.Refer(t, digest, w.Sign(t, provenance, digest))
	o := options(t, w)
	o.BundleFromOCI = true
	if _, err := verify.Verify(t.Context(), tag, o); err != nil {
		t.Fatal(err)
	}
	for _, r := range w.Requests() {
		if strings.Contains(r.Path, "/manifests/sha256-") {
			t.Errorf("the tag was read: %s", r.Path)
		}
	}
}

func TestWrongUsageIsToldBeforeAnythingIsSent(t *testing.T) {
	for _, c := range []struct {
		name   string
		ref    string
		change func(*verify.Options)
		text   string
	}{
		{"nobody is trusted", tag, func(o *verify.Options) { o.Policy.Repo = "" }, "--repo"},
		{"an identity, and no place to look", tag, func(o *verify.Options) { o.Policy.Repo, o.Policy.SignerRepo = "", "acme/app" }, "--bundle"},
		{"two places to look", tag, func(o *verify.Options) { o.Bundle, o.BundleFromOCI = "a.json", true }, "exclude"},
		{"a bundle of an unknown kind", tag, func(o *verify.Options) { o.Bundle = "a.txt" }, ".json"},
		{"a limit of too much", tag, func(o *verify.Options) { o.Limit = 1001 }, "--limit"},
		{"a limit below one", tag, func(o *verify.Options) { o.Limit = -1 }, "--limit"},
		{"a reference that is none", "oci://ghcr.io/acme/UPPER", nil, "no image reference"},
		{"a file and the registry's bundles", "./x", func(o *verify.Options) { o.BundleFromOCI = true }, "--bundle-from-oci"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := verifytest.New(t, sandbox.Options{})
			o := options(t, w)
			if c.change != nil {
				c.change(&o)
			}
			_, err := verify.Verify(t.Context(), c.ref, o)
			if !errors.Is(err, verify.ErrUsage) || !strings.Contains(err.Error(), c.text) {
				t.Errorf("error %v", err)
			}
			if sent := w.Requests(); len(sent) != 0 {
				t.Errorf("%d requests were sent", len(sent))
			}
		})
	}
}

func TestTokenGoesToTheAPIAlone(t *testing.T) {
	w := verifytest.New(t, sandbox.Options{})
	digest, _ := w.Image(t, "1.2.3")
	w.Store(t, w.Sign(t, provenance, digest))
	o := options(t, w)
	o.HTTP = roundTrip(func(r *http.Request) (*http.Response, error) {
		if has := strings.Contains(r.Header.Get("Authorization"), o.Token); has != (r.URL.Host == "api.github.com") {
			t.Errorf("%s %s: token sent: %t", r.Method, r.URL.Host, has)
		}
		return w.RoundTrip(r)
	})
	if _, err := verify.Verify(t.Context(), tag, o); err != nil {
		t.Fatal(err)
	}
}

func TestAnonymousQuestionThatIsRefusedSaysWhatHelps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := verifytest.New(t, sandbox.Options{})
		w.Image(t, "1.2.3")
		o := options(t, w)
		o.Token = ""
		o.HTTP = roundTrip(func(r *http.Request) (*http.Response, error) {
			if r.URL.Host != "api.github.com" {
				return w.RoundTrip(r)
			}
			return &http.Response{
				StatusCode: 403, Request: r, Body: http.NoBody,
				Header: http.Header{"X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {"4102444800"}},
			}, nil
		})
		_, err := verify.Verify(t.Context(), tag, o)
		if err == nil || !strings.Contains(verify.Hint(err), "GH_TOKEN") {
			t.Errorf("error %v, hint %q", err, verify.Hint(err))
		}
	})
}

func TestReusableWorkflowIsHintedAt(t *testing.T) {
	w := verifytest.New(t, sandbox.Options{Identity: sandbox.Identity{JobWorkflowRef: "acme/shared/.github/workflows/build.yml@refs/heads/main"}})
	digest, _ := w.Image(t, "1.2.3")
	w.Store(t, w.Sign(t, provenance, digest))
	o := options(t, w)
	if _, err := verify.Verify(t.Context(), tag, o); !errors.Is(err, verify.ErrNonePasses) || !strings.Contains(verify.Hint(err), "--signer-workflow") {
		t.Errorf("error %v, hint %q", err, verify.Hint(err))
	}
	o.Policy.SignerRepo = "acme/shared"
	if _, err := verify.Verify(t.Context(), tag, o); err != nil {
		t.Error(err)
	}
}

func TestJSONHasTheShapeOfGH(t *testing.T) {
	w := verifytest.New(t, sandbox.Options{})
	digest, _ := w.Image(t, "1.2.3")
	w.Store(t, w.Sign(t, provenance, digest))
	r, err := verify.Verify(t.Context(), tag, options(t, w))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var got []struct {
		Digest      string
		Attestation struct {
			Bundle    json.RawMessage
			BundleURL string `json:"bundle_url"`
			Initiator string
		}
		VerificationResult struct {
			MediaType string
			Statement struct {
				PredicateType string
				Subject       []struct{ Digest map[string]string }
			}
			Signature struct {
				Certificate struct{ SourceRepositoryURI, SubjectAlternativeName, CertificateIssuer string }
			}
			VerifiedTimestamps []struct{ Type, Timestamp string }
		}
	}
	if err := json.Unmarshal(raw, &got); err != nil || len(got) != 1 {
		t.Fatalf("%s: %v", raw, err)
	}
	v := got[0].VerificationResult
	types := ""
	for _, s := range v.VerifiedTimestamps {
		types += s.Type + " "
	}
	if got[0].Digest != digest || got[0].Attestation.Initiator != "user" || len(got[0].Attestation.Bundle) == 0 ||
		v.MediaType != "application/vnd.dev.sigstore.verificationresult+json;version=0.1" ||
		v.Statement.PredicateType != provenance || "sha256:"+v.Statement.Subject[0].Digest["sha256"] != digest ||
		v.Signature.Certificate.SourceRepositoryURI != "https://github.com/acme/app" ||
		!strings.Contains(types, "Tlog") {
		t.Errorf("%s", raw)
	}
}

func write(t *testing.T, dir, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestReferrersAPIInTroubleDoesNotHideTheTag(t *testing.T) {
	w := verifytest.New(t, sandbox.Options{})
	digest, _ := w.Image(t, "1.2.3")
	bare, _ := w.Image(t, "bare")
	w.Refer(t, digest, w.Sign(t, provenance, digest))
	o := options(t, w)
	o.BundleFromOCI = true
	o.HTTP = roundTrip(func(r *http.Request) (*http.Response, error) {
		if strings.Contains(r.URL.Path, "/referrers/") {
			return &http.Response{StatusCode: 429, Request: r, Body: http.NoBody, Header: http.Header{}}, nil
		}
		return w.RoundTrip(r)
	})
	if _, err := verify.Verify(t.Context(), tag, o); err != nil {
		t.Error(err)
	}
	_, err := verify.Verify(t.Context(), "ghcr.io/acme/app@"+bare, o)
	if err == nil || errors.Is(err, verify.ErrNoAttestation) || !strings.Contains(err.Error(), "429") {
		t.Errorf("an API in trouble is taken for an image without attestations: %v", err)
	}
}
