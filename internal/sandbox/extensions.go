package sandbox

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"strings"
)

// fulcioClaims are those that Fulcio's provider for GitHub workflows demands, all of them.
var fulcioClaims = []string{
	"job_workflow_ref", "sha", "event_name", "repository", "workflow", "ref", "job_workflow_sha", "runner_environment",
	"repository_id", "repository_owner", "repository_owner_id", "repository_visibility", "workflow_ref", "workflow_sha",
	"run_id", "run_attempt",
}

// extensions are the certificate's of a GitHub workflow (Fulcio, docs/oid-info.md): 1 to 6 hold raw bytes, later ones a
// DER UTF8String.
func extensions(issuer, server string, claims map[string]any) ([]pkix.Extension, error) {
	var missing []string
	c := map[string]string{}
	for _, name := range fulcioClaims {
		if c[name], _ = claims[name].(string); c[name] == "" {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("claims are missing: %s", strings.Join(missing, ", "))
	}
	subject, _ := claims["sub"].(string)
	environment, _ := claims["environment"].(string)
	repository := server + "/" + c["repository"]

	var out []pkix.Extension
	for n, value := range []string{issuer, c["event_name"], c["sha"], c["workflow"], c["repository"], c["ref"]} {
		out = append(out, pkix.Extension{Id: fulcioOID(n + 1), Value: []byte(value)})
	}
	for n, value := range []string{
		issuer,
		server + "/" + c["job_workflow_ref"],
		c["job_workflow_sha"],
		c["runner_environment"],
		repository,
		c["sha"],
		c["ref"],
		c["repository_id"],
		server + "/" + c["repository_owner"],
		c["repository_owner_id"],
		server + "/" + c["workflow_ref"],
		c["workflow_sha"],
		c["event_name"],
		repository + "/actions/runs/" + c["run_id"] + "/attempts/" + c["run_attempt"],
		c["repository_visibility"],
		environment,
		subject,
	} {
		if value == "" { // the deployment environment is optional
			continue
		}
		der, err := asn1.MarshalWithParams(value, "utf8")
		if err != nil {
			return nil, fmt.Errorf("encode certificate extension %d: %w", n+8, err)
		}
		out = append(out, pkix.Extension{Id: fulcioOID(n + 8), Value: der})
	}
	return out, nil
}

func fulcioOID(n int) asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 1, n}
}
