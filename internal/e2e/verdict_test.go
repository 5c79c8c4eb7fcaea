//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// A verdict is a question to both programs, in the same words.
type verdict struct {
	name string
	good bool // what gh says; taglast must say the same
	args []string
}

func q(name string, good bool, args ...string) verdict { return verdict{name, good, args} }

// taglast verify and gh attestation verify say the same: zero or not zero.
func TestTaglastAndGHGiveTheSameVerdict(t *testing.T) {
	s := servers(t)
	m := newMaterial(t, s)
	for _, v := range slices.Concat(m.references(), m.identities(), m.sources(), m.bundles(), m.roots()) {
		t.Run(v.name, func(t *testing.T) {
			gh := s.gh(t, v.args...)
			if (gh.code == 0) != v.good {
				t.Errorf("gh says otherwise than this table: %s", gh)
			}
			if ours := s.verify(t, v.args...); (ours.code == 0) != (gh.code == 0) {
				t.Errorf("taglast and gh disagree on %q\ntaglast: %s\ngh: %s", v.args, ours, gh)
			}
		})
	}
}

// Where taglast decides otherwise than gh, and why.
func TestTaglastDeliberatelyDiffersFromGH(t *testing.T) {
	s := servers(t)
	m := newMaterial(t, s)
	pretty := write(t, t.TempDir(), "pretty.json", indented(t, m.root))
	unterminated := write(t, t.TempDir(), "unterminated.json", bytes.TrimSpace(m.root))
	for _, c := range []struct {
		name, because string
		gh, taglast   bool
		args          []string
	}{
		{
			"a signer workflow that is the beginning of the right one", "the name is anchored at its @", true, false,
			[]string{m.tag, "-b", m.file("plain"), "-R", "acme/app", "--signer-workflow", "acme/app/.github/workflows/rel"},
		},
		{
			"an identity without repository or owner", "the identity says whom to trust", false, true,
			[]string{m.tag, "-b", m.file("plain"), "--cert-identity", release().identity()},
		},
		{
			"a trusted root as one indented document", "it is Sigstore's own format", false, true,
			[]string{m.tag, "-b", m.file("plain"), "-R", "acme/app", "--custom-trusted-root", pretty},
		},
		{
			"a trusted root whose line does not end", "the document is whole", false, true,
			[]string{m.tag, "-b", m.file("plain"), "-R", "acme/app", "--custom-trusted-root", unterminated},
		},
		{
			"an image reference without oci://", "an image is what taglast verifies", false, true,
			[]string{strings.TrimPrefix(m.tag, "oci://"), "-b", m.file("plain"), "-R", "acme/app"},
		},
		{
			"an OCI layout on disk", "a dry run leaves one", false, true,
			[]string{m.image.layout(t, t.TempDir()), "-b", m.file("plain"), "-R", "acme/app"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if out := s.gh(t, c.args...); (out.code == 0) != c.gh {
				t.Errorf("gh: %s", out)
			}
			if out := s.verify(t, c.args...); (out.code == 0) != c.taglast {
				t.Errorf("taglast (%s): %s", c.because, out)
			}
		})
	}
}

// references: what is asked about.
func (m *material) references() []verdict {
	repo := []string{"-R", "acme/app"}
	by := func(ref string, more ...string) []string { return append(append([]string{ref}, more...), repo...) }
	b := []string{"-b", m.file("plain")}
	amd64 := m.repository + "@" + m.image.platforms["linux/amd64"]
	return []verdict{
		q("a tag, by bundle", true, by(m.tag, b...)...),
		q("an index digest, by bundle", true, by(m.repository+"@"+m.image.digest, b...)...),
		q("a platform's digest, by bundle", true, by(amd64, b...)...),
		q("a tag, through the API", true, by(m.tag)...),
		q("an index digest, through the API", true, by(m.repository+"@"+m.image.digest)...),
		q("a platform's digest, through the API", true, by(amd64)...),
		q("a tag on Docker Hub", true, by(m.hub, b...)...),
		q("a tag and a digest", true, by(m.tag+"@"+m.image.digest, b...)...),
		q("a tag that is not there", false, by(m.repository+":9.9.9", b...)...),
		q("a repository that is not there", false, by("oci://ghcr.io/acme/nothing:1.2.3", b...)...),
		q("a digest that is not there", false, by(m.repository+"@sha256:"+strings.Repeat("0", 64), b...)...),
		q("a reference that is none", false, by("oci://ghcr.io/acme/UPPER:1.2.3", b...)...),
		q("an image that is not attested, by bundle", false, by(m.otherTag, b...)...),
		q("an image that is not attested, through the API", false, by(m.otherTag)...),
		q("the manifest as a file", true, by(m.manifest, b...)...),
		q("the manifest as a file, through the API", true, by(m.manifest)...),
		q("another file", false, by(m.trusted, b...)...),
		q("a file that is not there", false, by("./nothing", b...)...),
		q("bundles in the registry, with the referrers API", true, by(m.hub, "--bundle-from-oci")...),
		q("bundles in the registry, with the fallback tag", true, by(m.tag, "--bundle-from-oci")...),
		q("bundles in the registry that has none", false, by(m.otherTag, "--bundle-from-oci")...),
		q("bundles in the registry, of a file", false, by(m.manifest, "--bundle-from-oci")...),
		q("bundles in the registry and by bundle at once", false, by(m.tag, "--bundle-from-oci", "-b", m.file("plain"))...),
		q("results as JSON", true, by(m.tag, "-b", m.file("plain"), "--format", "json")...),
	}
}

