package sandbox

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	prototrustroot "github.com/sigstore/protobuf-specs/gen/pb-go/trustroot/v1"
	"github.com/sigstore/sigstore-go/pkg/root"
)

// newTrustedRoot lists the world's authorities and logs.
func newTrustedRoot(u serviceURLs, ca, tsaChain chain, ctl *ctLog, log *rekor, start time.Time) (*root.TrustedRoot, error) {
	tlog := func(url string, key *ecdsa.PrivateKey, id [sha256.Size]byte) map[string]*root.TransparencyLog {
		return map[string]*root.TransparencyLog{hex.EncodeToString(id[:]): {
			BaseURL: url, ID: id[:], ValidityPeriodStart: start,
			HashFunc: crypto.SHA256, PublicKey: key.Public(), SignatureHashFunc: crypto.SHA256,
		}}
	}
	trusted, err := root.NewTrustedRoot(root.TrustedRootMediaType01,
		[]root.CertificateAuthority{&root.FulcioCertificateAuthority{
			Root: ca.root.cert, Intermediates: []*x509.Certificate{ca.leaf.cert}, ValidityPeriodStart: start, URI: u.fulcio,
		}},
		tlog(u.ctLog, ctl.key, ctl.id),
		[]root.TimestampingAuthority{&root.SigstoreTimestampingAuthority{
			Root: tsaChain.root.cert, Leaf: tsaChain.leaf.cert, ValidityPeriodStart: start, URI: u.tsa + timestampPath,
		}},
		tlog(u.rekor, log.key, log.id))
	if err != nil {
		return nil, fmt.Errorf("make the trusted root: %w", err)
	}
	return trusted, nil
}

// encodeTrustedRoot gives trusted root v0.1 as one line that ends in a newline: gh reads JSON lines and drops a last one
// that is not ended. protojson spaces its output differently from build to build; compacted, it is stable.
func encodeTrustedRoot(trusted *root.TrustedRoot) ([]byte, error) {
	raw, err := trusted.MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("encode the trusted root: %w", err)
	}
	return compactLine(raw)
}

// encodeSigningConfig gives signing config v0.2 with one service of each kind.
func encodeSigningConfig(u serviceURLs, start time.Time) ([]byte, error) {
	service := func(url string) []root.Service {
		return []root.Service{{URL: url, MajorAPIVersion: 1, ValidityPeriodStart: start, Operator: organization}}
	}
	anyOne := root.ServiceConfiguration{Selector: prototrustroot.ServiceSelector_ANY}
	config, err := root.NewSigningConfig(root.SigningConfigMediaType02,
		service(u.fulcio), service(u.issuer), service(u.rekor), anyOne, service(u.tsa+timestampPath), anyOne)
	if err != nil {
		return nil, fmt.Errorf("make the signing config: %w", err)
	}
	raw, err := config.MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("encode the signing config: %w", err)
	}
	return compactLine(raw)
}

func compactLine(raw []byte) ([]byte, error) {
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		return nil, fmt.Errorf("compact JSON: %w", err)
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}
