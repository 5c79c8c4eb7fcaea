package keyless

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/taglast/taglast/internal/identity"
	"github.com/taglast/taglast/internal/retry"
)

// credential is a key and the certificate for it. The key never leaves memory.
type credential struct {
	key  *ecdsa.PrivateKey
	leaf *x509.Certificate
}

// pem returns the certificate as Rekor wants it.
func (c *credential) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.leaf.Raw})
}

// requestCertificate generates a key and gets a certificate for it. A token that Fulcio refuses may have expired on the
// way: once, another one is tried.
func (s *Signer) requestCertificate(ctx context.Context) (*credential, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, retry.Permanent(fmt.Errorf("make a key: %w", err))
	}
	token, err := s.tokens(ctx)
	if err != nil {
		return nil, withService("ID token", err)
	}
	leaf, err := s.fulcio.certificate(ctx, token, key)
	if isTokenRefusal(err) {
		other, renewErr := s.renew(ctx)
		if renewErr != nil {
			return nil, withService("ID token", renewErr)
		}
		if other.Raw() != token.Raw() {
			leaf, err = s.fulcio.certificate(ctx, other, key)
		}
	}
	if err != nil {
		return nil, withService("Fulcio", err)
	}
	if err := checkLeaf(leaf, key, time.Now()); err != nil {
		return nil, withService("Fulcio", retry.Permanent(err))
	}
	return &credential{key: key, leaf: leaf}, nil
}

// isTokenRefusal reports whether Fulcio may have refused the request because of its token.
func isTokenRefusal(err error) bool {
	var status *retry.StatusError
	return errors.As(err, &status) && (status.Status == http.StatusBadRequest || status.Status == http.StatusUnauthorized)
}

// checkLeaf refuses a certificate that is not for key, or that would expire too soon to sign with. Who issued it and for
// whom is checked by the policy, when the bundle is verified.
func checkLeaf(leaf *x509.Certificate, key *ecdsa.PrivateKey, now time.Time) error {
	if public, ok := leaf.PublicKey.(*ecdsa.PublicKey); !ok || !public.Equal(key.Public()) {
		return errors.New("the certificate is for another key than the one that was sent")
	}
	if remaining := leaf.NotAfter.Sub(now); remaining < minRemaining {
		return fmt.Errorf("the new certificate has only %s left, less than %s; is this machine's clock right?", remaining.Round(time.Second), minRemaining)
	}
	return nil
}

// provePossession signs the token's subject: Fulcio's proof that the sender has the key.
func provePossession(key *ecdsa.PrivateKey, token identity.Token) ([]byte, error) {
	return sign(key, []byte(token.Claims().Subject))
}

// sign returns an ECDSA signature over SHA-256, ASN.1 encoded.
func sign(key *ecdsa.PrivateKey, message []byte) ([]byte, error) {
	hash := sha256.Sum256(message)
	return ecdsa.SignASN1(rand.Reader, key, hash[:])
}

// pae returns DSSE's pre-authentication encoding, over which the signature is (DSSE protocol v1.0.2).
func pae(payloadType string, payload []byte) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "DSSEv1 %d %s %d ", len(payloadType), payloadType, len(payload))
	b.Write(payload)
	return b.Bytes()
}