// identities: who signed.
func (m *material) identities() []verdict {
	of := func(bundle string, more ...string) []string {
		return append([]string{m.tag, "-b", m.file(bundle)}, more...)
	}
	san, workflow := release().identity(), "acme/app/.github/workflows/release.yml"
	return []verdict{
		q("the repository", true, of("plain", "-R", "acme/app")...),
		q("the repository in other case", true, of("plain", "-R", "ACME/App")...),
		q("the repository in other case, through the API", true, m.tag, "-R", "ACME/App"),
		q("another repository of the owner", false, of("plain", "-R", "acme/other")...),
		q("another repository, through the API", false, m.tag, "-R", "acme/other"),
		q("a repository whose name begins like it", false, of("plain", "-R", "acme/ap")...),
		q("a repository without owner", false, of("plain", "-R", "app")...),
		q("a repository with too many parts", false, of("plain", "-R", "acme/app/x")...),
		q("the owner", true, of("plain", "-o", "acme")...),
		q("the owner in other case, through the API", true, m.tag, "-o", "Acme"),
		q("another owner", false, of("plain", "-o", "octo")...),
		q("an owner whose name begins like it", false, of("plain", "-o", "acm")...),
		q("owner and repository at once", false, of("plain", "-o", "acme", "-R", "acme/app")...),
		q("neither owner nor repository nor identity", false, of("plain")...),
		q("the signer workflow", true, of("plain", "-R", "acme/app", "--signer-workflow", workflow)...),
		q("the signer workflow with its host", true, of("plain", "-R", "acme/app", "--signer-workflow", "github.com/"+workflow)...),
		q("the signer workflow with its ref", true, of("plain", "-R", "acme/app", "--signer-workflow", workflow+"@refs/tags/v1.2.3")...),
		q("the signer workflow at another ref", false, of("plain", "-R", "acme/app", "--signer-workflow", workflow+"@refs/heads/main")...),
		q("the signer workflow in other case", false, of("plain", "-R", "acme/app", "--signer-workflow", "acme/app/.github/workflows/Release.yml")...),
		q("the signer workflow with a dot for a slash", false, of("plain", "-R", "acme/app", "--signer-workflow", "acme/app/xgithub/workflows/release.yml")...),
		q("the signer workflow of another host", false, of("plain", "-R", "acme/app", "--signer-workflow", "example.com/"+workflow)...),
		q("the signer repository", true, of("plain", "-R", "acme/app", "--signer-repo", "Acme/App")...),
		q("another signer repository", false, of("plain", "-R", "acme/app", "--signer-repo", "acme/shared")...),
		q("a reusable workflow, by the repository alone", false, of("reusable", "-R", "acme/app")...),
		q("a reusable workflow, by the owner alone", true, of("reusable", "-o", "acme")...),
		q("a reusable workflow, by its repository", true, of("reusable", "-R", "acme/app", "--signer-repo", "acme/shared")...),
		q("a reusable workflow, by name", true, of("reusable", "-R", "acme/app", "--signer-workflow", "acme/shared/.github/workflows/build.yml")...),
		q("a reusable workflow, as if it were the source", false, of("reusable", "-R", "acme/shared")...),
		q("a reusable workflow of another owner, by the owner", false, of("foreign", "-o", "acme")...),
		q("a reusable workflow of another owner, by name", true, of("foreign", "-o", "acme", "--signer-workflow", "octo/build/.github/workflows/b.yml")...),
		q("the exact identity", true, of("plain", "-R", "acme/app", "--cert-identity", san)...),
		q("the exact identity in other case", false, of("plain", "-R", "acme/app", "--cert-identity", strings.ToUpper(san))...),
		q("the exact identity, but another repository", false, of("plain", "-R", "acme/other", "--cert-identity", san)...),
		q("half an identity", false, of("plain", "-R", "acme/app", "--cert-identity", san[:len(san)-1])...),
		q("a pattern", true, of("plain", "-R", "acme/app", "--cert-identity-regex", `release\.yml@refs/tags/v\d`)...),
		q("a pattern by its short name", true, of("plain", "-R", "acme/app", "-i", `^https://github\.com/acme/`)...),
		q("a pattern that does not match", false, of("plain", "-R", "acme/app", "--cert-identity-regex", `refs/heads/`)...),
		q("a pattern that is none", false, of("plain", "-R", "acme/app", "--cert-identity-regex", `(`)...),
		q("two kinds of identity at once", false, of("plain", "-R", "acme/app", "--cert-identity", san, "--signer-repo", "acme/app")...),
	}
}

