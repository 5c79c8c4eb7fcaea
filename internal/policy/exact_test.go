package policy_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	protodsse "github.com/sigstore/protobuf-specs/gen/pb-go/dsse"
	"github.com/sigstore/sigstore-go/pkg/root"
	"google.golang.org/protobuf/proto"

	"github.com/taglast/taglast/internal/bundle"
	"github.com/taglast/taglast/internal/identity"
	"github.com/taglast/taglast/internal/policy"
	"github.com/taglast/taglast/internal/provenance"
	"github.com/taglast/taglast/internal/sandbox"
)

func TestExactAcceptsThisRunsBundle(t *testing.T) {
	s := newSigned(t, sandbox.Identity{})
	v, err := s.exact.Check(parsed(t, s.bundle))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]provenance.Subject{{Name: "ghcr.io/acme/app", Digest: digestA}}, v.Subjects); diff != "" {
		t.Error(diff)
	}
	if v.PredicateType != provenance.PredicateType || !bytes.Equal(v.Statement, s.exact.Statement) || !bytes.Contains(v.Predicate, []byte("buildDefinition")) {
		t.Errorf("statement: %s", v.Statement)
	}
	if len(v.Times) == 0 || v.Times[0].IsZero() || !v.Times[0].Before(v.Times[len(v.Times)-1].Add(1)) {
		t.Errorf("times: %v", v.Times)
	}
	if v.LogIndex != s.bundle.VerificationMaterial.TlogEntries[0].LogIndex {
		t.Errorf("log index %d", v.LogIndex)
	}
	if v.Certificate.SourceRepositoryURI != "https://github.com/acme/app" {
		t.Errorf("certificate: %+v", v.Certificate)
	}
}

func TestExactAcceptsAReusableWorkflowOfAnotherRepository(t *testing.T) {
	s := newSigned(t, sandbox.Identity{
		JobWorkflowRef: "acme/shared/.github/workflows/publish.yml@refs/heads/main", JobWorkflowSHA: strings.Repeat("c", 40),
	})
	if _, err := s.exact.Check(parsed(t, s.bundle)); err != nil {
		t.Error(err)
	}
}

func TestExactAcceptsABundleWithoutTimestampAsGitHubMakesThem(t *testing.T) {
	s := newSigned(t, sandbox.Identity{})
	s.exact.Requires.Timestamp = false
	s.bundle.VerificationMaterial.TimestampVerificationData = &protobundle.TimestampVerificationData{}
	if _, err := s.exact.Check(parsed(t, s.bundle)); err != nil {
		t.Error(err)
	}
}

