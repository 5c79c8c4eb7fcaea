package image_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/taglast/taglast/internal/hint"
	"github.com/taglast/taglast/internal/image"
	"github.com/taglast/taglast/internal/provenance"
	"github.com/taglast/taglast/internal/sbom"
	"github.com/taglast/taglast/pkg/release"
)

const (
	inToto   = "application/vnd.in-toto+json"
	spdxType = "https://spdx.dev/Document" // as BuildKit writes it
	slsa02   = "https://slsa.dev/provenance/v0.2"
	slsa1    = "https://slsa.dev/provenance/v1"
)

func spdxOf(name string) object {
	return object{"spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "name": name}
}

// statement is what BuildKit writes of a predicate about an image that has a name.
func statement(about object, predicateType string, predicate any) object {
	_, hex, _ := strings.Cut(about["digest"].(string), ":")
	return object{
		"_type": "https://in-toto.io/Statement/v1", "predicateType": predicateType, "predicate": predicate,
		"subject": []any{object{"name": "pkg:docker/acme/app@1?platform=linux%2Famd64", "digest": object{"sha256": hex}}},
	}
}

// attested adds BuildKit's attestation manifest about an image, as OCI artifact, with these statements.
func (s store) attested(about object, statements ...object) object {
	layers := []any{}
	for _, one := range statements {
		l := s.document(inToto, one)
		l["annotations"] = object{"in-toto.io/predicate-type": one["predicateType"]}
		layers = append(layers, l)
	}
	empty := s.blob("application/vnd.oci.empty.v1+json", []byte("{}"))
	empty["data"] = "e30="
	d := s.document(ociManifest, object{
		"schemaVersion": 2, "mediaType": ociManifest, "artifactType": "application/vnd.docker.attestation.manifest.v1+json",
		"config": empty, "layers": layers,
		"subject": object{"mediaType": about["mediaType"], "digest": about["digest"], "size": about["size"]},
	})
	d["platform"] = platformOf("unknown/unknown")
	d["annotations"] = object{"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": about["digest"]}
	return d
}

// sboms are the names in the SBOMs of an image, by platform.
func sboms(t *testing.T, b image.Built) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, c := range b.Manifests() {
		if c.SBOM == nil {
			continue
		}
		doc := parse[struct{ Name, BOMFormat string }](t, c.SBOM.Raw)
		out[c.Platform.String()] = doc.Name + doc.BOMFormat + " " + c.SBOM.PredicateType
	}
	return out
}

