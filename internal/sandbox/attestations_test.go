package sandbox

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang/snappy"
)

const storeURL = "https://api.github.com/repos/acme/app/attestations"

// answerTo sends one request with an optional token and body.
func answerTo(t testing.TB, w http.RoundTripper, method, u, token, body string) (int, http.Header, []byte) {
	t.Helper()
	req, err := http.NewRequest(method, u, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
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
	return resp.StatusCode, resp.Header, raw
}

func TestStoreRefusesInTheOrderThatAPreflightNeeds(t *testing.T) {
	w := newWorld(t, Options{})
	good := `{"bundle":` + string(signBundle(t, w, someDigest(1))) + `}`
	twice := `{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"a","digest":{"sha256":"01"}},{"name":"a","digest":{"sha256":"01"}}],"predicateType":"x"}`
	token := w.Env()["GITHUB_TOKEN"]
	for name, c := range map[string]struct {
		url, token, body string
		denied           bool
		status           int
		message          string
	}{
		"no token":                         {storeURL, "", good, false, 401, "Requires authentication"},
		"a wrong token":                    {storeURL, "other", good, false, 401, "Bad credentials"},
		"another repository":               {"https://api.github.com/repos/acme/other/attestations", token, good, false, 404, "Not Found"},
		"no permission":                    {storeURL, token, `{}`, true, 403, "Resource not accessible by integration"},
		"a body without bundle":            {storeURL, token, `{}`, false, 422, "wasn't supplied"},
		"a body that is no JSON":           {storeURL, token, `}`, false, 422, "parse the request"},
		"a bundle that is none":            {storeURL, token, `{"bundle":{"mediaType":"application/json"}}`, false, 422, "invalid bundle"},
		"a statement with a subject twice": {storeURL, token, `{"bundle":` + string(signStatement(t, w, []byte(twice))) + `}`, false, 422, "duplicate subject in statement"},
		"a bundle":                         {storeURL, token, good, false, 201, `{"id":1}`},
	} {
		world := w
		if c.denied {
			world = newWorld(t, Options{NoAttestations: true})
		}
		if status, _, body := answerTo(t, world, http.MethodPost, c.url, c.token, c.body); status != c.status || !strings.Contains(string(body), c.message) {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
}

func TestStoredBundlesAreListedInPagesAndFetchedWithoutCredentials(t *testing.T) {
	w := newWorld(t, Options{})
	digest := someDigest(3)
	bundle := signBundle(t, w, digest)
	for range 5 {
		if status := store(t, w, bundle); status != http.StatusCreated {
			t.Fatalf("store: status %d", status)
		}
	}
	next := storeURL + "/" + digest + "?per_page=2&predicate_type=" + url.QueryEscape("https://slsa.dev/provenance/v1")
	var seen []string
	var pages int
	for next != "" {
		status, header, body := answerTo(t, w, http.MethodGet, next, "", "")
		var page struct {
			Attestations []struct {
				Bundle    json.RawMessage
				BundleURL string `json:"bundle_url"`
				Initiator string
			}
		}
		if err := json.Unmarshal(body, &page); err != nil || status != http.StatusOK {
			t.Fatalf("%d %s", status, body)
		}
		for _, a := range page.Attestations {
			if a.Initiator != "user" || string(a.Bundle) != "null" {
				t.Errorf("attestation %+v", a)
			}
			seen = append(seen, a.BundleURL)
		}
		pages++
		next = ""
		if link := header.Get("Link"); link != "" {
			next = strings.TrimPrefix(strings.TrimSuffix(link, `>; rel="next"`), "<")
		}
	}
	if len(seen) != 5 || pages != 3 {
		t.Fatalf("%d attestations on %d pages", len(seen), pages)
	}
	if status, _, _ := answerTo(t, w, http.MethodGet, seen[0], "secret", ""); status != http.StatusBadRequest {
		t.Errorf("blob storage took GitHub's credentials: status %d", status)
	}
	if status, _, _ := answerTo(t, w, http.MethodGet, strings.Replace(seen[0], "sig=", "sig=0", 1), "", ""); status != http.StatusForbidden {
		t.Errorf("blob storage took a wrong signature: status %d", status)
	}
	status, _, body := answerTo(t, w, http.MethodGet, seen[0], "", "")
	plain, err := snappy.Decode(nil, body)
	if status != http.StatusOK || err != nil || !bytes.Equal(plain, bundle) {
		t.Errorf("bundle_url: %d, %v", status, err)
	}
}

func TestListFindsByDigestPredicateAndOwner(t *testing.T) {
	w := newWorld(t, Options{InlineBundle: true})
	digest := someDigest(3)
	store(t, w, signBundle(t, w, digest))
	for path, want := range map[string]int{
		"/repos/acme/app/attestations/" + digest:                                                                  200,
		"/repos/Acme/App/attestations/" + url.PathEscape(digest):                                                  200,
		"/repos/acme/app/attestations/" + digest + "?predicate_type=provenance":                                   200,
		"/orgs/acme/attestations/" + digest:                                                                       200,
		"/users/acme/attestations/" + digest:                                                                      200,
		"/repos/acme/app/attestations/" + digest + "?predicate_type=sbom":                                         404,
		"/repos/acme/app/attestations/" + digest + "?predicate_type=" + url.QueryEscape("https://example.com/v1"): 404,
		"/repos/acme/app/attestations/" + someDigest(4):                                                           404,
		"/repos/acme/other/attestations/" + digest:                                                                404,
		"/orgs/other/attestations/" + digest:                                                                      404,
	} {
		if status, _, body := answerTo(t, w, http.MethodGet, "https://api.github.com"+path, "", ""); status != want {
			t.Errorf("%s: %d %s", path, status, body)
		} else if want == 200 && !strings.Contains(string(body), `"bundle":{"`) {
			t.Errorf("%s: no bundle inside: %s", path, body)
		}
	}
}

func TestStoreLagHidesANewAttestation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{StoreLag: 10 * time.Second})
		store(t, w, signBundle(t, w, someDigest(3)))
		if status, _, _ := answerTo(t, w, http.MethodGet, storeURL+"/"+someDigest(3), "", ""); status != http.StatusNotFound {
			t.Errorf("seen at once: status %d", status)
		}
		wait(t.Context(), 10*time.Second)
		if status, _, _ := answerTo(t, w, http.MethodGet, storeURL+"/"+someDigest(3), "", ""); status != http.StatusOK {
			t.Errorf("not seen after the lag: status %d", status)
		}
	})
}

