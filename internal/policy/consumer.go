package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"

	"github.com/taglast/taglast/internal/bundle"
	"github.com/taglast/taglast/internal/provenance"
)

// Consumer is what `gh attestation verify` asks of a bundle; the fields are its flags, empty where a flag is not given.
type Consumer struct {
	// Trusted roots. A bundle is verified under the first that holds an authority of its certificate's issuing
	// organisation, and under no other.
	Trusted []root.TrustedMaterial

	Repo  string // OWNER/REPO that the source must be in
	Owner string // OWNER that the source must be in

	// At most one of these says who signed; without one, it is a workflow of Repo, or of Owner.
	SignerWorkflow    string // [HOST/]OWNER/REPO/PATH of the workflow, with or without @REF
	SignerRepo        string // OWNER/REPO of the workflow
	CertIdentity      string // the certificate's subject alternative name, exactly
	CertIdentityRegex string // a Go regular expression for it

	SignerDigest   string // commit of the signing workflow
	SourceRef      string // git ref of the source
	SourceDigest   string // commit of the source
	PredicateType  string // default SLSA provenance v1
	CertOIDCIssuer string // default GitHub Actions' for Hostname
	Hostname       string // default github.com; or TENANT.ghe.com
	DenySelfHosted bool   // the runner must be GitHub's own
}

// githubHosted is the runner environment of GitHub's own runners.
const githubHosted = "github-hosted"

// Check verifies b for the artifact with that digest (algorithm as in-toto names it: sha256, sha512). The rules
// for signature, log and times are chosen by the organisation that issued the certificate, as gh does: for
// sigstore.dev an SCT, a log entry and a witnessed time; for "GitHub, Inc." a signed timestamp; for another, which only
// a root given by hand can name, a witnessed time, and a log entry where the root knows a log. Names of owners,
// repositories, issuer, digests and refs are compared without regard to case, as gh does.
func (c Consumer) Check(b *bundle.Bundle, digestAlg string, digest []byte) (Verified, error) {
	if err := c.Validate(); err != nil {
		return Verified{}, err
	}
	entity, err := b.Verifiable()
	if err != nil {
		return Verified{}, err
	}
	issuer, err := leafIssuer(entity)
	if err != nil {
		return Verified{}, fmt.Errorf("%w: %w", ErrUntrusted, err)
	}
	trusted, err := rootFor(c.Trusted, issuer)
	if err != nil {
		return Verified{}, fmt.Errorf("%w: %w", ErrUntrusted, err)
	}
	san, err := c.expectedSAN()
	if err != nil {
		return Verified{}, err
	}
	v, err := verifyBundle(b, trusted, digestAlg, digest, consumerOptions(issuer, trusted)...)
	if err != nil {
		return Verified{}, err
	}
	if err := san.match(v.Certificate.SubjectAlternativeName); err != nil {
		return Verified{}, err
	}
	if err := firstMismatch(c.fields(v)); err != nil {
		var mismatch *MismatchError
		if errors.As(err, &mismatch) && mismatch.Field == issuerField && strings.HasPrefix(mismatch.Got, mismatch.Want+"/") {
			return Verified{}, fmt.Errorf("%w: the enterprise has an issuer of its own, give it as --cert-oidc-issuer", err)
		}
		return Verified{}, err
	}
	return v, nil
}

const issuerField = "certificate issuer"

// fields returns the comparisons that the policy asks for.
func (c Consumer) fields(v Verified) []field {
	cert := v.Certificate
	host := "https://" + c.host() + "/"
	repo, owner := "", ""
	if c.Repo != "" {
		name, _, _ := strings.Cut(c.Repo, "/")
		repo, owner = host+c.Repo, host+name
	} else if c.Owner != "" {
		owner = host + c.Owner
	}
	runner := ""
	if c.DenySelfHosted {
		runner = githubHosted
	}
	predicate := c.PredicateType
	if predicate == "" {
		predicate = provenance.PredicateType
	}
	asked := []field{
		{name: "certificate runner environment", want: runner, got: cert.RunnerEnvironment},
		{name: "certificate source owner", want: owner, got: cert.SourceRepositoryOwnerURI, foldCase: true},
		{name: "certificate source repository", want: repo, got: cert.SourceRepositoryURI, foldCase: true},
		{name: issuerField, want: c.issuer(), got: cert.Issuer, foldCase: true},
		{name: "certificate signer digest", want: c.SignerDigest, got: cert.BuildSignerDigest, foldCase: true},
		{name: "certificate source digest", want: c.SourceDigest, got: cert.SourceRepositoryDigest, foldCase: true},
		{name: "certificate source ref", want: c.SourceRef, got: cert.SourceRepositoryRef, foldCase: true},
		{name: "predicate type", want: predicate, got: v.PredicateType},
	}
	return slices.DeleteFunc(asked, func(f field) bool { return f.want == "" })
}

// consumerOptions returns the rules that gh chooses by the issuing organisation.
func consumerOptions(issuer string, trusted root.TrustedMaterial) []verify.VerifierOption {
	switch issuer {
	case "sigstore.dev":
		return []verify.VerifierOption{
			verify.WithSignedCertificateTimestamps(1), verify.WithTransparencyLog(1), verify.WithObserverTimestamps(1),
		}
	case "GitHub, Inc.":
		return []verify.VerifierOption{verify.WithSignedTimestamps(1)}
	}
	options := []verify.VerifierOption{verify.WithObserverTimestamps(1)}
	if len(trusted.RekorLogs()) > 0 {
		options = append(options, verify.WithTransparencyLog(1))
	}
	return options
}

// rootFor returns the first root with an authority whose lowest certificate was issued by that organisation.
func rootFor(roots []root.TrustedMaterial, issuer string) (root.TrustedMaterial, error) {
	for _, r := range roots {
		for _, ca := range r.FulcioCertificateAuthorities() {
			f, ok := ca.(*root.FulcioCertificateAuthority)
			if !ok {
				continue
			}
			lowest := f.Root
			if len(f.Intermediates) > 0 {
				lowest = f.Intermediates[0]
			}
			if lowest != nil && len(lowest.Issuer.Organization) > 0 && lowest.Issuer.Organization[0] == issuer {
				return r, nil
			}
		}
	}
	return nil, fmt.Errorf("no trusted root knows the certificate's issuer %s", quoted(issuer))
}
