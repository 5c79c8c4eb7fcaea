package sandbox

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/sign"
)

func TestIDTokenPassesTheVerifierThatReadsItsIssuersKeys(t *testing.T) {
	w := newWorld(t, Options{Identity: Identity{Repository: "acme/app", Environment: "production"}})
	ctx := oidc.ClientContext(t.Context(), &http.Client{Transport: w})
	provider, err := oidc.NewProvider(ctx, "https://token.actions.githubusercontent.com")
	if err != nil {
		t.Fatal(err)
	}
	raw := idToken(t, w, "sigstore")
	token, err := provider.VerifierContext(ctx, &oidc.Config{ClientID: "sigstore"}).Verify(ctx, raw)
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := token.Claims(&claims); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]any{
		"repository": "acme/app", "ref": "refs/tags/v1.2.3", "environment": "production",
		"job_workflow_ref": "acme/app/.github/workflows/release.yml@refs/tags/v1.2.3", "sub": "repo:acme/app:environment:production",
	} {
		if claims[name] != want {
			t.Errorf("claim %s is %v, want %v", name, claims[name], want)
		}
	}
	if again := idToken(t, w, "sigstore"); again == raw {
		t.Error("two tokens are the same")
	}
}

func TestIDTokenNeedsTheRequestToken(t *testing.T) {
	w := newWorld(t, Options{})
	req, _ := http.NewRequest(http.MethodGet, w.Env()["ACTIONS_ID_TOKEN_REQUEST_URL"]+"&audience=x", nil)
	req.Header.Set("Authorization", "Bearer wrong")
	if status := call(t, w, req, nil); status != http.StatusUnauthorized {
		t.Errorf("status %d", status)
	}
	if _, ok := newWorld(t, Options{NoIDToken: true}).Env()["ACTIONS_ID_TOKEN_REQUEST_URL"]; ok {
		t.Error("a job without id-token: write has the URL")
	}
}

