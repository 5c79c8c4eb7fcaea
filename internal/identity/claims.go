package identity

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/taglast/taglast/internal/escape"
)

// claim is one claim that is kept: a string.
type claim struct {
	name     string
	value    *string
	optional bool
}

// fields names each claim that is kept, with where its value goes. They are the claims that Fulcio turns into a
// certificate (its "OID information" and GitHub provider) and those that the provenance is made of.
func (c *Claims) fields() []claim {
	return []claim{
		{name: "iss", value: &c.Issuer},
		{name: "sub", value: &c.Subject, optional: true},
		{name: "ref", value: &c.Ref},
		{name: "sha", value: &c.SHA},
		{name: "repository", value: &c.Repository},
		{name: "repository_id", value: &c.RepositoryID},
		{name: "repository_owner", value: &c.RepositoryOwner},
		{name: "repository_owner_id", value: &c.RepositoryOwnerID},
		{name: "repository_visibility", value: &c.RepositoryVisibility},
		{name: "event_name", value: &c.EventName},
		{name: "workflow", value: &c.Workflow},
		{name: "workflow_ref", value: &c.WorkflowRef},
		{name: "workflow_sha", value: &c.WorkflowSHA},
		{name: "job_workflow_ref", value: &c.JobWorkflowRef},
		{name: "job_workflow_sha", value: &c.JobWorkflowSHA},
		{name: "run_id", value: &c.RunID},
		{name: "run_attempt", value: &c.RunAttempt},
		{name: "runner_environment", value: &c.RunnerEnvironment},
		{name: "environment", value: &c.Environment, optional: true},
	}
}

// readClaims copies the claims that are kept, each of which must be a string without control characters.
func readClaims(all map[string]any) (Claims, error) {
	var c Claims
	var missing []string
	for _, f := range c.fields() {
		value, present := all[f.name]
		if !present && f.optional {
			continue
		}
		s, ok := value.(string)
		if !ok || s == "" && !f.optional {
			missing = append(missing, f.name)
			continue
		}
		if escape.HasControl(s) {
			return Claims{}, fmt.Errorf("control characters in claim %s: %s", f.name, escape.Bounded(s, 200))
		}
		*f.value = s
	}
	if len(missing) > 0 {
		return Claims{}, fmt.Errorf("missing claims: %s", strings.Join(missing, ", "))
	}
	return c, nil
}

// decodeObject reads a JSON object; numbers keep their text, for comparing.
func decodeObject(payload []byte) (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(payload))
	d.UseNumber()
	var all map[string]any
	if !json.Valid(payload) || d.Decode(&all) != nil || all == nil {
		return nil, errors.New("its claims are not a JSON object") // the cause could quote it
	}
	return all, nil
}

// audienceIs reports whether aud names the audience and nobody else.
func audienceIs(aud any, audience string) bool {
	if list, ok := aud.([]any); ok && len(list) == 1 {
		aud = list[0]
	}
	return aud == any(audience)
}

// checkTime checks exp, which is required, and nbf, which is not (RFC 7519, sections 4.1.4 and 4.1.5), and returns exp.
func checkTime(all map[string]any, now time.Time) (time.Time, error) {
	expiry, ok := numericDate(all["exp"])
	if !ok {
		return time.Time{}, errors.New("missing claims: exp")
	}
	if !now.Before(expiry.Add(leeway)) {
		return time.Time{}, fmt.Errorf("expired at %s", expiry.UTC().Format(time.RFC3339))
	}
	if nbf, present := all["nbf"]; present {
		begin, ok := numericDate(nbf)
		if !ok {
			return time.Time{}, errors.New("its nbf is not a time")
		}
		if now.Before(begin.Add(-leeway)) {
			return time.Time{}, fmt.Errorf("not valid before %s; is this machine's clock right?", begin.UTC().Format(time.RFC3339))
		}
	}
	return expiry, nil
}

// numericDate reads a NumericDate: seconds since 1970, perhaps with a fraction, which is cut.
func numericDate(v any) (time.Time, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return time.Time{}, false
	}
	const year9999 = 253402300799
	f, err := n.Float64()
	if err != nil || f < 0 || f > year9999 {
		return time.Time{}, false
	}
	return time.Unix(int64(math.Floor(f)), 0), true
}