func TestStoreThatIsNotAvailableSaysWhy(t *testing.T) {
	const why = "Feature not available for user-owned private repositories. To enable this feature, please make this repository public."
	w := newWorld(t, Options{StoreRefuses: why})
	if status, _, body := answerTo(t, w, http.MethodPost, storeURL, w.Env()["GITHUB_TOKEN"], `{}`); status != 403 || !strings.Contains(string(body), why) {
		t.Errorf("%d %s", status, body)
	}
}

func TestCommitsAPIKnowsTheJobsCommitAlone(t *testing.T) {
	date := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
	w := newWorld(t, Options{CommitDate: date})
	for sha, want := range map[string]int{w.Identity().SHA: 200, strings.Repeat("b", 40): 404} {
		status, _, body := answerTo(t, w, http.MethodGet, "https://api.github.com/repos/acme/app/commits/"+sha, "", "")
		if status != want || (want == 200) != strings.Contains(string(body), `"date":"2026-02-03T04:05:06Z"`) {
			t.Errorf("%s: %d %s", sha, status, body)
		}
	}
}

func TestEventOfAPushNamesTheCommitAndItsDate(t *testing.T) {
	date := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
	for title, c := range map[string]struct {
		o    Options
		want string // empty: no head_commit
	}{
		"as it is":                 {Options{}, "2026-01-02T03:04:05Z"},
		"with the date of the API": {Options{CommitDate: date}, "2026-02-03T04:05:06Z"},
		"of a schedule":            {Options{Identity: Identity{EventName: "schedule", Ref: "refs/heads/main"}}, ""},
	} {
		w := newWorld(t, c.o)
		var event struct {
			Head *struct{ ID, Timestamp string } `json:"head_commit"`
			Repo struct {
				HTMLURL string `json:"html_url"`
				Default string `json:"default_branch"`
				License struct {
					SPDX string `json:"spdx_id"`
				}
			} `json:"repository"`
		}
		if err := json.Unmarshal(must(w.Event()), &event); err != nil {
			t.Fatal(err)
		}
		if (event.Head != nil) != (c.want != "") || event.Head != nil && (event.Head.Timestamp != c.want || event.Head.ID != w.Identity().SHA) {
			t.Errorf("%s: %+v", title, event.Head)
		}
		if r := event.Repo; r.HTMLURL != "https://github.com/acme/app" || r.Default != "main" || r.License.SPDX != "Apache-2.0" {
			t.Errorf("%s: %+v", title, r)
		}
	}
}

func TestEventSaysWhatTheIdentitySays(t *testing.T) {
	w := newWorld(t, Options{Identity: Identity{Repository: "acme/tool", RepositoryVisibility: "private", OwnerType: "User"}})
	raw, err := w.Event()
	if err != nil {
		t.Fatal(err)
	}
	var event struct {
		Repository struct {
			FullName   string `json:"full_name"`
			Visibility string
			Private    bool
			ID         int
			Owner      struct{ Type, Login string }
		}
	}
	if err := json.Unmarshal(raw, &event); err != nil {
		t.Fatal(err)
	}
	if r := event.Repository; r.FullName != "acme/tool" || r.Visibility != "private" || !r.Private || r.ID != 1001 || r.Owner.Type != "User" || r.Owner.Login != "acme" {
		t.Errorf("event %s", raw)
	}
}
