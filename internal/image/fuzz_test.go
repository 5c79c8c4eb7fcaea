package image_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/taglast/taglast/internal/image"
	"github.com/taglast/taglast/internal/sbom"
	"github.com/taglast/taglast/pkg/release"
)

// whole holds for whatever was built: the digests are those of the bytes, blobs can be read, errors are one quiet line.
func whole(t *testing.T, b image.Built, err error) {
	if err != nil {
		if b.Ok() {
			t.Errorf("something was built in spite of %v", err)
		}
		quiet(t, err)
		return
	}
	for _, c := range b.Manifests() {
		if digestOf(c.Raw) != c.Digest.String() {
			t.Errorf("child %s has other bytes", c.Digest)
		}
		for _, blob := range c.Blobs {
			if raw := read(t, blob); int64(len(raw)) != blob.Size {
				t.Errorf("blob %s has %d bytes, not %d", blob.Digest, len(raw), blob.Size)
			}
		}
	}
	if digestOf(b.Root().Raw) != b.Root().Digest.String() || len(b.Manifests()) > 64 {
		t.Errorf("root %s with %d children", b.Root().Digest, len(b.Manifests()))
	}
}

// quiet holds that an error has nothing in it that a terminal would act upon.
func quiet(t *testing.T, err error) {
	if err != nil && strings.ContainsAny(err.Error(), "\x1b\n\r\a\u009b") {
		t.Errorf("error is %q", err)
	}
}

func FuzzLayoutIndex(f *testing.F) {
	s := store{}
	amd := s.image("linux/amd64")
	s.tops(s.index(amd, s.attestation(amd)), named(s.image("linux/arm64"), "1.0"))
	f.Add(s["index.json"])
	f.Add([]byte(`{"schemaVersion":2,"manifests":[{"digest":"sha512:aa","size":-1}]}`))
	dir := f.TempDir()
	s.writeDir(f, filepath.Join(dir, "app"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if err := os.WriteFile(filepath.Join(dir, "app", "index.json"), raw, 0o644); err != nil {
			t.Fatal(err)
		}
		b, err := build(t, dir, image.Request{Source: oci("app"), Env: image.Env{KeepAttestations: true}})
		whole(t, b, err)
	})
}

func FuzzLayoutTar(f *testing.F) {
	s := store{}
	f.Add(s.tops(s.index(s.image("linux/amd64"))).tar())
	f.Add(store{"manifest.json": []byte("[]")}.tar())
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, raw []byte) {
		if err := os.WriteFile(filepath.Join(dir, "app.tar"), raw, 0o644); err != nil {
			t.Fatal(err)
		}
		b, err := build(t, dir, image.Request{Source: oci("app.tar")})
		whole(t, b, err)
	})
}

// FuzzManifest bends manifest and config; their digests are made to fit.
func FuzzManifest(f *testing.F) {
	s := store{}
	d := s.image("linux/amd64")
	f.Add(s["blobs/"+strings.Replace(d["digest"].(string), ":", "/", 1)], `{"os":"linux","architecture":"amd64"}`)
	f.Add([]byte(`{"schemaVersion":2,"config":{"mediaType":"`+ociConfig+`","digest":"CONFIG","size":1},"layers":[]}`), `{"os":"linux","architecture":"amd64","config":{"Labels":null}}`)
	f.Fuzz(func(t *testing.T, manifest []byte, config string) {
		s := store{}
		c := s.blob(ociConfig, []byte(config))
		m := strings.ReplaceAll(string(manifest), "CONFIG", c["digest"].(string))
		dir := layoutOf(t, s.tops(s.blob(ociManifest, []byte(m))))
		b, err := build(t, dir, image.Request{
			Source: oci("app"), Labels: map[string]string{"a": "b"},
			Annotations: []release.Annotation{{Level: "manifest", Key: "a", Value: "b"}},
		})
		whole(t, b, err)
	})
}

func FuzzDigestName(f *testing.F) {
	for _, n := range []string{strings.Repeat("a", 64), "sha256-" + strings.Repeat("0", 64), "sha256:", "a.dockerbuild", "..", "\x1b[0m"} {
		f.Add(n)
	}
	f.Fuzz(func(t *testing.T, n string) {
		dir := t.TempDir()
		if filepath.Base(n) != n || os.WriteFile(filepath.Join(dir, n), nil, 0o600) != nil {
			t.Skip("no file has this name")
		}
		err := image.Request{Name: "app", Env: image.Env{Dir: dir}, Source: source(t, release.DigestsSource{Dir: "."})}.Check(t.Context())
		quiet(t, err)
		hex, ok := strings.CutPrefix(n, "sha256:")
		if !ok {
			hex = strings.TrimPrefix(n, "sha256-")
		}
		if good := len(hex) == 64 && strings.Trim(hex, "0123456789abcdef") == ""; good != (err == nil) {
			t.Errorf("%q: %v", n, err)
		}
	})
}

// FuzzStatement bends a statement of BuildKit's attestation manifest, of an SBOM and of a provenance.
func FuzzStatement(f *testing.F) {
	s := store{}
	amd := s.image("linux/amd64")
	for _, seed := range []object{
		statement(amd, spdxType, spdxOf("app")),
		statement(amd, slsa02, object{"materials": []any{object{"uri": "pkg:docker/alpine@3.23", "digest": object{"sha256": strings.Repeat("1", 64)}}}}),
		statement(amd, slsa1, object{"buildDefinition": object{"resolvedDependencies": []any{}}}),
	} {
		raw, err := json.Marshal(seed)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw, seed["predicateType"].(string))
	}
	f.Fuzz(func(t *testing.T, raw []byte, predicateType string) {
		s := store{}
		amd := s.image("linux/amd64")
		layer := s.blob(inToto, raw)
		layer["annotations"] = object{"in-toto.io/predicate-type": predicateType}
		a := s.attested(amd)
		m := parse[object](t, s[blobOf(a)])
		m["layers"] = []any{layer}
		bent, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		s.tops(s.index(amd, rewritten(s, a, string(bent)))).writeDir(t, dir)
		b, err := image.Build(t.Context(), image.Request{Name: "app", Source: oci(dir), SBOM: release.SBOM{FromBuild: sbom.IsType(predicateType)}})
		whole(t, b, err)
	})
}