func TestTheSBOMThatBuildKitLeftIsLifted(t *testing.T) {
	const spdx23 = "https://spdx.dev/Document/v2.3"
	both := map[string]string{"linux/amd64": "amd64 " + spdx23, "linux/arm64": "arm64 " + spdx23}
	for name, c := range map[string]struct {
		layout func(s store, amd, arm object) []object // top levels
		change func(*image.Request)
		want   map[string]string
		kept   int // attestation manifests of the index
	}{
		"from the index": {
			layout: func(s store, amd, arm object) []object {
				return []object{s.index(amd, arm, s.attested(amd, statement(amd, spdxType, spdxOf("amd64"))), s.attested(arm, statement(arm, spdxType, spdxOf("arm64"))))}
			},
			want: both,
		},
		"from an index whose attestations are kept": {
			layout: func(s store, amd, arm object) []object {
				return []object{s.index(amd, arm, s.attested(amd, statement(amd, spdxType, spdxOf("amd64"))), s.attested(arm, statement(arm, spdxType, spdxOf("arm64"))))}
			},
			change: func(r *image.Request) { r.Env.KeepAttestations = true },
			want:   both, kept: 2,
		},
		"where index.json itself lists it": {
			layout: func(s store, amd, arm object) []object {
				return []object{s.attested(amd, statement(amd, spdxType, spdxOf("amd64"))), amd, s.index(arm, s.attested(arm, statement(arm, spdxType, spdxOf("arm64"))))}
			},
			want: both,
		},
		"where the image had no name, and the statement has no subject": {
			layout: func(s store, amd, arm object) []object {
				unnamed := statement(amd, spdxType, spdxOf("amd64"))
				unnamed["subject"] = []any{}
				return []object{s.index(amd, arm, s.attested(amd, unnamed), s.attested(arm, statement(arm, spdxType, spdxOf("arm64"))))}
			},
			want: both,
		},
		"the image's, not those of its stages": {
			layout: func(s store, amd, arm object) []object {
				return []object{s.index(amd, arm,
					s.attested(amd, statement(amd, slsa1, object{"buildDefinition": object{}}), statement(amd, spdxType, spdxOf("amd64")), statement(amd, spdxType, spdxOf("stage"))),
					s.attested(arm, statement(arm, spdxType, spdxOf("arm64"))))}
			},
			want: both,
		},
		"in two formats": {
			layout: func(s store, amd, arm object) []object {
				return []object{s.index(amd, arm,
					s.attested(amd, statement(amd, "https://cyclonedx.org/bom", object{"bomFormat": "CycloneDX", "specVersion": "1.6"})),
					s.attested(arm, statement(arm, spdxType, spdxOf("arm64"))))}
			},
			want: map[string]string{"linux/amd64": "CycloneDX https://cyclonedx.org/bom", "linux/arm64": "arm64 " + spdx23},
		},
		"of an image that labels change": {
			layout: func(s store, amd, arm object) []object {
				return []object{s.index(amd, arm, s.attested(amd, statement(amd, spdxType, spdxOf("amd64"))), s.attested(arm, statement(arm, spdxType, spdxOf("arm64"))))}
			},
			change: func(r *image.Request) { r.Labels = map[string]string{"a": "b"} },
			want:   both,
		},
		"but not where none is asked for": {
			layout: func(s store, amd, arm object) []object {
				return []object{s.index(amd, arm, s.attested(amd, statement(amd, spdxType, object{"not": "an SBOM"})))}
			},
			change: func(r *image.Request) { r.SBOM = release.SBOM{} },
			want:   map[string]string{},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := store{}
			amd, arm := s.image("linux/amd64"), s.image("linux/arm64")
			s.tops(c.layout(s, amd, arm)...)
			dir := t.TempDir()
			s.writeDir(t, dir)
			r := image.Request{Name: "app", Source: oci(dir), SBOM: release.SBOM{FromBuild: true}}
			if c.change != nil {
				c.change(&r)
			}
			b, err := image.Build(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			if got := sboms(t, b); !cmp.Equal(got, c.want) {
				t.Errorf("SBOMs are %v, want %v", got, c.want)
			}
			if got := len(b.Manifests()) - 2; got != c.kept {
				t.Errorf("%d attestation manifests are in the index, want %d", got, c.kept)
			}
		})
	}
}

func TestTheSBOMOfMatrixJobsIsLifted(t *testing.T) {
	s := store{}
	amd, arm := s.image("linux/amd64"), s.image("linux/arm64")
	reg, r := digestsOf(t, s,
		s.index(amd, s.attested(amd, statement(amd, spdxType, spdxOf("amd64")))),
		s.index(arm, s.attested(arm, statement(arm, spdxType, spdxOf("arm64")))))
	r.SBOM.FromBuild = true
	b, err := buildFrom(t, reg, r)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"linux/amd64": "amd64 https://spdx.dev/Document/v2.3", "linux/arm64": "arm64 https://spdx.dev/Document/v2.3"}
	if got := sboms(t, b); !cmp.Equal(got, want) {
		t.Errorf("SBOMs are %v, want %v", got, want)
	}
}