func TestExactRefusesAnotherIdentity(t *testing.T) {
	s := newSigned(t, sandbox.Identity{})
	honest := parsed(t, s.bundle)
	for _, tt := range []struct {
		name   string
		change func(*identity.Claims)
		field  string
	}{
		{"issuer", func(c *identity.Claims) { c.Issuer += "/acme" }, "issuer"},
		{"signing workflow", func(c *identity.Claims) { c.JobWorkflowRef = "acme/app/.github/workflows/other.yml@refs/tags/v1.2.3" }, "subject alternative name"},
		{"signing workflow's ref", func(c *identity.Claims) { c.JobWorkflowRef += "4" }, "subject alternative name"},
		{"signing workflow's commit", func(c *identity.Claims) { c.JobWorkflowSHA = strings.Repeat("b", 40) }, "(.10)"},
		{"self-hosted runner", func(c *identity.Claims) { c.RunnerEnvironment = "self-hosted" }, "(.11)"},
		{"repository", func(c *identity.Claims) { c.Repository = "acme/other" }, "(.12)"},
		{"commit", func(c *identity.Claims) { c.SHA = strings.Repeat("b", 40) }, "(.13)"},
		{"ref", func(c *identity.Claims) { c.Ref = "refs/heads/main" }, "(.14)"},
		{"repository of the same name, made anew", func(c *identity.Claims) { c.RepositoryID = "9" }, "(.15)"},
		{"owner", func(c *identity.Claims) { c.RepositoryOwner = "evil" }, "(.16)"},
		{"owner of the same name, made anew", func(c *identity.Claims) { c.RepositoryOwnerID = "9" }, "(.17)"},
		{"calling workflow", func(c *identity.Claims) { c.WorkflowRef = "acme/app/.github/workflows/x.yml@refs/tags/v1.2.3" }, "(.18)"},
		{"calling workflow's commit", func(c *identity.Claims) { c.WorkflowSHA = strings.Repeat("b", 40) }, "(.19)"},
		{"event", func(c *identity.Claims) { c.EventName = "workflow_dispatch" }, "(.20)"},
		{"run", func(c *identity.Claims) { c.RunID = "4" }, "(.21)"},
		{"attempt", func(c *identity.Claims) { c.RunAttempt = "2" }, "(.21)"},
		{"visibility", func(c *identity.Claims) { c.RepositoryVisibility = "private" }, "(.22)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := s.exact
			tt.change(&e.Claims)
			_, err := e.Check(honest)
			var mismatch *policy.MismatchError
			if !errors.As(err, &mismatch) || !strings.Contains(mismatch.Field, tt.field) || mismatch.Want == mismatch.Got {
				t.Errorf("got %v, want a mismatch of %s", err, tt.field)
			}
		})
	}
	t.Run("server", func(t *testing.T) {
		e := s.exact
		e.ServerURL = "https://acme.ghe.com"
		if _, err := e.Check(honest); err == nil {
			t.Error("accepted")
		}
	})
	t.Run("letters of another case in a repository's name are the same", func(t *testing.T) {
		e := s.exact
		e.Claims.Repository, e.Claims.RepositoryOwner = "Acme/APP", "ACME"
		if _, err := e.Check(honest); err != nil {
			t.Error(err)
		}
	})
	t.Run("claims that are missing", func(t *testing.T) {
		e := s.exact
		e.Claims.WorkflowSHA = ""
		var mismatch *policy.MismatchError
		if _, err := e.Check(honest); !errors.As(err, &mismatch) || mismatch.Field != "claim workflow_sha" {
			t.Errorf("got %v", err)
		}
	})
}

// lies are changes of an honest predicate that its certificate contradicts.
var lies = []struct {
	name  string
	value any
	path  []string
}{
	{"build type", "https://example.com/build", []string{"buildDefinition", "buildType"}},
	{"workflow ref", "refs/heads/main", []string{"buildDefinition", "externalParameters", "workflow", "ref"}},
	{"workflow repository", "https://github.com/good/app", []string{"buildDefinition", "externalParameters", "workflow", "repository"}},
	{"workflow path", ".github/workflows/good.yml", []string{"buildDefinition", "externalParameters", "workflow", "path"}},
	{"event", "workflow_dispatch", []string{"buildDefinition", "internalParameters", "github", "event_name"}},
	{"repository id", "7", []string{"buildDefinition", "internalParameters", "github", "repository_id"}},
	{"repository id that is a number", 1001, []string{"buildDefinition", "internalParameters", "github", "repository_id"}},
	{"owner id", "7", []string{"buildDefinition", "internalParameters", "github", "repository_owner_id"}},
	{"runner environment", "self-hosted", []string{"buildDefinition", "internalParameters", "github", "runner_environment"}},
	{"source", "git+https://github.com/good/app@refs/tags/v1.2.3", []string{"buildDefinition", "resolvedDependencies", "uri"}},
	{"source commit", strings.Repeat("b", 40), []string{"buildDefinition", "resolvedDependencies", "digest", "gitCommit"}},
	{"no source", []any{}, []string{"buildDefinition", "resolvedDependencies"}},
	{"builder", "https://github.com/good/app/.github/workflows/release.yml@refs/tags/v1.2.3", []string{"runDetails", "builder", "id"}},
	{"no builder", nil, []string{"runDetails", "builder"}},
	{"run", "https://github.com/acme/app/actions/runs/1/attempts/1", []string{"runDetails", "metadata", "invocationId"}},
}

func TestExactRefusesAPredicateThatItsCertificateContradicts(t *testing.T) {
	w := newWorld(t, sandbox.Identity{})
	for _, tt := range lies {
		t.Run(tt.name, func(t *testing.T) {
			payload := statement(t, set(predicate(w.claims()), tt.value, tt.path...), digestA)
			e := policy.Exact{Trusted: w.trusted, Requires: everything, Claims: w.claims(), ServerURL: server, Statement: payload, Digest: digestA}
			_, err := e.Check(parsed(t, w.sign(payload)))
			var mismatch *policy.MismatchError
			if !errors.As(err, &mismatch) || !strings.HasPrefix(mismatch.Field, "predicate ") {
				t.Errorf("got %v, want a mismatch of the predicate", err)
			}
		})
	}
}

