package fault

import (
	"net/http"
	"strings"
	"testing"
)

func TestKeyIsTheSameFromRunToRun(t *testing.T) {
	digest := "sha256:" + strings.Repeat("ab", 32)
	for url, want := range map[string]string{
		"https://ghcr.io/v2/":                                                                             "GET ghcr.io/v2/ #0",
		"https://ghcr.io/v2/acme/app/manifests/" + digest:                                                 "GET ghcr.io/v2/acme/app/manifests/{digest} #0",
		"https://ghcr.io/v2/acme/app/manifests/1":                                                         "GET ghcr.io/v2/acme/app/manifests/1 #0",
		"https://ghcr.io/v2/acme/app/manifests/1.2.3":                                                     "GET ghcr.io/v2/acme/app/manifests/1.2.3 #0",
		"https://ghcr.io/v2/acme/app/manifests/sha256-" + digest[7:]:                                      "GET ghcr.io/v2/acme/app/manifests/sha256-{digest} #0",
		"https://ghcr.io/v2/acme/app/blobs/uploads/0f0e0d0c-0b0a-0908-0706-050403020100?digest=" + digest: "GET ghcr.io/v2/acme/app/blobs/uploads/{id}?digest={digest} #0",
		"https://ghcr.io/v2/acme/app/blobs/uploads/?mount=" + digest + "&from=acme%2Fbase":                "GET ghcr.io/v2/acme/app/blobs/uploads/?from=acme/base&mount={digest} #0",
		"https://ghcr.io/v2/acme/app/tags/list?n=100&last=v9":                                             "GET ghcr.io/v2/acme/app/tags/list?last={id}&n=100 #0",
		"https://rekor.invalid/api/v1/log/entries/" + strings.Repeat("0a", 40):                            "GET rekor.invalid/api/v1/log/entries/{id} #0",
		"https://api.github.com/repos/acme/app/attestations/" + digest + "?per_page=30":                   "GET api.github.com/repos/acme/app/attestations/{digest}?per_page=30 #0",
		"https://bundles.invalid/attestations/1001/2000/01/02/7.json.sn?se=2000-01-02&sig=0a1b":           "GET bundles.invalid/attestations/{id}/{id}/{id}/{id}/{id}.json.sn?se={id}&sig={id} #0",
	} {
		req, err := http.NewRequest(http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := keyOf(req).String(); got != want {
			t.Errorf("%s\n got %s\nwant %s", url, got, want)
		}
	}
}

func TestKindsApplyWhereTheyCanShow(t *testing.T) {
	for _, c := range []struct {
		kind         Kind
		method, path string
		want         bool
	}{
		{Truncated, "HEAD", "/v2/a/manifests/{digest}", false},
		{Truncated, "GET", "/v2/a/manifests/{digest}", true},
		{Garbage, "HEAD", "/v2/a/blobs/{digest}", false},
		{StaleReads, "GET", "/v2/a/manifests/{digest}", false},
		{StaleReads, "PUT", "/v2/a/manifests/1.2.3", true},
		{StaleReads, "PUT", "/v2/a/blobs/uploads/{id}?digest={digest}", true},
		{StaleReads, "PATCH", "/v2/a/blobs/uploads/{id}", false},
		{StaleReads, "POST", "/v2/a/blobs/uploads/", false},
		{StaleReads, "POST", "/v2/a/blobs/uploads/?from=b&mount={digest}", true},
		{StaleReads, "POST", "/repos/acme/app/attestations", true},
		{StaleReads, "POST", "/api/v1/log/entries", true},
		{StaleReads, "POST", "/api/v2/signingCert", false},
		{LostAnswer, "HEAD", "/v2/a/blobs/{digest}", true},
	} {
		if got := c.kind.Applies(Key{Method: c.method, Path: c.path}); got != c.want {
			t.Errorf("%s at %s %s: %t", c.kind, c.method, c.path, got)
		}
	}
}