func TestAnSBOMThatCannotBeLifted(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(s store, amd object) object // an attestation manifest, nil for none
		want string
		hint string
	}{
		"is missing": {
			func(s store, amd object) object { return s.attested(amd, statement(amd, slsa1, object{})) },
			"the index has no SBOM for linux/amd64, linux/arm64", "--sbom=true",
		},
		"is missing with all attestations": {func(store, object) object { return nil }, "the index has no SBOM for linux/amd64, linux/arm64", "`sbom: {path: …}`"},
		"is about another image": {
			func(s store, amd object) object {
				other := s.image("linux/s390x")
				return s.attested(amd, statement(other, spdxType, spdxOf("x")))
			}, "it is about other things than sha256:", "",
		},
		"is listed as something else": {
			func(s store, amd object) object {
				one := statement(amd, spdxType, spdxOf("x"))
				a := s.attested(amd, one)
				raw := strings.Replace(string(s[blobOf(a)]), `"in-toto.io/predicate-type":"https://spdx.dev/Document"`, `"in-toto.io/predicate-type":"https://spdx.dev/Document/v2.2"`, 1)
				return rewritten(s, a, raw)
			}, `it is listed as https://spdx.dev/Document/v2.2 and its predicate type is "https://spdx.dev/Document"`, "",
		},
		"is no statement": {
			func(s store, amd object) object {
				return s.attested(amd, object{"predicateType": spdxType, "predicate": spdxOf("x")})
			}, "is not the type of an in-toto statement", "",
		},
		"has a subject that is no list": {
			func(s store, amd object) object {
				one := statement(amd, spdxType, spdxOf("x"))
				one["subject"] = "x"
				return s.attested(amd, one)
			}, "its subject is not a list", "",
		},
		"is no SBOM":   {func(s store, amd object) object { return s.attested(amd, statement(amd, spdxType, object{"a": 1})) }, "SBOM of linux/amd64: neither SPDX", ""},
		"is not there": {func(s store, amd object) object { return s.attested(amd) }, "", ""},
		"has other bytes than its digest says": {
			func(s store, amd object) object {
				a := s.attested(amd, statement(amd, spdxType, spdxOf("x")))
				layer := parse[struct{ Layers []object }](t, s[blobOf(a)]).Layers[0]
				s[blobOf(layer)] = bytes.Replace(s[blobOf(layer)], []byte(`"name":"x"`), []byte(`"name":"y"`), 1)
				return a
			}, "its content does not have this digest", "",
		},
		"is too long": {
			func(s store, amd object) object {
				a := s.attested(amd, statement(amd, spdxType, spdxOf("x")))
				m := parse[object](t, s[blobOf(a)])
				m["layers"].([]any)[0].(object)["size"] = sbom.MaxSize + 2<<20
				raw, _ := json.Marshal(m)
				return rewritten(s, a, string(raw))
			}, "linux/amd64: the SBOM has more than 16777216 bytes", "leave the list of files out",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := store{}
			amd, arm := s.image("linux/amd64"), s.image("linux/arm64")
			children := []object{amd, arm}
			a := c.edit(s, amd)
			if a != nil {
				children = append(children, a)
			}
			s.tops(s.index(children...))
			if name == "is not there" {
				delete(s, blobOf(a))
				c.want, c.hint = "SBOM of linux/amd64: attestation manifest:", "the layout is not whole"
			}
			dir := t.TempDir()
			s.writeDir(t, dir)
			_, err := image.Build(t.Context(), image.Request{Name: "app", Source: oci(dir), SBOM: release.SBOM{FromBuild: true}})
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "image app: ") {
				t.Fatalf("the error is %v, want %q", err, c.want)
			}
			if !strings.Contains(hint.Of(err), c.hint) {
				t.Errorf("the hint is %q", hint.Of(err))
			}
		})
	}
}

// blobOf is where a store has what d describes.
func blobOf(d object) string { return "blobs/" + strings.Replace(d["digest"].(string), ":", "/", 1) }

// rewritten is d with other content.
func rewritten(s store, d object, raw string) object {
	n := s.blob(d["mediaType"].(string), []byte(raw))
	n["platform"], n["annotations"] = d["platform"], d["annotations"]
	return n
}