// sources: out of what, how and where it was signed.
func (m *material) sources() []verdict {
	of := func(bundle string, more ...string) []string {
		return append([]string{m.tag, "-b", m.file(bundle), "-R", "acme/app"}, more...)
	}
	j := release()
	return []verdict{
		q("the source ref", true, of("plain", "--source-ref", j.Ref)...),
		q("another source ref", false, of("plain", "--source-ref", "refs/heads/main")...),
		q("the source digest", true, of("plain", "--source-digest", j.SHA)...),
		q("the source digest in capitals", true, of("plain", "--source-digest", strings.ToUpper(j.SHA))...),
		q("another source digest", false, of("plain", "--source-digest", strings.Repeat("0", 40))...),
		q("the signer digest", true, of("plain", "--signer-digest", j.SHA)...),
		q("another signer digest", false, of("plain", "--signer-digest", strings.Repeat("0", 40))...),
		q("the signer digest of a reusable workflow", true, of("reusable", "--signer-repo", "acme/shared", "--signer-digest", strings.Repeat("cd34", 10))...),
		q("a hosted runner, where it must be", true, of("plain", "--deny-self-hosted-runners")...),
		q("a self-hosted runner", true, of("selfhosted")...),
		q("a self-hosted runner, where it must not be", false, of("selfhosted", "--deny-self-hosted-runners")...),
		q("the issuer", true, of("plain", "--cert-oidc-issuer", actionsIssuer)...),
		q("another issuer", false, of("plain", "--cert-oidc-issuer", "https://accounts.example.com")...),
		q("an enterprise's own issuer, unasked", false, of("enterprise")...),
		q("an enterprise's own issuer", true, of("enterprise", "--cert-oidc-issuer", actionsIssuer+"/octocorp")...),
		q("the predicate type", true, of("plain", "--predicate-type", provenanceType)...),
		q("another predicate type", false, of("plain", "--predicate-type", sbomType)...),
		q("another predicate type, through the API", false, m.tag, "-R", "acme/app", "--predicate-type", "https://example.com/none"),
		q("an SBOM, unasked", false, of("sbom")...),
		q("an SBOM", true, of("sbom", "--predicate-type", sbomType)...),
		q("an SBOM, through the API", true, m.tag, "-R", "acme/app", "--predicate-type", sbomType),
		q("a payload that is no statement", false, of("text")...),
		q("the host", true, of("plain", "--hostname", "github.com")...),
		q("a host without attestations", false, of("plain", "--hostname", "github.example.com")...),
		q("a limit of nothing", false, m.tag, "-R", "acme/app", "--limit", "0"),
		q("a limit of one, through the API", true, m.tag, "-R", "acme/app", "--limit", "1"),
		q("a limit of too much", false, m.tag, "-R", "acme/app", "--limit", "1001"),
	}
}

