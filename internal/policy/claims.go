package policy

import (
	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"

	"github.com/taglast/taglast/internal/identity"
)

// defaultServer is GITHUB_SERVER_URL where it is not set.
const defaultServer = "https://github.com"

func serverURL(s string) string {
	if s == "" {
		return defaultServer
	}
	return s
}

// workflowFields compares what names the signer and the source, for this run's bundles and for an earlier run's. The
// numbers are Fulcio's extensions under 1.3.6.1.4.1.57264.1 (Fulcio, docs/oid-info.md).
func workflowFields(c identity.Claims, server string, cert certificate.Summary) []field {
	signer := server + "/" + c.JobWorkflowRef
	return []field{
		{name: "certificate subject alternative name", want: signer, got: cert.SubjectAlternativeName},
		{name: "certificate issuer (.8)", want: c.Issuer, got: cert.Issuer},
		{name: "certificate build signer (.9)", want: signer, got: cert.BuildSignerURI},
		{name: "certificate build signer digest (.10)", want: c.JobWorkflowSHA, got: cert.BuildSignerDigest},
		{name: "certificate runner environment (.11)", want: c.RunnerEnvironment, got: cert.RunnerEnvironment},
		{name: "certificate source repository (.12)", want: server + "/" + c.Repository, got: cert.SourceRepositoryURI, foldCase: true},
		{name: "certificate source digest (.13)", want: c.SHA, got: cert.SourceRepositoryDigest},
		{name: "certificate source ref (.14)", want: c.Ref, got: cert.SourceRepositoryRef},
		{name: "certificate source repository id (.15)", want: c.RepositoryID, got: cert.SourceRepositoryIdentifier},
		{name: "certificate source owner (.16)", want: server + "/" + c.RepositoryOwner, got: cert.SourceRepositoryOwnerURI, foldCase: true},
		{name: "certificate source owner id (.17)", want: c.RepositoryOwnerID, got: cert.SourceRepositoryOwnerIdentifier},
		{name: "certificate build config (.18)", want: server + "/" + c.WorkflowRef, got: cert.BuildConfigURI},
		{name: "certificate build config digest (.19)", want: c.WorkflowSHA, got: cert.BuildConfigDigest},
		{name: "certificate visibility (.22)", want: c.RepositoryVisibility, got: cert.SourceRepositoryVisibilityAtSigning},
	}
}

// runFields compares what names this very run.
func runFields(c identity.Claims, server string, cert certificate.Summary) []field {
	return []field{
		{name: "certificate build trigger (.20)", want: c.EventName, got: cert.BuildTrigger},
		{name: "certificate run invocation (.21)", want: server + "/" + c.Repository + "/actions/runs/" + c.RunID + "/attempts/" + c.RunAttempt, got: cert.RunInvocationURI, foldCase: true},
	}
}

// checkClaims refuses claims of which one that Fulcio demands is empty: a comparison with it could pass because both
// sides are empty. The error names it.
func checkClaims(c identity.Claims) error {
	for _, f := range []struct{ name, value string }{
		{"iss", c.Issuer},
		{"ref", c.Ref},
		{"sha", c.SHA},
		{"repository", c.Repository},
		{"repository_id", c.RepositoryID},
		{"repository_owner", c.RepositoryOwner},
		{"repository_owner_id", c.RepositoryOwnerID},
		{"repository_visibility", c.RepositoryVisibility},
		{"event_name", c.EventName},
		{"workflow_ref", c.WorkflowRef},
		{"workflow_sha", c.WorkflowSHA},
		{"job_workflow_ref", c.JobWorkflowRef},
		{"job_workflow_sha", c.JobWorkflowSHA},
		{"run_id", c.RunID},
		{"run_attempt", c.RunAttempt},
		{"runner_environment", c.RunnerEnvironment},
	} {
		if f.value == "" {
			return &MismatchError{Field: "claim " + f.name, Want: "a value"}
		}
	}
	return nil
}
