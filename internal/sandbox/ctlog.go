package sandbox

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"time"

	ct "github.com/google/certificate-transparency-go"
	"github.com/google/certificate-transparency-go/tls"
	ctx509 "github.com/google/certificate-transparency-go/x509"
	"github.com/google/certificate-transparency-go/x509util"
)

var oidSCTList = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11129, 2, 4, 2}

// ctLog signs certificate timestamps. It keeps no tree: a verifier checks nothing but the signature.
type ctLog struct {
	key *ecdsa.PrivateKey
	id  [sha256.Size]byte
}

// extension is the SCT list for a certificate, to be appended as the last of its extensions. The certificate is given as
// it is without the list: its to-be-signed part is then that of the precertificate (RFC 6962 §3.2), because what a
// verifier does is to take the list away again.
func (l *ctLog) extension(withoutList, issuer *x509.Certificate) (pkix.Extension, error) {
	precert := &ct.PreCert{
		IssuerKeyHash:  sha256.Sum256(issuer.RawSubjectPublicKeyInfo),
		TBSCertificate: withoutList.RawTBSCertificate,
	}
	sct := ct.SignedCertificateTimestamp{
		SCTVersion: ct.V1,
		LogID:      ct.LogID{KeyID: l.id},
		Timestamp:  uint64(time.Now().UnixMilli()),
	}
	input, err := ct.SerializeSCTSignatureInput(sct, ct.LogEntry{Leaf: ct.MerkleTreeLeaf{
		Version: ct.V1, LeafType: ct.TimestampedEntryLeafType,
		TimestampedEntry: &ct.TimestampedEntry{
			Timestamp: sct.Timestamp, EntryType: ct.PrecertLogEntryType, PrecertEntry: precert,
		},
	}})
	if err != nil {
		return pkix.Extension{}, fmt.Errorf("serialise the certificate timestamp: %w", err)
	}
	hash := sha256.Sum256(input)
	signature, err := l.key.Sign(rand.Reader, hash[:], crypto.SHA256)
	if err != nil {
		return pkix.Extension{}, fmt.Errorf("sign the certificate timestamp: %w", err)
	}
	sct.Signature = ct.DigitallySigned{
		Algorithm: tls.SignatureAndHashAlgorithm{Hash: tls.SHA256, Signature: tls.ECDSA},
		Signature: signature,
	}
	list, err := x509util.MarshalSCTsIntoSCTList([]*ct.SignedCertificateTimestamp{&sct})
	if err != nil {
		return pkix.Extension{}, fmt.Errorf("list the certificate timestamp: %w", err)
	}
	return sctExtension(list)
}

// sctExtension wraps the TLS-encoded list in an OCTET STRING (RFC 6962 §3.3).
func sctExtension(list *ctx509.SignedCertificateTimestampList) (pkix.Extension, error) {
	encoded, err := tls.Marshal(*list)
	if err != nil {
		return pkix.Extension{}, fmt.Errorf("encode the certificate timestamps: %w", err)
	}
	value, err := asn1.Marshal(encoded)
	if err != nil {
		return pkix.Extension{}, fmt.Errorf("encode the certificate timestamps: %w", err)
	}
	return pkix.Extension{Id: oidSCTList, Value: value}, nil
}
