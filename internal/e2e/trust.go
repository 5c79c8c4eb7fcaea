//go:build e2e

package e2e

import (
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"net/http"
	"os"
	"time"

	prototrustroot "github.com/sigstore/protobuf-specs/gen/pb-go/trustroot/v1"
	"github.com/sigstore/sigstore-go/pkg/root"

	"github.com/taglast/taglast/internal/bounded"
)

// The services' public names, which the gateway carries to loopback.
const (
	fulcioURL    = "https://fulcio.sigstore.dev"
	rekorURL     = "https://rekor.sigstore.dev"
	timestampURL = "https://timestamp.sigstore.dev/api/v1/timestamp"
	ctURL        = "https://ctfe.sigstore.dev/ctlog"
)

// trustedRoot writes what a verifier needs to know of the running services. It is one line that ends in a newline, as
// gh wants it.
func trustedRoot(ctx context.Context, file string, ca []*x509.Certificate, ctKey crypto.PublicKey, rekorPort, timestampPort string) error {
	since := time.Now().Add(-time.Hour)
	rekorPEM, err := fetch(ctx, "http://127.0.0.1:"+rekorPort+"/api/v1/log/publicKey")
	if err != nil {
		return err
	}
	block, _ := pem.Decode(rekorPEM)
	if block == nil {
		return fmt.Errorf("rekor's key is not PEM: %q", rekorPEM)
	}
	rekorKey, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return err
	}
	rekorID, rekorLog, err := transparencyLog(rekorURL, rekorKey, since)
	if err != nil {
		return err
	}
	ctID, ctLog, err := transparencyLog(ctURL, ctKey, since)
	if err != nil {
		return err
	}
	chain, err := fetch(ctx, "http://127.0.0.1:"+timestampPort+"/api/v1/timestamp/certchain")
	if err != nil {
		return err
	}
	var stamps []*x509.Certificate // leaf first, root last
	for block, rest := pem.Decode(chain); block != nil; block, rest = pem.Decode(rest) {
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return err
		}
		stamps = append(stamps, c)
	}
	last := len(stamps) - 1
	if last < 1 {
		return fmt.Errorf("timestamp authority's chain has %d certificates", len(stamps))
	}
	tr, err := root.NewTrustedRoot(root.TrustedRootMediaType01,
		[]root.CertificateAuthority{&root.FulcioCertificateAuthority{
			Root: ca[len(ca)-1], Intermediates: ca[:len(ca)-1], ValidityPeriodStart: since, URI: fulcioURL,
		}},
		map[string]*root.TransparencyLog{ctID: ctLog},
		[]root.TimestampingAuthority{&root.SigstoreTimestampingAuthority{
			Root: stamps[last], Intermediates: stamps[1:last], Leaf: stamps[0], ValidityPeriodStart: since, URI: timestampURL,
		}},
		map[string]*root.TransparencyLog{rekorID: rekorLog})
	if err != nil {
		return err
	}
	raw, err := tr.MarshalJSON()
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(raw, '\n'), 0o600)
}

// transparencyLog describes a log; its id is the hash of its key (RFC 6962, 3.2).
func transparencyLog(url string, key crypto.PublicKey, since time.Time) (string, *root.TransparencyLog, error) {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return "", nil, err
	}
	id := sha256.Sum256(der)
	return hex.EncodeToString(id[:]), &root.TransparencyLog{
		BaseURL: url, ID: id[:], ValidityPeriodStart: since, HashFunc: crypto.SHA256, PublicKey: key, SignatureHashFunc: crypto.SHA256,
	}, nil
}

// signingConfig writes where to sign.
func signingConfig(file string) error {
	service := func(url string) root.Service {
		return root.Service{URL: url, MajorAPIVersion: 1, ValidityPeriodStart: time.Now().Add(-time.Hour), Operator: "e2e"}
	}
	one := root.ServiceConfiguration{Selector: prototrustroot.ServiceSelector_ANY}
	sc, err := root.NewSigningConfig(root.SigningConfigMediaType02,
		[]root.Service{service(fulcioURL)}, []root.Service{service(actionsIssuer)},
		[]root.Service{service(rekorURL)}, one, []root.Service{service(timestampURL)}, one)
	if err != nil {
		return err
	}
	raw, err := sc.MarshalJSON()
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(raw, '\n'), 0o600)
}

// fetch reads a small answer of one of the servers.
func fetch(ctx context.Context, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("get %s: %s", url, resp.Status)
	}
	return bounded.ReadBody(resp, 1<<20)
}
