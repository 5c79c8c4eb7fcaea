package keyless

import (
	"context"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"regexp"

	"github.com/taglast/taglast/internal/identity"
	"github.com/taglast/taglast/internal/retry"
)

// fulcio is the certificate authority's API v2.
type fulcio struct {
	serviceClient
	url string
}

// certificate exchanges token for a certificate of key: POST /api/v2/signingCert, the token in the body, as GitHub's
// client sends it.
func (f fulcio) certificate(ctx context.Context, token identity.Token, key *ecdsa.PrivateKey) (*x509.Certificate, error) {
	body, err := certificateRequest(token, key)
	if err != nil {
		return nil, retry.Permanent(err)
	}
	answer, _, err := f.do(ctx, request{
		method: http.MethodPost, url: f.url + "/api/v2/signingCert",
		mediaType: "application/json", accept: "application/json", body: body,
	}, http.StatusOK, http.StatusCreated)
	if err != nil {
		return nil, hideTokens(err)
	}
	return parseLeaf(answer)
}

// tokenLike matches a run of the characters of a JWT that is longer than any digest.
var tokenLike = regexp.MustCompile(`[A-Za-z0-9_.-]{72,}`)

// hideTokens removes from a refusal what may be a part of the token: an authority may quote it.
func hideTokens(err error) error {
	var status *retry.StatusError
	if errors.As(err, &status) {
		status.Message = tokenLike.ReplaceAllString(status.Message, "(hidden)")
	}
	return err
}

func certificateRequest(token identity.Token, key *ecdsa.PrivateKey) ([]byte, error) {
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return nil, fmt.Errorf("encode the public key: %w", err)
	}
	signedSubject, err := provePossession(key, token)
	if err != nil {
		return nil, fmt.Errorf("prove possession of the key: %w", err)
	}
	return json.Marshal(map[string]any{
		"credentials": map[string]string{"oidcIdentityToken": token.Raw()},
		"publicKeyRequest": map[string]any{
			"publicKey": map[string]string{
				"algorithm": "ECDSA",
				"content":   string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})),
			},
			"proofOfPossession": signedSubject,
		},
	})
}

// parseLeaf returns the first certificate of the answer's chain. Its SCT is embedded, or detached where the authority
// does not embed it: a bundle cannot carry that one, so a policy that asks for an SCT will refuse the bundle.
func parseLeaf(answer []byte) (*x509.Certificate, error) {
	type chain struct {
		Chain struct {
			Certificates []string `json:"certificates"`
		} `json:"chain"`
	}
	var got struct {
		Embedded *chain `json:"signedCertificateEmbeddedSct"`
		Detached *chain `json:"signedCertificateDetachedSct"`
	}
	if err := decode(answer, &got); err != nil {
		return nil, err
	}
	chosen := got.Embedded
	if chosen == nil {
		chosen = got.Detached
	}
	if chosen == nil || len(chosen.Chain.Certificates) == 0 {
		return nil, garbled(errors.New("no certificate in the answer"))
	}
	block, _ := pem.Decode([]byte(chosen.Chain.Certificates[0]))
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, garbled(errors.New("the answer's certificate is not PEM"))
	}
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, garbled(errors.New("the answer's certificate cannot be parsed"))
	}
	return leaf, nil
}
