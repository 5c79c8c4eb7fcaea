//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

const (
	spdxType      = "https://spdx.dev/Document/v2.3"
	cycloneDXType = "https://cyclonedx.org/bom"
)

// spdxFile is an SPDX document of one platform.
func spdxFile(arch string) string {
	return fmt.Sprintf(`{"spdxVersion":"SPDX-2.3","dataLicense":"CC0-1.0","SPDXID":"SPDXRef-DOCUMENT","name":%q,`+
		`"documentNamespace":"https://example.com/sbom/%[1]s","creationInfo":{"created":"2026-03-04T05:06:07Z","creators":["Tool: test"]}}`, arch)
}

// cycloneDXFile is a CycloneDX document of one platform.
func cycloneDXFile(arch string) string {
	return fmt.Sprintf(`{"bomFormat":"CycloneDX","specVersion":"1.6","version":1,"metadata":{"component":{"type":"container","name":%q}}}`, "app-"+arch)
}

// An SBOM is an attestation of each platform's manifest that gh and cosign accept, wherever it comes from, and BuildKit's
// own unsigned one is no longer in the index.
func TestEveryPlatformsSBOMIsAccepted(t *testing.T) {
	for _, c := range []struct {
		name    string
		sbom    string
		source  string
		arrange func(t *testing.T, b *builder, dir string)
		kind    string
		cosign  string // what cosign calls it: its spdxjson is SPDX without a version, which nobody else writes
		says    string // stands in the document of linux/arm64 alone
	}{
		{
			"an SPDX file for each platform", `{path: "sbom/{{arch}}.spdx.json"}`, "dockerfile: Dockerfile",
			func(t *testing.T, _ *builder, dir string) {
				writeFiles(t, dir, map[string]string{"sbom/amd64.spdx.json": spdxFile("amd64"), "sbom/arm64.spdx.json": spdxFile("arm64")})
			},
			spdxType, spdxType, "https://example.com/sbom/arm64",
		},
		{
			"a CycloneDX file for each platform", `{path: "sbom/{{os}}-{{arch}}.json"}`, "dockerfile: Dockerfile",
			func(t *testing.T, _ *builder, dir string) {
				writeFiles(t, dir, map[string]string{"sbom/linux-amd64.json": cycloneDXFile("amd64"), "sbom/linux-arm64.json": cycloneDXFile("arm64")})
			},
			cycloneDXType, "cyclonedx", "app-arm64",
		},
		{"BuildKit's scanner", "true", "dockerfile: Dockerfile", func(*testing.T, *builder, string) {}, spdxType, spdxType, "/arm64.txt"},
		{
			"what BuildKit left in a layout", "true", "oci: dist/app",
			func(t *testing.T, b *builder, dir string) {
				out := b.buildx(t, dir, "build", "--platform", "linux/amd64,linux/arm64", "--attest", "type=sbom", "--attest", "type=provenance,mode=max",
					"--output", "type=oci,dest=dist/app,tar=false", ".")
				if out.code != 0 {
					t.Fatalf("buildx: %s", out)
				}
			},
			spdxType, spdxType, "/arm64.txt",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, b := builders(t)
			pushBases(t) // and the scanner
			j, dir := release(), t.TempDir()
			p := s.public("acme/" + secret("sbom-"))
			writeFiles(t, dir, map[string]string{
				"Dockerfile": "FROM scratch\nARG TARGETARCH\nCOPY ${TARGETARCH}.txt /\n", "amd64.txt": "amd64", "arm64.txt": "arm64",
				"taglast.yaml": fmt.Sprintf("repositories: [%s]\nplatforms: [linux/amd64, linux/arm64]\ntags: [1.2.3]\n"+
					"images:\n  - {name: app, sbom: %s, source: {%s}}\n", strings.Join(p.repositories, ", "), c.sbom, c.source),
			})
			c.arrange(t, b, dir)
			out, r := s.publishIn(t, append(s.stepEnviron(t, j), b.environ...), dir)
			if out.code != 0 || len(r.Images) != 1 {
				t.Fatalf("publish: %s", out)
			}
			if one := r.Images[0]; len(one.Attestations) != 3 || len(one.Platforms) != 2 {
				t.Errorf("the report has %d attestations of %d platforms, want 3 of 2", len(one.Attestations), len(one.Platforms))
			}
			checkPlainIndex(t, p.loopback[0]+":1.2.3")
			for _, platform := range r.Images[0].Platforms {
				arch := strings.TrimPrefix(platform.Platform, "linux/")
				bundle := filepath.Join(dir, "taglast-out", "app.linux-"+arch+".sbom.sigstore.json")
				s.checkSBOM(t, j, p, platform.Digest, bundle, c.kind, c.cosign)
				if gh := s.gh(t, "oci://"+p.repositories[0]+"@"+platform.Digest, "-R", j.Repository); gh.code != 0 {
					t.Errorf("gh on the provenance of %s: %s", platform.Platform, gh)
				}
				var statement struct {
					PredicateType string
					Predicate     json.RawMessage
				}
				payload(t, bundle, &statement)
				if statement.PredicateType != c.kind || (arch == "arm64") != strings.Contains(string(statement.Predicate), c.says) {
					t.Errorf("%s: the SBOM is %s: %s", platform.Platform, statement.PredicateType, statement.Predicate)
				}
			}
			// A second attempt reuses all three.
			j.RunAttempt = "2"
			mark := s.gateway.mark()
			if out, r = s.publishIn(t, append(s.stepEnviron(t, j), b.environ...), dir); out.code != 0 {
				t.Fatalf("second attempt: %s", out)
			}
			for _, a := range r.Images[0].Attestations {
				if !a.Reused {
					t.Errorf("the second attempt signed %s of %s again", a.PredicateType, a.Subject)
				}
			}
			for _, e := range s.gateway.since(mark) {
				if e.writes() && !e.probe() {
					t.Errorf("the second attempt wrote: %s", e)
				}
			}
		})
	}
}

