package identity

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode"

	"github.com/taglast/taglast/internal/escape"
)

// claim is one string claim that is kept.
type claim struct {
	name     string
	to       *string
	optional bool
}

// fields are the claims that Fulcio turns into a certificate (its "OID information" and GitHub provider) and those that
// the provenance is made of.
func (c *Claims) fields() []claim {
	return []claim{
		{name: "iss", to: &c.Issuer},
		{name: "sub", to: &c.Subject, optional: true},
		{name: "ref", to: &c.Ref},
		{name: "sha", to: &c.SHA},
		{name: "repository", to: &c.Repository},
		{name: "repository_id", to: &c.RepositoryID},
		{name: "repository_owner", to: &c.RepositoryOwner},
		{name: "repository_owner_id", to: &c.RepositoryOwnerID},
		{name: "repository_visibility", to: &c.RepositoryVisibility},
		{name: "event_name", to: &c.EventName},
		{name: "workflow", to: &c.Workflow},
		{name: "workflow_ref", to: &c.WorkflowRef},
		{name: "workflow_sha", to: &c.WorkflowSHA},
		{name: "job_workflow_ref", to: &c.JobWorkflowRef},
		{name: "job_workflow_sha", to: &c.JobWorkflowSHA},
		{name: "run_id", to: &c.RunID},
		{name: "run_attempt", to: &c.RunAttempt},
		{name: "runner_environment", to: &c.RunnerEnvironment},
		{name: "environment", to: &c.Environment, optional: true},
	}
}

// readClaims takes the claims that are kept, each a string without control characters.
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
		if strings.ContainsFunc(s, control) {
			return Claims{}, fmt.Errorf("control characters in claim %s: %s", f.name, escape.Bounded(s, 200))
		}
		*f.to = s
	}
	if len(missing) > 0 {
		return Claims{}, fmt.Errorf("missing claims: %s", strings.Join(missing, ", "))
	}
	return c, nil
}

func control(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' }

// decode reads a JSON object; numbers keep their text, for comparing.
func decode(payload []byte) (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(payload))
	d.UseNumber()
	var all map[string]any
	if !json.Valid(payload) || d.Decode(&all) != nil || all == nil {
		return nil, errors.New("its claims are not a JSON object") // the cause could quote it
	}
	return all, nil
}

// audienceIs tells whether aud names the audience and nobody else.
func audienceIs(aud any, audience string) bool {
	if list, ok := aud.([]any); ok && len(list) == 1 {
		aud = list[0]
	}
	return aud == any(audience)
}

// checkTime checks exp, which must be there, and nbf (RFC 7519, sections 4.1.4 and 4.1.5), and returns exp.
func checkTime(all map[string]any, now time.Time) (time.Time, error) {
	expiry, ok := instant(all["exp"])
	if !ok {
		return time.Time{}, errors.New("missing claims: exp")
	}
	if !now.Before(expiry.Add(leeway)) {
		return time.Time{}, fmt.Errorf("expired at %s", expiry.UTC().Format(time.RFC3339))
	}
	if nbf, given := all["nbf"]; given {
		begin, ok := instant(nbf)
		if !ok {
			return time.Time{}, errors.New("its nbf is not a time")
		}
		if now.Before(begin.Add(-leeway)) {
			return time.Time{}, fmt.Errorf("not valid before %s; is this machine's clock right?", begin.UTC().Format(time.RFC3339))
		}
	}
	return expiry, nil
}

// instant reads a NumericDate: seconds since 1970, perhaps with a fraction, which is cut.
func instant(v any) (time.Time, bool) {
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