// certRequest is what a client sends to Fulcio, with the token in the body as GitHub's own client puts it.
func certRequest(t *testing.T, w *World, token string, key crypto.Signer, proven string) (int, []byte) {
	t.Helper()
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	hash := sha256.Sum256([]byte(proven))
	proof, err := key.Sign(rand.Reader, hash[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(map[string]any{
		"credentials": map[string]string{"oidcIdentityToken": token},
		"publicKeyRequest": map[string]any{
			"publicKey": map[string]string{
				"algorithm": "ECDSA", "content": string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki})),
			},
			"proofOfPossession": proof,
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	req, _ := http.NewRequest(http.MethodPost, "https://fulcio.taglast.invalid/api/v2/signingCert", bytes.NewReader(body))
	resp, err := (&http.Client{Transport: w}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, answer
}

func TestFulcioRefusesWhatIsNotProved(t *testing.T) {
	w := newWorld(t, Options{})
	subject := w.Identity().Subject
	p256, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	p384, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	rsaKey, _ := rsa.GenerateKey(rand.Reader, 2048)
	good := idToken(t, w, "sigstore")
	for name, c := range map[string]struct {
		token  string
		key    crypto.Signer
		proven string
		want   int
	}{
		"a good request":           {good, p256, subject, http.StatusOK},
		"another audience":         {idToken(t, w, "nobody"), p256, subject, http.StatusBadRequest},
		"a token of another world": {idToken(t, newWorld(t, Options{}), "sigstore"), p256, subject, http.StatusBadRequest},
		"no token":                 {"", p256, subject, http.StatusBadRequest},
		"a proof over other text":  {good, p256, "repo:evil/app", http.StatusBadRequest},
		"a P-384 key":              {good, p384, subject, http.StatusBadRequest},
		"an RSA key":               {good, rsaKey, subject, http.StatusBadRequest},
	} {
		if status, body := certRequest(t, w, c.token, c.key, c.proven); status != c.want {
			t.Errorf("%s: status %d: %s", name, status, body)
		}
	}
}

func TestCertificateSaysWhatTheTokenSays(t *testing.T) {
	w := newWorld(t, Options{Identity: Identity{
		Repository: "Acme/App", JobWorkflowRef: "acme/shared/.github/workflows/build.yml@refs/heads/main", JobWorkflowSHA: "b1",
		Environment: "production",
	}})
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	_, body := certRequest(t, w, idToken(t, w, "sigstore"), key, w.Identity().Subject)
	var answer struct {
		Cert struct {
			Chain struct{ Certificates []string }
		} `json:"signedCertificateEmbeddedSct"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode([]byte(answer.Cert.Chain.Certificates[0]))
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	got, err := certificate.SummarizeCertificate(leaf)
	if err != nil {
		t.Fatal(err)
	}
	i := w.Identity()
	want := certificate.Summary{
		CertificateIssuer:      "CN=taglast dry run (trusts nothing),OU=intermediate,O=taglast dry run",
		SubjectAlternativeName: "https://github.com/acme/shared/.github/workflows/build.yml@refs/heads/main",
		Extensions: certificate.Extensions{
			Issuer: "https://token.actions.githubusercontent.com", GithubWorkflowTrigger: "push", GithubWorkflowSHA: i.SHA,
			GithubWorkflowName: "release", GithubWorkflowRepository: "Acme/App", GithubWorkflowRef: i.Ref,
			BuildSignerURI:    "https://github.com/acme/shared/.github/workflows/build.yml@refs/heads/main",
			BuildSignerDigest: "b1", RunnerEnvironment: "github-hosted",
			SourceRepositoryURI: "https://github.com/Acme/App", SourceRepositoryDigest: i.SHA, SourceRepositoryRef: i.Ref,
			SourceRepositoryIdentifier: "1001", SourceRepositoryOwnerURI: "https://github.com/Acme", SourceRepositoryOwnerIdentifier: "2002",
			BuildConfigURI: "https://github.com/" + i.WorkflowRef, BuildConfigDigest: i.WorkflowSHA, BuildTrigger: "push",
			RunInvocationURI: "https://github.com/Acme/App/actions/runs/3003/attempts/1", SourceRepositoryVisibilityAtSigning: "public",
		},
	}
	if got != want {
		t.Errorf("certificate says\n%+v\nwant\n%+v", got, want)
	}
	if life := leaf.NotAfter.Sub(leaf.NotBefore); life != 10*time.Minute {
		t.Errorf("certificate lives for %s", life)
	}
}

func TestAuthoritiesAreNobodyElses(t *testing.T) {
	root := string(newWorld(t, Options{}).TrustedRoot())
	for _, name := range []string{"sigstore.dev", "GitHub, Inc."} {
		if strings.Contains(root, name) {
			t.Errorf("trusted root names %s", name)
		}
	}
	if strings.Count(root, "\n") != 1 || !strings.HasSuffix(root, "\n") {
		t.Error("trusted root is not one line that ends in a newline")
	}
}

func TestEqualEntryIsAConflictThatNamesTheFirst(t *testing.T) {
	w := newWorld(t, Options{})
	var bodies [][]byte
	tap := tapTransport{w, func(r *http.Request) {
		if r.Method == http.MethodPost && strings.HasPrefix(r.URL.Host, "rekor") {
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
			bodies = append(bodies, body)
		}
	}}
	opts := signing(t, w)
	opts.TransparencyLogs = []sign.Transparency{sign.NewRekor(&sign.RekorOptions{
		BaseURL: "https://rekor.taglast.invalid", Version: 1, Client: rekorEntriesOver(tap, "https://rekor.taglast.invalid"),
	})}
	keys, _ := sign.NewEphemeralKeypair(nil)
	data := &sign.DSSEData{Data: statementFor(someDigest(1)), PayloadType: "application/vnd.in-toto+json"}
	if _, err := sign.Bundle(data, keys, opts); err != nil {
		t.Fatal(err)
	}
	signBundle(t, w, someDigest(2))
	req, _ := http.NewRequest(http.MethodPost, "https://rekor.taglast.invalid/api/v1/log/entries", bytes.NewReader(bodies[0]))
	req.Header.Set("Content-Type", "application/json")
	resp, err := w.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusConflict {
		t.Fatalf("status %d", resp.StatusCode)
	}
	var entry map[string]logEntry
	again, _ := http.NewRequest(http.MethodGet, "https://rekor.taglast.invalid"+resp.Header.Get("Location"), nil)
	if status := call(t, w, again, &entry); status != http.StatusOK || len(entry) != 1 {
		t.Fatalf("status %d, %d entries", status, len(entry))
	}
	for uuid, e := range entry {
		if !strings.HasSuffix(resp.Header.Get("Location"), uuid) || e.LogIndex != 0 || e.Verification.InclusionProof.TreeSize != 2 {
			t.Errorf("entry %s: %+v", uuid, e)
		}
	}
}

func TestRekorRefusesASignatureThatIsNotTheVerifiers(t *testing.T) {
	w := newWorld(t, Options{})
	opts := signing(t, w)
	opts.TransparencyLogs = []sign.Transparency{sign.NewRekor(&sign.RekorOptions{
		BaseURL: "https://rekor.taglast.invalid", Version: 1,
		Client: rekorEntriesOver(tapTransport{w, func(r *http.Request) {
			if r.Method == http.MethodPost && r.Body != nil {
				body, _ := io.ReadAll(r.Body)
				body = bytes.Replace(body, []byte(`\"payload\":\"eyJf`), []byte(`\"payload\":\"eyJg`), 1)
				r.Body = io.NopCloser(bytes.NewReader(body))
			}
		}}, "https://rekor.taglast.invalid"),
	})}
	keys, _ := sign.NewEphemeralKeypair(nil)
	data := &sign.DSSEData{Data: statementFor(someDigest(1)), PayloadType: "application/vnd.in-toto+json"}
	if _, err := sign.Bundle(data, keys, opts); err == nil {
		t.Error("the log took a payload that nobody signed")
	}
}

