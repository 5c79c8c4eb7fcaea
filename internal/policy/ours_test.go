package policy_test

import (
	"testing"

	"github.com/taglast/taglast/internal/policy"
	"github.com/taglast/taglast/internal/sandbox"
)

func TestOursAcceptsWhatThisRepositoryPublished(t *testing.T) {
	const shared = "acme/workflows/.github/workflows/release.yml@refs/heads/main"
	for _, c := range []struct {
		name   string
		signed sandbox.Identity // who signed
		run    sandbox.Identity // who asks
		ours   bool
	}{
		{"its own workflow", sandbox.Identity{}, sandbox.Identity{}, true},
		{"another commit and run", sandbox.Identity{SHA: "1111111111111111111111111111111111111111", RunID: "77"}, sandbox.Identity{}, true},
		{"a reusable workflow of another repository", sandbox.Identity{JobWorkflowRef: shared}, sandbox.Identity{JobWorkflowRef: shared}, true},
		{"another repository's reusable workflow than ours", sandbox.Identity{JobWorkflowRef: shared}, sandbox.Identity{}, false},
		{"its own workflow, where ours is another repository's", sandbox.Identity{}, sandbox.Identity{JobWorkflowRef: shared}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, c.signed)
			b := parsed(t, w.sign(statement(t, predicate(w.claims()), digestA)))
			asking := newWorld(t, c.run).claims()
			_, err := policy.Ours(asking, server, w.trusted).Check(b, "sha256", rawDigest(t, digestA))
			if (err == nil) != c.ours {
				t.Errorf("got %v", err)
			}
			asking.Repository = "acme/other"
			if _, err := policy.Ours(asking, server, w.trusted).Check(b, "sha256", rawDigest(t, digestA)); err == nil {
				t.Error("another repository's passes for ours")
			}
		})
	}
}

func TestOursKnowsTheHost(t *testing.T) {
	claims := newWorld(t, sandbox.Identity{}).claims()
	claims.Issuer = "https://token.actions.acme.ghe.com"
	for url, host := range map[string]string{
		"": "", "https://github.com": "", "https://acme.ghe.com": "acme.ghe.com", "https://ACME.ghe.com/": "ACME.ghe.com", "https://ghe.com.example": "",
	} {
		c := policy.Ours(claims, url)
		if c.Hostname != host || c.CertOIDCIssuer != claims.Issuer || c.SignerRepo != "" {
			t.Errorf("%q: %+v", url, c)
		}
		if err := c.Validate(); err != nil {
			t.Errorf("%q: %v", url, err)
		}
	}
}
