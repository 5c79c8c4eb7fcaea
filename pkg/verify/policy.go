package verify

import (
	"github.com/taglast/taglast/internal/policy"
	"github.com/taglast/taglast/internal/provenance"
)

// Policy says what an attestation must prove; the fields are the flags of `gh attestation verify`. At least one of Repo,
// Owner and the four fields that name a signer must be given. Owners, repositories, refs, digests and issuers are
// compared without regard to case.
type Policy struct {
	// Repo is OWNER/REPO that the image must be built from; empty: any, or any of Owner. It excludes Owner.
	Repo string
	// Owner is the OWNER of the repository that the image must be built from; empty: any, or the one in Repo.
	Owner string

	// At most one of the next four is given. Where all are empty, the signer must be a workflow of Repo, or of Owner.

	// SignerWorkflow is [HOST/]OWNER/REPO/PATH of the workflow that must have signed, at any ref or at the @REF behind it.
	SignerWorkflow string
	// SignerRepo is OWNER/REPO of the workflow that must have signed.
	SignerRepo string
	// CertIdentity is the certificate's subject alternative name, exactly.
	CertIdentity string
	// CertIdentityRegex is a Go regular expression that the subject alternative name must match. It is not anchored.
	CertIdentityRegex string

	// SignerDigest is the commit of the workflow that must have signed; empty: any.
	SignerDigest string
	// SourceRef is the git ref that the image must be built from; empty: any.
	SourceRef string
	// SourceDigest is the commit that the image must be built from; empty: any.
	SourceDigest string
	// PredicateType of the attestation; empty: https://slsa.dev/provenance/v1. Others are not looked at.
	PredicateType string
	// CertOIDCIssuer is the issuer of the signer's ID token; empty: GitHub Actions' on Hostname.
	CertOIDCIssuer string
	// DenySelfHostedRunners asks for a runner of GitHub's own; false: any runner.
	DenySelfHostedRunners bool
	// Hostname is GitHub's host; empty: github.com. Only it and TENANT.ghe.com have attestations.
	Hostname string
}

func (p Policy) predicateType() string {
	if p.PredicateType == "" {
		return provenance.PredicateType
	}
	return p.PredicateType
}

// consumer is the policy with the roots that its signatures are held to.
func (p Policy) consumer(roots *TrustedRoots) policy.Consumer {
	c := policy.Consumer{
		Repo: p.Repo, Owner: p.Owner,
		SignerWorkflow: p.SignerWorkflow, SignerRepo: p.SignerRepo, CertIdentity: p.CertIdentity, CertIdentityRegex: p.CertIdentityRegex,
		SignerDigest: p.SignerDigest, SourceRef: p.SourceRef, SourceDigest: p.SourceDigest,
		PredicateType: p.PredicateType, CertOIDCIssuer: p.CertOIDCIssuer, Hostname: p.Hostname,
		DenySelfHosted: p.DenySelfHostedRunners,
	}
	if roots != nil {
		c.Trusted = roots.materials
	}
	return c
}
