package policy_test

import (
	"bytes"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"strings"
	"testing"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/testing/data"
	"google.golang.org/protobuf/proto"

	"github.com/taglast/taglast/internal/policy"
	"github.com/taglast/taglast/internal/provenance"
	"github.com/taglast/taglast/internal/sandbox"
)

func parsePublicKey(text string) (any, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("no PEM block")
	}
	return x509.ParsePKIXPublicKey(block.Bytes)
}

func rawDigest(t *testing.T, s string) []byte {
	t.Helper()
	raw, err := hex.DecodeString(strings.TrimPrefix(s, "sha256:"))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// job is the one whose bundle consumers look at: a reusable workflow, so that signer and source differ.
var job = sandbox.Identity{
	JobWorkflowRef: "acme/shared/.github/workflows/publish.yml@refs/heads/main", JobWorkflowSHA: strings.Repeat("c", 40),
}

// verdicts are what `gh attestation verify` v2.100.0 says of that bundle under these flags, measured; differs where
// taglast is stricter on purpose.
var verdicts = []struct {
	name    string
	flags   policy.Consumer
	accepts bool
	differs string
}{
	{"repository alone: the signer is elsewhere", policy.Consumer{Repo: "acme/app"}, false, ""},
	{"owner", policy.Consumer{Owner: "acme"}, true, ""},
	{"owner in capitals", policy.Consumer{Owner: "ACME"}, true, ""},
	{"the beginning of an owner's name", policy.Consumer{Owner: "acm"}, false, ""},
	{"another owner", policy.Consumer{Owner: "evil"}, false, ""},
	{"another owner with the right signer", policy.Consumer{Owner: "evil", SignerRepo: "acme/shared"}, false, ""},
	{"signing repository", policy.Consumer{Repo: "acme/app", SignerRepo: "acme/shared"}, true, ""},
	{"signing repository in capitals", policy.Consumer{Repo: "Acme/App", SignerRepo: "ACME/Shared"}, true, ""},
	{"the beginning of a signing repository's name", policy.Consumer{Repo: "acme/app", SignerRepo: "acme/share"}, false, ""},
	{"another signing repository", policy.Consumer{Repo: "acme/app", SignerRepo: "acme/app"}, false, ""},
	{"another source repository", policy.Consumer{Repo: "acme/other", SignerRepo: "acme/shared"}, false, ""},
	{"signing workflow", policy.Consumer{Repo: "acme/app", SignerWorkflow: "acme/shared/.github/workflows/publish.yml"}, true, ""},
	{"signing workflow with host", policy.Consumer{Repo: "acme/app", SignerWorkflow: "github.com/acme/shared/.github/workflows/publish.yml"}, true, ""},
	{"signing workflow with ref", policy.Consumer{Repo: "acme/app", SignerWorkflow: "acme/shared/.github/workflows/publish.yml@refs/heads/main"}, true, ""},
	{"signing workflow with another ref", policy.Consumer{Repo: "acme/app", SignerWorkflow: "acme/shared/.github/workflows/publish.yml@refs/heads/dev"}, false, ""},
	{"signing workflow with the beginning of a ref", policy.Consumer{Repo: "acme/app", SignerWorkflow: "acme/shared/.github/workflows/publish.yml@refs/heads/ma"}, false, "gh takes a prefix"},
	{"the beginning of a signing workflow's name", policy.Consumer{Repo: "acme/app", SignerWorkflow: "acme/shared/.github/workflows/publish"}, false, "gh takes a prefix"},
	{"signing workflow in capitals", policy.Consumer{Repo: "acme/app", SignerWorkflow: "ACME/shared/.github/workflows/publish.yml"}, false, ""},
	{"signing workflow with a dot for any letter", policy.Consumer{Repo: "acme/app", SignerWorkflow: "acme/shared/.github/workflows/publish.y.l"}, false, ""},
	{"signing workflow on another host", policy.Consumer{Repo: "acme/app", SignerWorkflow: "example.com/acme/shared/.github/workflows/publish.yml"}, false, ""},
	{"identity", policy.Consumer{Repo: "acme/app", CertIdentity: "https://github.com/acme/shared/.github/workflows/publish.yml@refs/heads/main"}, true, ""},
	{"identity in capitals", policy.Consumer{Repo: "acme/app", CertIdentity: "https://github.com/ACME/shared/.github/workflows/publish.yml@refs/heads/main"}, false, ""},
	{"the beginning of an identity", policy.Consumer{Repo: "acme/app", CertIdentity: "https://github.com/acme/shared/.github/workflows/publish.yml"}, false, ""},
	{"identity by expression", policy.Consumer{Owner: "acme", CertIdentityRegex: `^https://github\.com/acme/.*@refs/heads/main$`}, true, ""},
	{"identity by expression, not anchored", policy.Consumer{Owner: "acme", CertIdentityRegex: `shared`}, true, ""},
	{"another identity by expression", policy.Consumer{Owner: "acme", CertIdentityRegex: `^https://github\.com/evil/`}, false, ""},
	{"signer's commit", policy.Consumer{Owner: "acme", SignerDigest: strings.Repeat("c", 40)}, true, ""},
	{"signer's commit in capitals", policy.Consumer{Owner: "acme", SignerDigest: strings.Repeat("C", 40)}, true, ""},
	{"another commit of the signer", policy.Consumer{Owner: "acme", SignerDigest: strings.Repeat("a", 40)}, false, ""},
	{"source's commit", policy.Consumer{Owner: "acme", SourceDigest: strings.Repeat("a", 40)}, true, ""},
	{"another commit of the source", policy.Consumer{Owner: "acme", SourceDigest: strings.Repeat("c", 40)}, false, ""},
	{"source ref", policy.Consumer{Owner: "acme", SourceRef: "refs/tags/v1.2.3"}, true, ""},
	{"source ref in capitals", policy.Consumer{Owner: "acme", SourceRef: "refs/tags/V1.2.3"}, true, ""},
	{"the beginning of a source ref", policy.Consumer{Owner: "acme", SourceRef: "refs/tags/v1.2"}, false, ""},
	{"another source ref", policy.Consumer{Owner: "acme", SourceRef: "refs/heads/main"}, false, ""},
	{"issuer", policy.Consumer{Owner: "acme", CertOIDCIssuer: "https://token.actions.githubusercontent.com"}, true, ""},
	{"issuer in capitals", policy.Consumer{Owner: "acme", CertOIDCIssuer: "HTTPS://token.actions.githubusercontent.com"}, true, ""},
	{"an enterprise's issuer", policy.Consumer{Owner: "acme", CertOIDCIssuer: "https://token.actions.githubusercontent.com/acme"}, false, ""},
	{"no self-hosted runners", policy.Consumer{Owner: "acme", DenySelfHosted: true}, true, ""},
	{"predicate type", policy.Consumer{Owner: "acme", PredicateType: "https://slsa.dev/provenance/v1"}, true, ""},
	{"another predicate type", policy.Consumer{Owner: "acme", PredicateType: "https://spdx.dev/Document/v2.3"}, false, ""},
	{"predicate type in capitals", policy.Consumer{Owner: "acme", PredicateType: "https://slsa.dev/Provenance/v1"}, false, ""},
	{"hostname", policy.Consumer{Owner: "acme", Hostname: "github.com"}, true, ""},
	{"everything at once", policy.Consumer{
		Repo: "acme/app", SignerWorkflow: "acme/shared/.github/workflows/publish.yml", SignerDigest: strings.Repeat("c", 40),
		SourceRef: "refs/tags/v1.2.3", SourceDigest: strings.Repeat("a", 40), DenySelfHosted: true,
	}, true, ""},
}

func TestConsumerSaysWhatGhSays(t *testing.T) {
	w := newWorld(t, job)
	b := parsed(t, w.sign(statement(t, predicate(w.claims()), digestA, digestB)))
	for _, tt := range verdicts {
		t.Run(tt.name, func(t *testing.T) {
			c := tt.flags
			c.Trusted = []root.TrustedMaterial{w.trusted}
			for _, digest := range []string{digestA, digestB} {
				if _, err := c.Check(b, "sha256", rawDigest(t, digest)); (err == nil) != tt.accepts {
					t.Errorf("%s: %v", digest[:9], err)
				}
			}
			if _, err := c.Check(b, "sha256", bytes.Repeat([]byte{7}, 32)); err == nil {
				t.Error("accepted for another artifact")
			}
			if _, err := c.Check(b, "sha512", rawDigest(t, digestA)); err == nil {
				t.Error("accepted for a digest of another algorithm")
			}
		})
	}
}

func TestConsumerNeedsNeitherOwnerNorRepositoryWithAnIdentity(t *testing.T) {
	w := newWorld(t, job)
	b := parsed(t, w.sign(statement(t, predicate(w.claims()), digestA)))
	for name, c := range map[string]policy.Consumer{
		"identity":   {CertIdentity: "https://github.com/acme/shared/.github/workflows/publish.yml@refs/heads/main"},
		"expression": {CertIdentityRegex: "^https://github.com/acme/"},
		"workflow":   {SignerWorkflow: "acme/shared/.github/workflows/publish.yml"},
		"repository": {SignerRepo: "acme/shared"},
	} {
		t.Run(name, func(t *testing.T) {
			c.Trusted = []root.TrustedMaterial{w.trusted}
			if _, err := c.Check(b, "sha256", rawDigest(t, digestA)); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestConsumerCanDenySelfHostedRunners(t *testing.T) {
	w := newWorld(t, sandbox.Identity{RunnerEnvironment: "self-hosted"})
	b := parsed(t, w.sign(statement(t, predicate(w.claims()), digestA)))
	c := policy.Consumer{Trusted: []root.TrustedMaterial{w.trusted}, Repo: "acme/app"}
	if _, err := c.Check(b, "sha256", rawDigest(t, digestA)); err != nil {
		t.Error(err)
	}
	c.DenySelfHosted = true
	var mismatch *policy.MismatchError
	if _, err := c.Check(b, "sha256", rawDigest(t, digestA)); !errors.As(err, &mismatch) || mismatch.Got != "self-hosted" {
		t.Errorf("got %v", err)
	}
}

func TestConsumerNamesAnEnterprisesIssuer(t *testing.T) {
	w := newWorld(t, sandbox.Identity{})
	a := newAuthority(t, w, "test")
	b := parsed(t, a.sign(statement(t, predicate(w.claims()), digestA), true))
	c := policy.Consumer{Trusted: []root.TrustedMaterial{a.root(true)}, Repo: "acme/app", CertOIDCIssuer: "https://token.actions"}
	if _, err := c.Check(b, "sha256", rawDigest(t, digestA)); err == nil || strings.Contains(err.Error(), "--cert-oidc-issuer") {
		t.Errorf("a name that only begins alike: %v", err)
	}
	c.CertOIDCIssuer = "https:/"
	if _, err := c.Check(b, "sha256", rawDigest(t, digestA)); err == nil || !strings.Contains(err.Error(), "--cert-oidc-issuer") {
		t.Errorf("an issuer below the expected one: %v", err)
	}
}

// The rules for log and times depend on who issued the certificate.
func TestConsumerRulesByIssuingOrganisation(t *testing.T) {
	withoutLog := func(b *protobundle.Bundle) { b.VerificationMaterial.TlogEntries = nil }
	withoutStamp := func(b *protobundle.Bundle) { b.VerificationMaterial.TimestampVerificationData = nil }
	nothing := func(*protobundle.Bundle) {}
	for _, tt := range []struct {
		name         string
		organisation []string
		logs         bool // in the trusted root
		change       func(*protobundle.Bundle)
		accepts      bool
	}{
		{"GitHub's: a timestamp is enough", []string{"GitHub, Inc."}, false, withoutLog, true},
		{"GitHub's: a log entry is not", []string{"GitHub, Inc."}, true, withoutStamp, false},
		{"GitHub's: both", []string{"GitHub, Inc."}, true, nothing, true},
		{"Sigstore's: without a certificate timestamp", []string{"sigstore.dev"}, true, nothing, false},
		{"another: log and timestamp", []string{"acme"}, true, nothing, true},
		{"another: the log's time is enough", []string{"acme"}, true, withoutStamp, true},
		{"another: a root that knows a log wants an entry", []string{"acme"}, true, withoutLog, false},
		{"another: a root without a log does not", []string{"acme"}, false, withoutLog, true},
		{"another: nobody saw it", []string{"acme"}, false, func(b *protobundle.Bundle) { withoutLog(b); withoutStamp(b) }, false},
		{"two organisations", []string{"acme", "sigstore.dev"}, true, nothing, false},
		{"no organisation", nil, true, nothing, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, sandbox.Identity{})
			a := newAuthority(t, w, tt.organisation...)
			b := a.sign(statement(t, predicate(w.claims()), digestA), true)
			tt.change(b)
			c := policy.Consumer{Trusted: []root.TrustedMaterial{w.trusted, a.root(tt.logs)}, Repo: "acme/app"}
			v, err := c.Check(parsed(t, b), "sha256", rawDigest(t, digestA))
			if (err == nil) != tt.accepts {
				t.Errorf("%v", err)
			}
			if tt.accepts && tt.organisation[0] == "GitHub, Inc." && v.LogIndex != -1 {
				t.Errorf("index %d of an entry that was not verified", v.LogIndex)
			}
		})
	}
}

func TestConsumerUsesTheFirstRootOfTheIssuerAlone(t *testing.T) {
	w := newWorld(t, sandbox.Identity{})
	ours, theirs := newAuthority(t, w, "acme"), newAuthority(t, w, "acme")
	b := parsed(t, ours.sign(statement(t, predicate(w.claims()), digestA), true))
	for _, tt := range []struct {
		name    string
		roots   []root.TrustedMaterial
		accepts bool
	}{
		{"none", nil, false},
		{"another organisation's", []root.TrustedMaterial{w.trusted}, false},
		{"behind another organisation's", []root.TrustedMaterial{w.trusted, ours.root(true)}, true},
		{"before one of the same name", []root.TrustedMaterial{ours.root(true), theirs.root(true)}, true},
		{"behind one of the same name", []root.TrustedMaterial{theirs.root(true), ours.root(true)}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := policy.Consumer{Trusted: tt.roots, Repo: "acme/app"}
			if _, err := c.Check(b, "sha256", rawDigest(t, digestA)); (err == nil) != tt.accepts {
				t.Errorf("%v", err)
			}
		})
	}
}

// A real attestation of Sigstore's public-good instance: npm's sigstore 2.0.0, in the chain form of older bundles.
func TestConsumerVerifiesARealPublicGoodBundle(t *testing.T) {
	b := proto.CloneOf(data.Bundle(t, "sigstore.js@2.0.0-provenance.sigstore.json").Bundle)
	b.MediaType = "application/vnd.dev.sigstore.bundle+json;version=0.2"
	older := parsed(t, b)
	trusted := data.TrustedRoot(t, "public-good.json")
	digest, err := hex.DecodeString("46d4e2f74c4877316640000a6fdf8a8b59f1e0847667973e9859f774dd31b8f1e0937813b777fb66a2ac67d50540fe34640966eee9fc2ccca387082b4c85cd3c")
	if err != nil {
		t.Fatal(err)
	}
	c := policy.Consumer{Trusted: []root.TrustedMaterial{trusted}, Repo: "sigstore/sigstore-js"}
	v, err := c.Check(older, "sha512", digest)
	if err != nil {
		t.Fatal(err)
	}
	if v.PredicateType != provenance.PredicateType || v.LogIndex <= 0 || len(v.Times) != 1 {
		t.Errorf("%+v", v)
	}
	c.Repo = "sigstore/cosign"
	if _, err := c.Check(older, "sha512", digest); err == nil {
		t.Error("accepted for another repository")
	}
}

func TestConsumersThatMakeNoSense(t *testing.T) {
	for name, c := range map[string]policy.Consumer{
		"nobody":                            {},
		"a host alone":                      {Hostname: "github.com"},
		"repository and owner":              {Repo: "acme/app", Owner: "acme"},
		"two signers":                       {Repo: "acme/app", SignerRepo: "acme/app", SignerWorkflow: "acme/app/x.yml"},
		"identity twice":                    {CertIdentity: "x", CertIdentityRegex: "x"},
		"repository without owner":          {Repo: "app"},
		"repository with an empty owner":    {Repo: "/app"},
		"repository with an empty name":     {Repo: "acme/"},
		"repository with host":              {Repo: "github.com/acme/app"},
		"owner with repository":             {Owner: "acme/app"},
		"signing repository with a path":    {SignerRepo: "acme/app/x.yml"},
		"signing workflow without path":     {SignerWorkflow: "acme/app"},
		"expression that is none":           {CertIdentityRegex: "("},
		"a server of its own":               {Repo: "acme/app", Hostname: "github.example.com"},
		"a host that only ends like GitHub": {Repo: "acme/app", Hostname: "a.b.ghe.com"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := c.Validate(); !errors.Is(err, policy.ErrUsage) {
				t.Errorf("got %v", err)
			}
			if _, err := c.Check(nil, "sha256", nil); !errors.Is(err, policy.ErrUsage) {
				t.Errorf("check: %v", err)
			}
		})
	}
}

func TestTenantsHaveHostAndIssuerOfTheirOwn(t *testing.T) {
	for _, tt := range []struct {
		name   string
		flags  policy.Consumer
		issuer string
	}{
		{"default", policy.Consumer{Hostname: "acme.ghe.com"}, "https://token.actions.acme.ghe.com"},
		{"default by name", policy.Consumer{Hostname: "ACME.ghe.com", CertOIDCIssuer: "https://token.actions.githubusercontent.com"}, "https://token.actions.acme.ghe.com"},
		{"its own", policy.Consumer{Hostname: "acme.ghe.com", CertOIDCIssuer: "https://oidc.example"}, "https://oidc.example"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, sandbox.Identity{})
			c := tt.flags
			c.CertIdentityRegex = "."
			c.Trusted = []root.TrustedMaterial{w.trusted}
			_, err := c.Check(parsed(t, w.sign(statement(t, predicate(w.claims()), digestA))), "sha256", rawDigest(t, digestA))
			var mismatch *policy.MismatchError
			if !errors.As(err, &mismatch) || mismatch.Want != tt.issuer {
				t.Errorf("got %v, want the issuer %s", err, tt.issuer)
			}
			c.CertIdentityRegex, c.Repo = "", "acme/app"
			if _, err := c.Check(parsed(t, w.sign(statement(t, predicate(w.claims()), digestA))), "sha256", rawDigest(t, digestA)); !errors.As(err, &mismatch) || !strings.HasPrefix(mismatch.Want, "https://acme.ghe.com/") {
				t.Errorf("got %v, want a signer on the tenant's host", err)
			}
		})
	}
}
