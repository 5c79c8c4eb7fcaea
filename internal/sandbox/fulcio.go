package sandbox

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	fulcioAudience = "sigstore"
	leafLife       = 10 * time.Minute
)

// fulcio is a certificate authority for ID tokens: POST /api/v2/signingCert.
type fulcio struct {
	chain  chain
	issuer *issuer
	log    *ctLog
	server string // GITHUB_SERVER_URL, the head of every URI in a certificate
}

// signingCertRequest is Fulcio's CreateSigningCertificateRequest; sigstore-go sends the token in the Authorization
// header instead, as gRPC gateways allow.
type signingCertRequest struct {
	Credentials struct {
		Token string `json:"oidcIdentityToken"`
	} `json:"credentials"`
	PublicKeyRequest struct {
		PublicKey struct {
			Algorithm string `json:"algorithm"`
			Content   string `json:"content"`
		} `json:"publicKey"`
		ProofOfPossession []byte `json:"proofOfPossession"`
	} `json:"publicKeyRequest"`
}

func (f *fulcio) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/api/v2/signingCert" {
		writeJSON(w, http.StatusNotFound, message{Code: 5, Message: "Not Found"})
		return
	}
	if !allow(w, r, http.MethodPost) {
		return
	}
	leaf, err := f.sign(r)
	if err != nil {
		writeJSON(w, http.StatusBadRequest, message{Code: 3, Message: err.Error()})
		return
	}
	var certificates []string
	for _, der := range [][]byte{leaf, f.chain.leaf.cert.Raw, f.chain.root.cert.Raw} {
		certificates = append(certificates, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	}
	// Exactly 200: sigstore-go takes nothing else.
	writeJSON(w, http.StatusOK, map[string]any{
		"signedCertificateEmbeddedSct": map[string]any{"chain": map[string]any{"certificates": certificates}},
	})
}

// sign checks the request as Fulcio does and issues the certificate.
func (f *fulcio) sign(r *http.Request) ([]byte, error) {
	body, err := readBody(r, 1<<20)
	if err != nil {
		return nil, err
	}
	var req signingCertRequest
	if err := json.Unmarshal(body, &req); err != nil {
		return nil, fmt.Errorf("parse the request: %w", err)
	}
	token := req.Credentials.Token
	if token == "" {
		token, _ = strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	}
	if token == "" {
		return nil, errors.New("there was no identity token in the request")
	}
	claims, err := f.issuer.claims(token, fulcioAudience)
	if err != nil {
		return nil, fmt.Errorf("there was an error processing the identity token: %w", err)
	}
	key, err := possessedKey(&req, claims)
	if err != nil {
		return nil, err
	}
	return f.issue(key, claims)
}

// possessedKey is the P-256 key of the request, once its owner has signed the token's subject with it.
func possessedKey(req *signingCertRequest, claims map[string]any) (*ecdsa.PublicKey, error) {
	block, _ := pem.Decode([]byte(req.PublicKeyRequest.PublicKey.Content))
	if block == nil {
		return nil, errors.New("the public key supplied in the request could not be parsed: no PEM block")
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("the public key supplied in the request could not be parsed: %w", err)
	}
	key, ok := parsed.(*ecdsa.PublicKey)
	if !ok || key.Curve != elliptic.P256() {
		return nil, errors.New("the public key supplied in the request is not an ECDSA P-256 key")
	}
	subject, _ := claims["sub"].(string)
	hash := sha256.Sum256([]byte(subject))
	if subject == "" || !ecdsa.VerifyASN1(key, hash[:], req.PublicKeyRequest.ProofOfPossession) {
		return nil, errors.New("the signature supplied in the request could not be verified")
	}
	return key, nil
}

// issue makes the leaf twice: without the certificate timestamp, for the log to sign, and with it.
func (f *fulcio) issue(key *ecdsa.PublicKey, claims map[string]any) ([]byte, error) {
	exts, err := extensions(f.issuer.url, f.server, claims)
	if err != nil {
		return nil, fmt.Errorf("there was an error processing the identity token: %w", err)
	}
	workflow, _ := claims["job_workflow_ref"].(string)
	san, err := url.Parse(f.server + "/" + workflow)
	if err != nil {
		return nil, fmt.Errorf("subject alternative name: %w", err)
	}
	number, err := serial()
	if err != nil {
		return nil, err
	}
	now := time.Now().UTC().Truncate(time.Second)
	spki, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return nil, fmt.Errorf("encode the public key: %w", err)
	}
	id := sha256.Sum256(spki)
	template := &x509.Certificate{
		SerialNumber: number, NotBefore: now, NotAfter: now.Add(leafLife),
		SubjectKeyId: id[:20],
		KeyUsage:     x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning},
		URIs: []*url.URL{san}, ExtraExtensions: exts,
	}
	ca := f.chain.leaf
	der, err := x509.CreateCertificate(rand.Reader, template, ca.cert, key, ca.key)
	if err != nil {
		return nil, fmt.Errorf("issue the precertificate: %w", err)
	}
	precert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("parse the precertificate: %w", err)
	}
	list, err := f.log.extension(precert, ca.cert)
	if err != nil {
		return nil, err
	}
	template.ExtraExtensions = append(template.ExtraExtensions, list)
	der, err = x509.CreateCertificate(rand.Reader, template, ca.cert, key, ca.key)
	if err != nil {
		return nil, fmt.Errorf("issue the certificate: %w", err)
	}
	return der, nil
}
