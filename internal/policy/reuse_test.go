package policy_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/taglast/taglast/internal/identity"
	"github.com/taglast/taglast/internal/policy"
	"github.com/taglast/taglast/internal/provenance"
	"github.com/taglast/taglast/internal/sandbox"
)

func TestReuseAcceptsAnEarlierRun(t *testing.T) {
	w := newWorld(t, sandbox.Identity{})
	b := parsed(t, w.sign(statement(t, set(predicate(w.claims()), "more", "runDetails", "extra"), digestB, digestA)))
	for _, tt := range []struct {
		name   string
		change func(*policy.Reuse)
		field  string // of the mismatch; empty: accepted
	}{
		{"as it is", func(*policy.Reuse) {}, ""},
		{"another run", func(r *policy.Reuse) { r.Claims.RunID = "77" }, ""},
		{"another attempt", func(r *policy.Reuse) { r.Claims.RunAttempt = "2" }, ""},
		{"another event", func(r *policy.Reuse) { r.Claims.EventName = "workflow_dispatch" }, ""},
		{"fewer subjects", func(r *policy.Reuse) { r.Subjects = r.Subjects[:1] }, ""},
		{"one subject more", func(r *policy.Reuse) {
			r.Subjects = append(r.Subjects, provenance.Subject{Name: "docker.io/acme/app", Digest: digestA})
		}, "statement subject"},
		{"a subject under another name", func(r *policy.Reuse) { r.Subjects[0].Name = "ghcr.io/acme/APP" }, "statement subject"},
		{"a subject with another digest", func(r *policy.Reuse) { r.Subjects[0].Digest = "sha256:" + strings.Repeat("0", 64) }, "statement subject"},
		{"another commit", func(r *policy.Reuse) { r.Claims.SHA = strings.Repeat("b", 40) }, "(.13)"},
		{"another ref", func(r *policy.Reuse) { r.Claims.Ref = "refs/tags/v9" }, "(.14)"},
		{"another repository id", func(r *policy.Reuse) { r.Claims.RepositoryID = "1" }, "(.15)"},
		{"another owner id", func(r *policy.Reuse) { r.Claims.RepositoryOwnerID = "1" }, "(.17)"},
		{"another workflow", func(r *policy.Reuse) { r.Claims.WorkflowRef = "acme/app/.github/workflows/x.yml@refs/tags/v1.2.3" }, "(.18)"},
		{"another version of the workflow", func(r *policy.Reuse) { r.Claims.WorkflowSHA = strings.Repeat("b", 40) }, "(.19)"},
		{"another version of the signer", func(r *policy.Reuse) { r.Claims.JobWorkflowSHA = strings.Repeat("b", 40) }, "(.10)"},
		{"another issuer", func(r *policy.Reuse) { r.Claims.Issuer += "/acme" }, "issuer"},
		{"another visibility", func(r *policy.Reuse) { r.Claims.RepositoryVisibility = "private" }, "(.22)"},
		{"a self-hosted runner", func(r *policy.Reuse) { r.Claims.RunnerEnvironment = "self-hosted" }, "(.11)"},
		{"missing claims", func(r *policy.Reuse) { r.Claims = identity.Claims{} }, "claim iss"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := policy.Reuse{
				Trusted: w.trusted, Requires: everything, Claims: w.claims(), ServerURL: server, Digest: digestA,
				Subjects: []provenance.Subject{{Name: "ghcr.io/acme/app", Digest: digestA}, {Name: "ghcr.io/acme/app", Digest: digestB}},
			}
			tt.change(&r)
			_, err := r.Check(b)
			var mismatch *policy.MismatchError
			if tt.field == "" && err != nil || tt.field != "" && (!errors.As(err, &mismatch) || !strings.Contains(mismatch.Field, tt.field)) {
				t.Errorf("got %v, want %q", err, tt.field)
			}
		})
	}
}

func TestReuseRefusesAPredicateThatItsCertificateContradicts(t *testing.T) {
	w := newWorld(t, sandbox.Identity{})
	for _, tt := range lies {
		t.Run(tt.name, func(t *testing.T) {
			b := parsed(t, w.sign(statement(t, set(predicate(w.claims()), tt.value, tt.path...), digestA)))
			r := policy.Reuse{Trusted: w.trusted, Requires: everything, Claims: w.claims(), ServerURL: server, Digest: digestA}
			_, err := r.Check(b)
			var mismatch *policy.MismatchError
			if !errors.As(err, &mismatch) || !strings.HasPrefix(mismatch.Field, "predicate ") {
				t.Errorf("got %v, want a mismatch of the predicate", err)
			}
		})
	}
}

func TestReuseRefusesOtherKindsOfStatement(t *testing.T) {
	w := newWorld(t, sandbox.Identity{})
	honest := string(statement(t, predicate(w.claims()), digestA))
	r := policy.Reuse{Trusted: w.trusted, Requires: everything, Claims: w.claims(), ServerURL: server, Digest: digestA}
	for name, payload := range map[string]string{
		"predicate type":    strings.Replace(honest, "provenance/v1", "provenance/v0.2", 1),
		"statement type":    strings.Replace(honest, "Statement/v1", "Statement/v0.1", 1),
		"no statement type": strings.Replace(honest, `"_type":"https://in-toto.io/Statement/v1",`, "", 1),
		"a builder said twice": strings.Replace(honest, `"builder":`,
			`"builder":{"id":"https://github.com/good/app"},"builder":`, 1),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := r.Check(parsed(t, w.sign([]byte(payload)))); !refusal(err) {
				t.Errorf("got %v", err)
			}
		})
	}
}