// bundles: the file that is given.
func (m *material) bundles() []verdict {
	var out []verdict
	add := func(name string, good bool, file string) {
		out = append(out, q(name, good, m.tag, "-R", "acme/app", "-b", file))
	}
	lines := func(names ...string) []byte {
		var all []byte
		for _, n := range names {
			all = append(append(all, m.bundle[n]...), '\n')
		}
		return all
	}
	add("JSON lines, one of them good", true, m.write("good.jsonl", lines("sbom", "selfhosted", "plain")))
	add("JSON lines, none of them good", false, m.write("bad.jsonl", lines("sbom", "other")))
	add("JSON lines, one of another subject and one good", true, m.write("two.jsonl", lines("other", "plain")))
	add("JSON lines, one of them garbage", false, m.write("garbage.jsonl", append(lines("plain"), "{]\n"...)))
	add("JSON lines without any", false, m.write("empty.jsonl", nil))
	add("a bundle of another digest", false, m.file("other"))
	add("a file that is no bundle", false, m.write("none.json", []byte(`{"a":1}`)))
	add("an empty file", false, m.write("empty.json", nil))
	add("a bundle that is not there", false, m.dir+"/nothing.json")
	for _, c := range []struct {
		name   string
		good   bool
		change func(map[string]any)
	}{
		{"another signature", false, func(b map[string]any) {
			at(b, "dsseEnvelope", "signatures", 0)["sig"] = flip(m.t, at(b, "dsseEnvelope", "signatures", 0)["sig"].(string))
		}},
		{"another payload", false, func(b map[string]any) {
			at(b, "dsseEnvelope")["payload"] = m.payloadOf("other")
		}},
		{"another payload type", false, func(b map[string]any) { at(b, "dsseEnvelope")["payloadType"] = "application/json" }},
		{"two signatures", false, func(b map[string]any) {
			e := at(b, "dsseEnvelope")
			e["signatures"] = append(e["signatures"].([]any), at(b, "dsseEnvelope", "signatures", 0))
		}},
		{"no signature", false, func(b map[string]any) { at(b, "dsseEnvelope")["signatures"] = []any{} }},
		{"the certificate of another run", false, func(b map[string]any) {
			at(b, "verificationMaterial")["certificate"] = at(m.parsed("other"), "verificationMaterial", "certificate")
		}},
		{"the log entry of another bundle", false, func(b map[string]any) {
			at(b, "verificationMaterial")["tlogEntries"] = at(m.parsed("other"), "verificationMaterial")["tlogEntries"]
		}},
		{"no log entry", false, func(b map[string]any) { delete(at(b, "verificationMaterial"), "tlogEntries") }},
		{"no inclusion proof", false, func(b map[string]any) {
			delete(at(b, "verificationMaterial", "tlogEntries", 0), "inclusionProof")
		}},
		{"another log index", false, func(b map[string]any) {
			at(b, "verificationMaterial", "tlogEntries", 0)["logIndex"] = "99999"
		}},
		{"another integrated time", false, func(b map[string]any) {
			at(b, "verificationMaterial", "tlogEntries", 0)["integratedTime"] = "1700000000"
		}},
		{"no timestamp, but the log's time", true, func(b map[string]any) {
			delete(at(b, "verificationMaterial"), "timestampVerificationData")
		}},
		{"the timestamp of another bundle, but the log's time", true, func(b map[string]any) {
			at(b, "verificationMaterial")["timestampVerificationData"] = at(m.parsed("other"), "verificationMaterial", "timestampVerificationData")
		}},
		{"media type of version 0.1", false, func(b map[string]any) { b["mediaType"] = "application/vnd.dev.sigstore.bundle+json;version=0.1" }},
		{"media type of a version that is not known", false, func(b map[string]any) { b["mediaType"] = "application/vnd.dev.sigstore.bundle.v9.9+json" }},
		{"no media type", false, func(b map[string]any) { delete(b, "mediaType") }},
		{"a field that is not known", false, func(b map[string]any) { b["extra"] = true }},
	} {
		b := m.parsed("plain")
		c.change(b)
		raw, err := json.Marshal(b)
		if err != nil {
			m.t.Fatal(err)
		}
		add("a bundle with "+c.name, c.good, m.write(fmt.Sprintf("changed-%d.sigstore.json", len(out)), raw))
	}
	return out
}

// roots: whom the consumer trusts.
func (m *material) roots() []verdict {
	var out []verdict
	add := func(name string, good bool, content []byte) {
		out = append(out, q("a trusted root "+name, good, m.tag, "-R", "acme/app", "-b", m.file("plain"),
			"--custom-trusted-root", m.write(fmt.Sprintf("root-%d.jsonl", len(out)), content)))
	}
	without := func(key string) []byte { return m.rootWith(func(r map[string]any) { delete(r, key) }) }
	add("of another authority", false, m.foreignRoot("Elsewhere"))
	add("of another authority by the same name", false, m.foreignRoot(organization))
	add("of another authority, then ours", true, append(m.foreignRoot("Elsewhere"), m.root...))
	add("of another authority by the same name, then ours", false, append(m.foreignRoot(organization), m.root...))
	add("twice", true, append(slices.Clone(m.root), m.root...))
	add("without the log", false, without("tlogs"))
	add("without the certificate log", false, without("ctlogs"))
	add("without the timestamp authority, but the log's time", true, without("timestampAuthorities"))
	add("without a certificate authority", false, without("certificateAuthorities"))
	add("that was valid before", false, m.rootWith(func(r map[string]any) {
		at(r, "certificateAuthorities", 0)["validFor"] = map[string]any{"start": "2020-01-01T00:00:00Z", "end": "2021-01-01T00:00:00Z"}
	}))
	add("that is no JSON", false, []byte("{]\n"))
	add("that is empty", false, nil)
	return append(out, q("a trusted root that is not there", false, m.tag, "-R", "acme/app", "-b", m.file("plain"),
		"--custom-trusted-root", m.dir+"/nothing.jsonl"))
}