// checkSBOM asks gh, taglast and cosign, by the platform's digest; the index has no SBOM.
func (s *stack) checkSBOM(t *testing.T, j job, p place, digest, bundle, kind, cosignKind string) {
	t.Helper()
	for i, repository := range p.repositories {
		ref := "oci://" + repository + "@" + digest
		for _, args := range [][]string{{ref}, {ref, "-b", bundle}} {
			args = append(args, "-R", j.Repository, "--predicate-type", kind)
			if gh := s.gh(t, args...); gh.code != 0 {
				t.Errorf("gh %v: %s", args, gh)
			}
			if ours := s.verify(t, args...); ours.code != 0 {
				t.Errorf("taglast %v: %s", args, ours)
			}
		}
		_, raw := resolve(t, p.loopback[i]+"@"+digest)
		manifest := write(t, t.TempDir(), "manifest.json", raw)
		if c := s.cosignType(t, cosignKind, bundle, j.identity(), manifest); c.code != 0 {
			t.Errorf("cosign on %s: %s", ref, c)
		}
	}
	if gh := s.gh(t, "oci://"+p.repositories[0]+":1.2.3", "-b", bundle, "-R", j.Repository, "--predicate-type", kind); gh.code == 0 {
		t.Error("gh accepts the SBOM of a platform for the index")
	}
}

// checkPlainIndex finds the two platforms in an index, and nothing else.
func checkPlainIndex(t *testing.T, ref string) {
	t.Helper()
	_, raw := resolve(t, ref)
	var index struct {
		Manifests []struct {
			Platform struct{ OS, Architecture string }
		}
	}
	if err := json.Unmarshal(raw, &index); err != nil {
		t.Fatal(err)
	}
	for _, m := range index.Manifests {
		if m.Platform.OS != "linux" {
			t.Errorf("the index has an entry for %s/%s", m.Platform.OS, m.Platform.Architecture)
		}
	}
	if len(index.Manifests) != 2 {
		t.Errorf("the index has %d entries: %s", len(index.Manifests), raw)
	}
}
