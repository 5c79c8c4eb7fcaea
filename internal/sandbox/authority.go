package sandbox

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"time"
)

// The authorities' names. Verifiers choose a policy by the organisation of a certificate's issuer: these must never be
// taken for Sigstore's or GitHub's.
const (
	organization = "taglast dry run"
	commonName   = "taglast dry run (trusts nothing)"
)

// Authorities are valid from an hour before the world was made, for ten years.
const (
	authorityMargin = time.Hour
	authorityLife   = 10 * 365 * 24 * time.Hour
)

// authority is a certificate and its key.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// chain is a certificate authority: a root, and what it signed for daily use.
type chain struct {
	root authority
	leaf authority // the intermediate of Fulcio, the signing certificate of the timestamp authority
}

func newFulcioChain(now time.Time) (chain, error) {
	return newChain(now, "intermediate", &x509.Certificate{
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
		KeyUsage:    x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning},
	})
}

func newTSAChain(now time.Time) (chain, error) {
	// RFC 3161 §2.3: the certificate has one extended key usage, time stamping, and it is critical.
	usage, err := asn1.Marshal([]asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}})
	if err != nil {
		return chain{}, fmt.Errorf("encode extended key usage: %w", err)
	}
	return newChain(now, "timestamps", &x509.Certificate{
		KeyUsage:        x509.KeyUsageDigitalSignature,
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: usage}},
	})
}

func newChain(now time.Time, unit string, leaf *x509.Certificate) (chain, error) {
	root := &x509.Certificate{
		IsCA: true, BasicConstraintsValid: true, MaxPathLen: 1,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	signedRoot, err := issueAuthority(now, unit+" root", root, nil)
	if err != nil {
		return chain{}, err
	}
	signedLeaf, err := issueAuthority(now, unit, leaf, &signedRoot)
	if err != nil {
		return chain{}, err
	}
	return chain{root: signedRoot, leaf: signedLeaf}, nil
}

// issueAuthority makes a key and its certificate, signed by parent or by itself.
func issueAuthority(now time.Time, unit string, cert *x509.Certificate, parent *authority) (authority, error) {
	key, err := newKey()
	if err != nil {
		return authority{}, err
	}
	cert.Subject = pkix.Name{Organization: []string{organization}, OrganizationalUnit: []string{unit}, CommonName: commonName}
	cert.NotBefore, cert.NotAfter = now.Add(-authorityMargin).UTC(), now.Add(authorityLife).UTC()
	if cert.SerialNumber, err = serial(); err != nil {
		return authority{}, err
	}
	id := sha256.Sum256(elliptic.MarshalCompressed(key.Curve, key.X, key.Y))
	cert.SubjectKeyId = id[:20]
	if parent == nil {
		parent = &authority{cert: cert, key: key}
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, parent.cert, key.Public(), parent.key)
	if err != nil {
		return authority{}, fmt.Errorf("issue the certificate of the %s: %w", unit, err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		return authority{}, fmt.Errorf("parse the certificate of the %s: %w", unit, err)
	}
	return authority{cert: parsed, key: key}, nil
}

func newKey() (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a P-256 key: %w", err)
	}
	return key, nil
}

func serial() (*big.Int, error) {
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, fmt.Errorf("make a serial number: %w", err)
	}
	return n.Add(n, big.NewInt(1)), nil
}

// newLogKey makes the key of a log and its id, the SHA-256 of the public key's PKIX form, by which both kinds of log name
// themselves (RFC 6962 §3.2).
func newLogKey() (key *ecdsa.PrivateKey, id [sha256.Size]byte, err error) {
	if key, err = newKey(); err != nil {
		return nil, id, err
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return nil, id, fmt.Errorf("encode a public key: %w", err)
	}
	return key, sha256.Sum256(der), nil
}
