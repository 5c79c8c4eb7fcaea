package policy

import (
	"encoding/json"
	"strings"

	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"

	"github.com/taglast/taglast/internal/provenance"
	"github.com/taglast/taglast/internal/strictjson"
)

// matchPredicate compares SLSA provenance v1 with the certificate that signed it. A predicate is what the job says of
// itself; a certificate is what the identity provider said of the job.
func matchPredicate(predicate json.RawMessage, cert certificate.Summary, server string) error {
	at := func(path ...string) string { return strictjson.Text(predicate, path...) }
	workflow := func(key string) string { return at("buildDefinition", "externalParameters", "workflow", key) }
	internal := func(key string) string { return at("buildDefinition", "internalParameters", "github", key) }
	source := firstDependency(predicate)
	return firstMismatch([]field{
		{name: "predicate buildType", want: provenance.BuildType, got: at("buildDefinition", "buildType")},
		{name: "predicate workflow.ref", want: cert.SourceRepositoryRef, got: workflow("ref")},
		{name: "predicate workflow.repository", want: cert.SourceRepositoryURI, got: workflow("repository"), foldCase: true},
		{name: "predicate workflow.path", want: workflowPath(cert, server), got: workflow("path")},
		{name: "predicate github.event_name", want: cert.BuildTrigger, got: internal("event_name")},
		{name: "predicate github.repository_id", want: cert.SourceRepositoryIdentifier, got: internal("repository_id")},
		{name: "predicate github.repository_owner_id", want: cert.SourceRepositoryOwnerIdentifier, got: internal("repository_owner_id")},
		{name: "predicate github.runner_environment", want: cert.RunnerEnvironment, got: internal("runner_environment")},
		{name: "predicate resolvedDependencies[0].uri", want: "git+" + cert.SourceRepositoryURI + "@" + cert.SourceRepositoryRef, got: strictjson.Text(source, "uri")},
		{name: "predicate resolvedDependencies[0].digest.gitCommit", want: cert.SourceRepositoryDigest, got: strictjson.Text(source, "digest", "gitCommit")},
		{name: "predicate builder.id", want: cert.BuildSignerURI, got: at("runDetails", "builder", "id")},
		{name: "predicate metadata.invocationId", want: cert.RunInvocationURI, got: at("runDetails", "metadata", "invocationId"), foldCase: true},
	})
}

// workflowPath is the path of the workflow file as GitHub's provenance writes it: workflow_ref without the first
// "owner/repository/" and without what follows its first "@".
func workflowPath(cert certificate.Summary, server string) string {
	ref := strings.TrimPrefix(cert.BuildConfigURI, server+"/")
	repository := strings.TrimPrefix(cert.SourceRepositoryURI, server+"/")
	path, _, _ := strings.Cut(strings.Replace(ref, repository+"/", "", 1), "@")
	return path
}

// firstDependency is the source repository: the first of the resolved dependencies.
func firstDependency(predicate json.RawMessage) json.RawMessage {
	raw, ok := strictjson.Lookup(predicate, "buildDefinition", "resolvedDependencies")
	if !ok {
		return nil
	}
	var all []json.RawMessage
	if json.Unmarshal(raw, &all) != nil || len(all) == 0 {
		return nil
	}
	return all[0]
}
