package policy_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"net/url"
	"testing"
	"time"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/sign"

	"github.com/taglast/taglast/internal/identity"
)

// authority is a certificate authority of a given organisation that issues without a certificate transparency log, as
// GitHub's does. Log and timestamps come from a world.
type authority struct {
	w            *world
	organisation []string
	key          *ecdsa.PrivateKey
	cert         *x509.Certificate
}

func newAuthority(t *testing.T, w *world, organisation ...string) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	a := &authority{w: w, organisation: organisation, key: key}
	name := pkix.Name{Organization: organisation, CommonName: "test"}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: name, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return a
}

// root trusts the authority, the world's timestamps and, with logs, the world's logs.
func (a *authority) root(logs bool) root.TrustedMaterial {
	a.w.t.Helper()
	ca := &root.FulcioCertificateAuthority{Root: a.cert, ValidityPeriodStart: a.cert.NotBefore}
	ct, rekor := a.w.trusted.CTLogs(), a.w.trusted.RekorLogs()
	if !logs {
		ct, rekor = nil, nil
	}
	r, err := root.NewTrustedRoot(root.TrustedRootMediaType01, []root.CertificateAuthority{ca}, ct, a.w.trusted.TimestampingAuthorities(), rekor)
	if err != nil {
		a.w.t.Fatal(err)
	}
	return r
}

// sign makes a bundle over payload with a certificate of the authority, with or without a log entry.
func (a *authority) sign(payload []byte, logged bool) *protobundle.Bundle {
	a.w.t.Helper()
	o := a.w.options()
	o.CertificateProvider = a
	if !logged {
		o.TransparencyLogs = nil
	}
	b, err := sign.Bundle(&sign.DSSEData{Data: payload, PayloadType: "application/vnd.in-toto+json"}, a.w.keys, o)
	if err != nil {
		a.w.t.Fatal(err)
	}
	return b
}

// GetCertificate issues a certificate with the extensions of the world's job.
func (a *authority) GetCertificate(context.Context, sign.Keypair, *sign.CertificateProviderOptions) ([]byte, error) {
	text, err := a.w.keys.GetPublicKeyPem()
	if err != nil {
		return nil, err
	}
	public, err := parsePublicKey(text)
	if err != nil {
		return nil, err
	}
	c := a.w.claims()
	san, err := url.Parse(server + "/" + c.JobWorkflowRef)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(10 * time.Minute),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning},
		URIs: []*url.URL{san}, ExtraExtensions: extensions(c),
	}
	return x509.CreateCertificate(rand.Reader, template, a.cert, public, a.key)
}

// extensions .8 to .22 of Fulcio's certificates.
func extensions(c identity.Claims) []pkix.Extension {
	repository := server + "/" + c.Repository
	var out []pkix.Extension
	for n, value := range []string{
		c.Issuer, server + "/" + c.JobWorkflowRef, c.JobWorkflowSHA, c.RunnerEnvironment, repository, c.SHA, c.Ref, c.RepositoryID,
		server + "/" + c.RepositoryOwner, c.RepositoryOwnerID, server + "/" + c.WorkflowRef, c.WorkflowSHA, c.EventName,
		repository + "/actions/runs/" + c.RunID + "/attempts/" + c.RunAttempt, c.RepositoryVisibility,
	} {
		der, err := asn1.MarshalWithParams(value, "utf8")
		if err != nil {
			panic(err)
		}
		out = append(out, pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 1, n + 8}, Value: der})
	}
	return out
}