func TestExactRefusesAnotherStatement(t *testing.T) {
	w := newWorld(t, sandbox.Identity{})
	honest := statement(t, predicate(w.claims()), digestA)
	check := func(payload []byte) error {
		e := policy.Exact{Trusted: w.trusted, Requires: everything, Claims: w.claims(), ServerURL: server, Statement: honest, Digest: digestA}
		_, err := e.Check(parsed(t, w.sign(payload)))
		return err
	}
	for name, payload := range map[string][]byte{
		"about another digest":      statement(t, predicate(w.claims()), digestB),
		"about one digest more":     statement(t, predicate(w.claims()), digestA, digestB),
		"with one field more":       statement(t, set(predicate(w.claims()), "x", "runDetails", "more"), digestA),
		"with white space":          append([]byte(" "), honest...),
		"of another predicate type": bytes.Replace(honest, []byte("provenance/v1"), []byte("provenance/v2"), 1),
		"of another statement type": bytes.Replace(honest, []byte("Statement/v1"), []byte("Statement/v0.1"), 1),
	} {
		t.Run(name, func(t *testing.T) {
			if err := check(payload); err == nil {
				t.Error("accepted")
			}
		})
	}
}

// withoutCTLogs is a trusted root that knows no certificate transparency log.
func withoutCTLogs(t *testing.T, w *world) root.TrustedMaterial {
	t.Helper()
	var doc map[string]json.RawMessage
	if err := json.Unmarshal(w.TrustedRoot(), &doc); err != nil {
		t.Fatal(err)
	}
	delete(doc, "ctlogs")
	raw, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	tr, err := root.NewTrustedRootFromJSON(raw)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// attacks change an honest bundle of s; other is an honest bundle by the same key and certificate authority over
// another statement, foreign one of another world.
var attacks = []struct {
	name   string
	change func(b, other, foreign *protobundle.Bundle)
}{
	{"another statement's bundle", func(b, other, _ *protobundle.Bundle) { proto.Reset(b); proto.Merge(b, other) }},
	{"another world's bundle", func(b, _, foreign *protobundle.Bundle) { proto.Reset(b); proto.Merge(b, foreign) }},
	{"another world's certificate", func(b, _, foreign *protobundle.Bundle) {
		b.VerificationMaterial.Content = foreign.VerificationMaterial.Content
	}},
	{"another certificate of the same key", func(b, other, _ *protobundle.Bundle) {
		b.VerificationMaterial.Content = other.VerificationMaterial.Content
	}},
	{"log entry of another signature", func(b, other, _ *protobundle.Bundle) {
		b.VerificationMaterial.TlogEntries = other.VerificationMaterial.TlogEntries
	}},
	{"log entry of another log", func(b, _, foreign *protobundle.Bundle) {
		b.VerificationMaterial.TlogEntries = foreign.VerificationMaterial.TlogEntries
	}},
	{"body of another log entry", func(b, other, _ *protobundle.Bundle) {
		b.VerificationMaterial.TlogEntries[0].CanonicalizedBody = other.VerificationMaterial.TlogEntries[0].CanonicalizedBody
	}},
	{"no log entry", func(b, _, _ *protobundle.Bundle) { b.VerificationMaterial.TlogEntries = nil }},
	{"no signed time of the log", func(b, _, _ *protobundle.Bundle) { b.VerificationMaterial.TlogEntries[0].InclusionPromise = nil }},
	{"no inclusion proof", func(b, _, _ *protobundle.Bundle) { b.VerificationMaterial.TlogEntries[0].InclusionProof = nil }},
	{"inclusion proof for another tree", func(b, _, _ *protobundle.Bundle) {
		b.VerificationMaterial.TlogEntries[0].InclusionProof.RootHash[0] ^= 1
	}},
	{"another time in the log entry", func(b, _, _ *protobundle.Bundle) { b.VerificationMaterial.TlogEntries[0].IntegratedTime++ }},
	{"another index in the log entry", func(b, _, _ *protobundle.Bundle) { b.VerificationMaterial.TlogEntries[0].LogIndex++ }},
	{"timestamp of another signature", func(b, other, _ *protobundle.Bundle) {
		b.VerificationMaterial.TimestampVerificationData = other.VerificationMaterial.TimestampVerificationData
	}},
	{"timestamp of another authority", func(b, _, foreign *protobundle.Bundle) {
		b.VerificationMaterial.TimestampVerificationData = foreign.VerificationMaterial.TimestampVerificationData
	}},
	{"a timestamp that is none beside a good one", func(b, _, _ *protobundle.Bundle) {
		data := b.VerificationMaterial.TimestampVerificationData
		data.Rfc3161Timestamps = append(data.Rfc3161Timestamps, &protocommon.RFC3161SignedTimestamp{SignedTimestamp: []byte{1}})
	}},
	{"tampered payload", func(b, _, _ *protobundle.Bundle) {
		p := b.GetDsseEnvelope()
		p.Payload = bytes.Replace(p.Payload, []byte("refs/tags/v1.2.3"), []byte("refs/tags/v1.2.4"), 1)
	}},
	{"payload of another bundle", func(b, other, _ *protobundle.Bundle) { b.GetDsseEnvelope().Payload = other.GetDsseEnvelope().Payload }},
	{"tampered signature", func(b, _, _ *protobundle.Bundle) { b.GetDsseEnvelope().Signatures[0].Sig[12] ^= 1 }},
	{"no signature", func(b, _, _ *protobundle.Bundle) { b.GetDsseEnvelope().Signatures = nil }},
	{"two signatures", func(b, other, _ *protobundle.Bundle) {
		b.GetDsseEnvelope().Signatures = append(b.GetDsseEnvelope().Signatures, other.GetDsseEnvelope().Signatures...)
	}},
	{"another payload type", func(b, _, _ *protobundle.Bundle) { b.GetDsseEnvelope().PayloadType = "text/plain" }},
	{"a public key instead of the certificate", func(b, _, _ *protobundle.Bundle) {
		b.VerificationMaterial.Content = &protobundle.VerificationMaterial_PublicKey{PublicKey: &protocommon.PublicKeyIdentifier{Hint: "k"}}
	}},
	{"a certificate chain", func(b, _, _ *protobundle.Bundle) { chain(b) }},
	{"a certificate chain under the older media type", func(b, _, _ *protobundle.Bundle) {
		chain(b)
		b.MediaType = "application/vnd.dev.sigstore.bundle+json;version=0.2"
	}},
	{"the first media type", func(b, _, _ *protobundle.Bundle) {
		chain(b)
		b.MediaType = "application/vnd.dev.sigstore.bundle+json;version=0.1"
	}},
	{"no certificate", func(b, _, _ *protobundle.Bundle) { b.VerificationMaterial.Content = nil }},
	{"a plain signature instead of an envelope", func(b, _, _ *protobundle.Bundle) {
		b.Content = &protobundle.Bundle_MessageSignature{MessageSignature: &protocommon.MessageSignature{
			MessageDigest: &protocommon.HashOutput{Algorithm: protocommon.HashAlgorithm_SHA2_256, Digest: bytes.Repeat([]byte{0xa1}, 32)},
			Signature:     b.GetDsseEnvelope().Signatures[0].Sig,
		}}
	}},
	{"33 log entries", func(b, _, _ *protobundle.Bundle) {
		for len(b.VerificationMaterial.TlogEntries) < 33 {
			b.VerificationMaterial.TlogEntries = append(b.VerificationMaterial.TlogEntries, b.VerificationMaterial.TlogEntries[0])
		}
	}},
	{"33 timestamps", func(b, _, _ *protobundle.Bundle) {
		data := b.VerificationMaterial.TimestampVerificationData
		for len(data.Rfc3161Timestamps) < 33 {
			data.Rfc3161Timestamps = append(data.Rfc3161Timestamps, data.Rfc3161Timestamps[0])
		}
	}},
	{"the same log entry twice", func(b, _, _ *protobundle.Bundle) {
		b.VerificationMaterial.TlogEntries = append(b.VerificationMaterial.TlogEntries, b.VerificationMaterial.TlogEntries[0])
	}},
	{"nothing", func(b, _, _ *protobundle.Bundle) { proto.Reset(b) }},
	{"an empty envelope", func(b, _, _ *protobundle.Bundle) {
		b.Content = &protobundle.Bundle_DsseEnvelope{DsseEnvelope: &protodsse.Envelope{}}
	}},
}

// chain turns the certificate into the chain form of older bundles.
func chain(b *protobundle.Bundle) {
	b.VerificationMaterial.Content = &protobundle.VerificationMaterial_X509CertificateChain{
		X509CertificateChain: &protocommon.X509CertificateChain{Certificates: []*protocommon.X509Certificate{b.VerificationMaterial.GetCertificate()}},
	}
}

func TestExactAndReuseRefuseForgedBundles(t *testing.T) {
	s := newSigned(t, sandbox.Identity{})
	other := s.w.sign(statement(t, predicate(s.w.claims()), digestB))
	foreign := newSigned(t, sandbox.Identity{}).bundle
	reuse := policy.Reuse{Trusted: s.exact.Trusted, Requires: everything, Claims: s.exact.Claims, ServerURL: server, Digest: digestA}
	if _, err := reuse.Check(parsed(t, s.bundle)); err != nil {
		t.Fatal(err)
	}
	for _, tt := range attacks {
		t.Run(tt.name, func(t *testing.T) {
			b := proto.CloneOf(s.bundle)
			tt.change(b, proto.CloneOf(other), proto.CloneOf(foreign))
			forged := parsed(t, b)
			if _, err := s.exact.Check(forged); !refusal(err) {
				t.Errorf("exact: %v", err)
			}
			if _, err := reuse.Check(forged); !refusal(err) {
				t.Errorf("reuse: %v", err)
			}
		})
	}
}

// refusal says whether err is one of those that a bundle is refused with.
func refusal(err error) bool {
	var mismatch *policy.MismatchError
	return errors.Is(err, bundle.ErrInvalid) || errors.Is(err, policy.ErrUntrusted) || errors.As(err, &mismatch)
}

func TestExactWantsACertificateTimestampThatTheRootKnows(t *testing.T) {
	s := newSigned(t, sandbox.Identity{})
	s.exact.Trusted = withoutCTLogs(t, s.w)
	if _, err := s.exact.Check(parsed(t, s.bundle)); !errors.Is(err, policy.ErrUntrusted) || !strings.Contains(err.Error(), "SCT") {
		t.Errorf("got %v", err)
	}
}

func TestExactRefusesATimestampAfterTheCertificatesEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSigned(t, sandbox.Identity{})
		time.Sleep(11 * time.Minute)
		late, err := s.w.options().TimestampAuthorities[0].GetTimestamp(t.Context(), s.bundle.GetDsseEnvelope().Signatures[0].Sig)
		if err != nil {
			t.Fatal(err)
		}
		s.bundle.VerificationMaterial.TimestampVerificationData.Rfc3161Timestamps[0].SignedTimestamp = late
		if _, err := s.exact.Check(parsed(t, s.bundle)); !errors.Is(err, policy.ErrUntrusted) || !strings.Contains(err.Error(), "certificate") {
			t.Errorf("got %v", err)
		}
	})
}

func TestPoliciesWithoutATrustedRootOrStatementRefuse(t *testing.T) {
	s := newSigned(t, sandbox.Identity{})
	honest := parsed(t, s.bundle)
	for name, change := range map[string]func(*policy.Exact){
		"root":      func(e *policy.Exact) { e.Trusted = nil },
		"statement": func(e *policy.Exact) { e.Statement = nil },
		"digest":    func(e *policy.Exact) { e.Digest = "" },
		"sha512":    func(e *policy.Exact) { e.Digest = "sha512:" + strings.Repeat("a1", 64) },
		"bare hex":  func(e *policy.Exact) { e.Digest = strings.Repeat("a1", 32) },
	} {
		t.Run(name, func(t *testing.T) {
			e := s.exact
			change(&e)
			if _, err := e.Check(honest); err == nil {
				t.Error("accepted")
			}
		})
	}
}