func TestTimestampInJSONFormVerifies(t *testing.T) {
	w := newWorld(t, Options{})
	signature := []byte("signature")
	hash := sha256.Sum256(signature)
	body, _ := json.Marshal(map[string]any{"artifactHash": hash[:], "hashAlgorithm": "sha256"})
	req, _ := http.NewRequest(http.MethodPost, "https://timestamp.taglast.invalid/api/v1/timestamp", bytes.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	resp, err := w.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	der, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusCreated {
		t.Fatalf("status %d, %v", resp.StatusCode, err)
	}
	trusted, err := root.NewTrustedRootFromJSON(w.TrustedRoot())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := trusted.TimestampingAuthorities()[0].Verify(der, signature); err != nil {
		t.Error(err)
	}
	if _, err := trusted.TimestampingAuthorities()[0].Verify(der, []byte("another")); err == nil {
		t.Error("the timestamp verifies for another signature")
	}
}

func TestWorldWorksUnderAFakeClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		raw := signBundle(t, w, someDigest(7))
		wait(t.Context(), time.Hour)
		if err := w.verify(raw, someDigest(7)); err != nil {
			t.Error(err)
		}
		if got := store(t, w, raw); got != http.StatusCreated {
			t.Errorf("store: status %d", got)
		}
		old := idToken(t, w, "sigstore")
		wait(t.Context(), 5*time.Minute)
		key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if status, _ := certRequest(t, w, old, key, w.Identity().Subject); status != http.StatusBadRequest {
			t.Errorf("an expired token bought a certificate: status %d", status)
		}
	})
}

func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// tapTransport shows each request before it is sent.
type tapTransport struct {
	base http.RoundTripper
	tap  func(*http.Request)
}

func (t tapTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	t.tap(r)
	return t.base.RoundTrip(r)
}

func BenchmarkNewWorld(b *testing.B) {
	for b.Loop() {
		newWorld(b, Options{})
	}
}

func BenchmarkSignBundle(b *testing.B) {
	w := newWorld(b, Options{})
	for b.Loop() {
		signBundle(b, w, someDigest(1))
	}
}