func TestSBOMsFromFiles(t *testing.T) {
	s := store{}
	s.tops(s.index(s.image("linux/amd64"), s.image("linux/arm/v7")))
	dir := t.TempDir()
	s.writeDir(t, filepath.Join(dir, "app"))
	writeFile(t, filepath.Join(dir, "sbom", "amd64.json"), []byte(`{"spdxVersion":"SPDX-2.3","SPDXID":"x","name":"a"}`))
	writeFile(t, filepath.Join(dir, "sbom", "armv7.json"), []byte(`{"bomFormat":"CycloneDX","specVersion":"1.6"}`))
	request := image.Request{
		Name: "app", Source: oci("app"), SBOM: release.SBOM{Path: "sbom/{{arch}}{{arch-variant}}.json"},
		Env: image.Env{Dir: dir, Platforms: required(t, "linux/amd64")},
	}
	b, err := image.Build(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"linux/amd64": "a https://spdx.dev/Document/v2.3", "linux/arm/v7": "CycloneDX https://cyclonedx.org/bom"}
	if got := sboms(t, b); !cmp.Equal(got, want) {
		t.Errorf("SBOMs are %v, want %v", got, want)
	}
	for name, c := range map[string]struct {
		path, want, hint string
		inCheck          bool // it can be told before anything is read
	}{
		"one that is missing":                          {"none/{{arch}}.json", "SBOM of linux/amd64: none/amd64.json: file does not exist", "every platform", true},
		"one of a platform that the image alone tells": {"sbom/{{arch}}.json", "SBOM of linux/arm/v7: sbom/arm.json: file does not exist", "every platform", false},
		"a directory":                                  {"sbom", "SBOM of linux/amd64: sbom: not a regular file", "", true},
		"no SBOM":                                      {"app/oci-layout", "SBOM of linux/amd64: app/oci-layout: neither SPDX", "spdx-json", true},
	} {
		t.Run(name, func(t *testing.T) {
			r := request
			r.SBOM.Path = c.path
			if err := r.Check(t.Context()); (err != nil) != c.inCheck {
				t.Errorf("check: %v", err)
			}
			_, err := image.Build(t.Context(), r)
			var file *image.SBOMFileError
			if err == nil || !strings.Contains(err.Error(), c.want) || !errors.As(err, &file) || !strings.Contains(hint.Of(err), c.hint) {
				t.Errorf("%v, with hint %q", err, hint.Of(err))
			}
		})
	}
}

func TestACopiedImageNeedsFiles(t *testing.T) {
	ref := release.ImageSource{Ref: repo(t, sourceRepo).Tag("1")}
	err := image.Request{Name: "app", Source: source(t, ref), SBOM: release.SBOM{FromBuild: true}}.Check(t.Context())
	if err == nil || !strings.Contains(err.Error(), "image app: sbom: what another build left") || !strings.Contains(hint.Of(err), "path") {
		t.Errorf("%v, with hint %q", err, hint.Of(err))
	}
}

func TestWhatBuildKitBuiltFromIsADependency(t *testing.T) {
	material := func(uri, algorithm, digest string) object {
		return object{"uri": uri, "digest": object{algorithm: digest}}
	}
	hex64, hex40 := strings.Repeat("1", 64), strings.Repeat("2", 40)
	old := object{"buildType": "https://mobyproject.org/buildkit@v1", "materials": []any{material("pkg:docker/alpine@3.23?platform=linux%2Famd64", "sha256", hex64)}}
	current := object{"buildDefinition": object{"resolvedDependencies": []any{
		material("pkg:docker/alpine@3.23?platform=linux%2Farm64", "sha256", hex64), material("https://github.com/acme/app.git#main", "sha1", hex40),
	}}}
	dep := func(uri, algorithm, digest string) provenance.Dependency {
		return provenance.Dependency{URI: uri, Digest: map[string]string{algorithm: digest}}
	}
	want := []provenance.Dependency{
		dep("pkg:docker/alpine@3.23?platform=linux%2Famd64", "sha256", hex64),
		dep("pkg:docker/alpine@3.23?platform=linux%2Farm64", "sha256", hex64),
		dep("https://github.com/acme/app.git#main", "gitCommit", hex40),
	}
	s := store{}
	amd, arm := s.image("linux/amd64"), s.image("linux/arm64")
	aboutAMD, aboutARM := s.attested(amd, statement(amd, slsa02, old)), s.attested(arm, statement(arm, slsa1, current))
	dir := t.TempDir()
	s.tops(s.index(amd, arm, aboutAMD, aboutARM)).writeDir(t, dir)
	for _, keep := range []bool{false, true} {
		b, err := image.Build(t.Context(), image.Request{Name: "app", Source: oci(dir), Env: image.Env{KeepAttestations: keep}})
		if err != nil {
			t.Fatal(err)
		}
		if got := b.Dependencies(); !cmp.Equal(got, want) {
			t.Errorf("of a layout, attestations kept %v: %v", keep, got)
		}
	}
	reg, r := digestsOf(t, s, s.index(amd, aboutAMD), s.index(arm, aboutARM))
	b, err := buildFrom(t, reg, r)
	if err != nil {
		t.Fatal(err)
	}
	if got := b.Dependencies(); len(got) != 5 || !cmp.Equal(got[2:], want) || !strings.HasPrefix(got[0].URI, "pkg:oci/app@") {
		t.Errorf("of digests: %v", got)
	}
}

