package sandbox

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/sign"
)

func TestServedWorldDoesAWholeRelease(t *testing.T) {
	var count atomic.Int64
	s, err := Listen(Options{Registry: RegistryOptions{Auth: Auth{Scheme: "bearer", Password: "p", Anonymous: true}}}, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { count.Add(1); h.ServeHTTP(w, r) })
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	w := s.World
	second, err := s.Registry()
	if err != nil {
		t.Fatal(err)
	}
	index := randomIndex(t)
	digest := digestOf(t, index)

	config, err := root.NewSigningConfigFromJSON(w.SigningConfig())
	if err != nil {
		t.Fatal(err)
	}
	env := w.Env()
	req, _ := http.NewRequest(http.MethodGet, env["ACTIONS_ID_TOKEN_REQUEST_URL"]+"&audience=sigstore", nil)
	req.Header.Set("Authorization", "Bearer "+env["ACTIONS_ID_TOKEN_REQUEST_TOKEN"])
	var token struct{ Value string }
	call(t, http.DefaultTransport, req, &token)
	trusted, err := root.NewTrustedRootFromJSON(w.TrustedRoot())
	if err != nil {
		t.Fatal(err)
	}
	keys, _ := sign.NewEphemeralKeypair(nil)
	b, err := sign.Bundle(&sign.DSSEData{Data: statementFor(digest), PayloadType: "application/vnd.in-toto+json"}, keys, sign.BundleOptions{
		CertificateProvider:        sign.NewFulcio(&sign.FulcioOptions{BaseURL: config.FulcioCertificateAuthorityURLs()[0].URL}),
		CertificateProviderOptions: &sign.CertificateProviderOptions{IDToken: token.Value},
		TimestampAuthorities:       []*sign.TimestampAuthority{sign.NewTimestampAuthority(&sign.TimestampAuthorityOptions{URL: config.TimestampAuthorityURLs()[0].URL})},
		TransparencyLogs:           []sign.Transparency{sign.NewRekor(&sign.RekorOptions{BaseURL: config.RekorLogURLs()[0].URL, Version: 1})},
		TrustedRoot:                trusted,
	})
	if err != nil {
		t.Fatal(err)
	}
	status, _, body := answerTo(t, http.DefaultTransport, http.MethodPost, env["GITHUB_API_URL"]+"/repos/acme/app/attestations", env["GITHUB_TOKEN"],
		`{"bundle":`+string(encodeBundle(t, b))+`}`)
	if status != http.StatusCreated {
		t.Fatalf("store: %d %s", status, body)
	}
	status, _, body = answerTo(t, http.DefaultTransport, http.MethodGet, env["GITHUB_API_URL"]+"/repos/acme/app/attestations/"+digest, "", "")
	if status != http.StatusOK || !strings.Contains(string(body), s.URL+"/bundles/") {
		t.Errorf("list: %d %s", status, body)
	}
	login := remote.WithAuth(basicLogin("u", "p"))
	for _, host := range []string{strings.TrimPrefix(s.URL, "http://"), second} {
		if err := remote.WriteIndex(ref(t, host+"/acme/app:1"), index, login); err != nil {
			t.Fatal(err)
		}
		if got := w.State().Tags[host+"/acme/app"]["1"]; got != digest {
			t.Errorf("%s: tag 1 names %q", host, got)
		}
	}
	if n := count.Load(); n == 0 || int64(len(w.Requests())) != n {
		t.Errorf("%d requests were wrapped, %d logged", count.Load(), len(w.Requests()))
	}
	if s := w.State(); s.Attested[digest] != 1 {
		t.Errorf("attested %v", s.Attested)
	}
}