func TestAStrangeProvenanceEndsNoReleaseButAMalformedDigestDoes(t *testing.T) {
	s := store{}
	amd := s.image("linux/amd64")
	for name, c := range map[string]struct {
		layer func() object // the attestation manifest
		gone  bool          // a statement of it is not there
		err   string
	}{
		"an unknown form":        {func() object { return s.attested(amd, statement(amd, slsa1, object{"x": 1})) }, false, ""},
		"another predicate type": {func() object { return s.attested(amd, statement(amd, "https://slsa.dev/provenance/v2", "x")) }, false, ""},
		"a statement that is not there": {
			func() object { return s.attested(amd, statement(amd, slsa1, object{"gone": 1})) }, true, "",
		},
		"a malformed digest": {
			func() object {
				return s.attested(amd, statement(amd, slsa02, object{"materials": []any{object{"uri": "pkg:docker/a@1", "digest": object{"sha256": "xyz"}}}}))
			}, false, `linux/amd64: dependency 1 of a SLSA provenance: pkg:docker/a@1: "xyz" is not a sha256 digest`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := c.layer()
			dir := t.TempDir()
			s.tops(s.index(amd, a)).writeDir(t, dir)
			if c.gone {
				m := parse[struct{ Layers []object }](t, s[blobOf(a)])
				if err := os.Remove(filepath.Join(dir, filepath.FromSlash(blobOf(m.Layers[0])))); err != nil {
					t.Fatal(err)
				}
			}
			b, err := image.Build(t.Context(), image.Request{Name: "app", Source: oci(dir)})
			if c.err == "" && (err != nil || len(b.Dependencies()) > 0) {
				t.Errorf("%v, %v", b.Dependencies(), err)
			}
			if c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
				t.Errorf("%v, want %q", err, c.err)
			}
		})
	}
}

// TestAProvenanceThatIsNamedManyTimes is read once, and too many dependencies end the build before they fill the memory.
func TestAProvenanceThatIsNamedManyTimes(t *testing.T) {
	of := func(first, n int) object {
		var materials []any
		for i := range n {
			materials = append(materials, object{"uri": fmt.Sprintf("pkg:docker/a@%d", first+i), "digest": object{"sha256": strings.Repeat("1", 64)}})
		}
		return object{"materials": materials}
	}
	for name, c := range map[string]struct {
		statements []object // their predicates
		want       int      // dependencies; -1: an error
	}{
		"one, many times":   {slices.Repeat([]object{of(0, 3)}, 500), 3},
		"as many as may be": {[]object{of(0, 1000), of(1000, 24)}, 1024},
		"one more":          {[]object{of(0, 1000), of(1000, 25)}, -1},
	} {
		t.Run(name, func(t *testing.T) {
			s := store{}
			amd := s.image("linux/amd64")
			var all []object
			for _, predicate := range c.statements {
				all = append(all, statement(amd, slsa02, predicate))
			}
			dir := t.TempDir()
			s.tops(s.index(amd, s.attested(amd, all...))).writeDir(t, dir)
			b, err := image.Build(t.Context(), image.Request{Name: "app", Source: oci(dir)})
			if c.want < 0 {
				if err == nil || !strings.Contains(err.Error(), "more than 1024 dependencies") {
					t.Errorf("%v", err)
				}
				return
			}
			if err != nil || len(b.Dependencies()) != c.want {
				t.Errorf("%d dependencies, want %d: %v", len(b.Dependencies()), c.want, err)
			}
		})
	}
}

// What stands in the place of an attestation manifest and is none is still left out unread.
func TestAPlaceholderThatIsNoAttestationManifestIsNotRead(t *testing.T) {
	s := store{}
	amd := s.image("linux/amd64")
	odd := object{"mediaType": "application/x", "digest": "sha256:" + strings.Repeat("0", 64), "size": 3, "platform": platformOf("unknown/unknown")}
	dir := t.TempDir()
	s.tops(s.index(amd, odd)).writeDir(t, dir)
	b, err := image.Build(t.Context(), image.Request{Name: "app", Source: oci(dir)})
	if err != nil || !slices.Equal(platforms(b), []string{"linux/amd64"}) {
		t.Errorf("%v, %v", platforms(b), err)
	}
}
