package image_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/taglast/taglast/internal/image"
)

func TestBadLayouts(t *testing.T) {
	one := func() (store, object) { s := store{}; d := s.image("linux/amd64"); return s, d }
	blobOf := func(d object) string { return "blobs/" + strings.Replace(d["digest"].(string), ":", "/", 1) }
	for name, tc := range map[string]struct {
		layout func() store
		want   string
	}{
		"a tampered manifest": {func() store {
			s, d := one()
			raw := slices.Clone(s[blobOf(d)])
			raw[len(raw)-3] ^= 1
			s[blobOf(d)] = raw
			return s.tops(d)
		}, "its content does not have this digest"},
		"a manifest of another size": {func() store {
			s, d := one()
			d["size"] = 7
			return s.tops(d)
		}, "it is listed with 7 bytes"},
		"a tampered config": {func() store {
			s := store{}
			var config string
			d := s.image("linux/amd64", func(m object) { config = blobOf(m["config"].(object)) })
			raw := slices.Clone(s[config])
			raw[2] ^= 1
			s[config] = raw
			return s.tops(d)
		}, "its content does not have this digest"},
		"a tampered index": {func() store {
			s, d := one()
			i := s.index(d)
			s[blobOf(i)] = append(slices.Clone(s[blobOf(i)][:i["size"].(int)-1]), ' ')
			return s.tops(i)
		}, "its content does not have this digest"},
		"a layer of another size": {func() store {
			s := store{}
			return s.tops(s.image("linux/amd64", func(m object) { m["layers"].([]any)[1].(object)["size"] = 3 }))
		}, "it is listed with 3 bytes"},
		"a layer that is not there": {func() store {
			s := store{}
			var layer string
			d := s.image("linux/amd64", func(m object) { layer = blobOf(m["layers"].([]any)[1].(object)) })
			delete(s, layer)
			return s.tops(d)
		}, "file does not exist"},
		"a manifest that is not there": {func() store {
			s, d := one()
			delete(s, blobOf(d))
			return s.tops(d)
		}, "file does not exist"},
		"a path for a digest": {func() store {
			s, d := one()
			d["digest"] = "sha256:../../../../etc/passwd"
			return s.tops(d)
		}, `"sha256:../../../../etc/passwd" is not a sha256 digest`},
		"sha512": {func() store {
			s, d := one()
			d["digest"] = "sha512:" + strings.Repeat("a", 128)
			return s.tops(d)
		}, "sha512 is not supported"},
		"an index that lists itself": {func() store {
			s, d := one()
			loop := indexOf(d, object{"mediaType": ociIndex, "digest": d["digest"], "size": 10})
			i := s.document(ociIndex, loop)
			loop["manifests"].([]any)[1].(object)["digest"] = i["digest"]
			raw, _ := json.Marshal(loop)
			loop["manifests"].([]any)[1].(object)["size"] = len(raw)
			raw, _ = json.Marshal(loop)
			s[blobOf(i)], i["size"] = raw, len(raw)
			return s.tops(i)
		}, "its content does not have this digest"},
		"indexes nested four deep": {func() store {
			s, d := one()
			return s.tops(s.index(s.index(s.index(s.index(d)))))
		}, "nested more than 3 deep"},
		"more than 64 children": {func() store {
			s, d := one()
			return s.tops(s.index(slices.Repeat([]object{d}, 65)...))
		}, "more than 64 manifests"},
		"more than 64 children in two indexes": {func() store {
			s, d := one()
			return s.tops(s.index(slices.Repeat([]object{d}, 40)...), s.index(slices.Repeat([]object{d}, 41)...))
		}, "more than 64 manifests"},
		"more than 64 images in index.json": {func() store {
			s, d := one()
			return s.tops(slices.Repeat([]object{d}, 65)...)
		}, "more than 64 manifests"},
		"a manifest over 4 MiB": {func() store {
			s := store{}
			return s.tops(s.image("linux/amd64", func(m object) { m["annotations"] = object{"a": strings.Repeat("a", 4<<20)} }))
		}, "more than 4194304"},
		"a manifest over 4 MiB that is listed as small": {func() store {
			s := store{}
			d := s.image("linux/amd64", func(m object) { m["annotations"] = object{"a": strings.Repeat("a", 4<<20)} })
			d["size"] = 100
			return s.tops(d)
		}, "more than 4194304"},
		"an index.json over 4 MiB": {func() store {
			s, d := one()
			s.tops(d)
			s["index.json"] = append(s["index.json"], make([]byte, 4<<20)...)
			return s
		}, "more than 4194304"},
		"a config over 8 MiB": {func() store {
			s := store{}
			return s.tops(s.image("linux/amd64", func(m object) { m["config"] = s.blob(ociConfig, make([]byte, 8<<20+1)) }))
		}, "more than 8388608"},
		"a foreign layer": {func() store {
			s := store{}
			return s.tops(s.image("linux/amd64", func(m object) {
				m["layers"].([]any)[0].(object)["urls"] = []string{"https://evil.example/layer"}
			}))
		}, "foreign layer"},
		"a non-distributable layer": {func() store {
			s := store{}
			return s.tops(s.image("linux/amd64", func(m object) {
				m["layers"].([]any)[0].(object)["mediaType"] = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
			}))
		}, "foreign layer"},
		"a manifest that is an index, too": {func() store {
			s := store{}
			return s.tops(s.image("linux/amd64", func(m object) { m["manifests"] = []any{} }))
		}, "it has the fields of an index"},
		"an index that is a manifest, too": {func() store {
			s, d := one()
			i := indexOf(d)
			i["layers"] = []any{}
			return s.tops(s.document(ociIndex, i))
		}, "it has the fields of a manifest"},
		"an index that is listed as a manifest": {func() store {
			s, d := one()
			i := s.index(d)
			i["mediaType"] = ociManifest
			return s.tops(i)
		}, "calls itself"},
		"something that is no image": {func() store {
			s := store{}
			return s.tops(s.image("linux/amd64", func(m object) {
				m["config"].(object)["mediaType"] = "application/vnd.cncf.helm.config.v1+json"
			}))
		}, "not an image"},
		"a descriptor for another platform than the config's": {func() store {
			s, d := one()
			d["platform"] = platformOf("linux/arm64")
			return s.tops(d)
		}, "its descriptor says linux/arm64, its config linux/amd64"},
		"a platform that is no word": {func() store {
			s := store{}
			return s.tops(s.manifest("linux/amd64\x1b[31m"))
		}, `is not a platform`},
		"a config without a platform": {func() store {
			s := store{}
			return s.tops(s.image("linux/amd64", func(m object) { m["config"] = s.document(ociConfig, object{}) }))
		}, "names no os"},
		"fewer layers than its config says": {func() store {
			s := store{}
			return s.tops(s.image("linux/amd64", func(m object) {
				c := platformOf("linux/amd64")
				c["rootfs"] = object{"diff_ids": []string{"sha256:1", "sha256:2"}}
				m["config"], m["layers"] = s.document(ociConfig, c), []any{}
			}))
		}, "it has 0 layers, its config 2"},
		"a negative size": {func() store {
			s := store{}
			return s.tops(s.image("linux/amd64", func(m object) { m["layers"].([]any)[0].(object)["size"] = -1 }))
		}, "its size is negative"},
		"a manifest of another schema": {func() store {
			s := store{}
			return s.tops(s.image("linux/amd64", func(m object) { m["schemaVersion"] = 1 }))
		}, "schemaVersion is 1, want 2"},
		"several images for one platform and no ref": {func() store {
			s, d := one()
			return s.tops(named(d, "1"), named(s.image("linux/amd64", func(m object) { m["annotations"] = object{"a": "b"} }), "2"))
		}, "two images for linux/amd64"},
		"a layout of another version": {func() store {
			s, d := one()
			s.tops(d)
			s["oci-layout"] = []byte(`{"imageLayoutVersion":"2.0.0"}`)
			return s
		}, `version "2.0.0" is not 1.0`},
		"no index.json": {func() store {
			s, d := one()
			s.tops(d)
			delete(s, "index.json")
			return s
		}, "index.json: file does not exist"},
		"an empty index.json": {func() store {
			return store{}.tops()
		}, "lists no image"},
		"garbage for an index.json": {func() store {
			s, d := one()
			s.tops(d)
			s["index.json"] = []byte("\x1b]0;boo\a")
			return s
		}, "not an index"},
		"nothing but attestations": {func() store {
			s, d := one()
			return s.tops(s.index(s.attestation(d)))
		}, "the source has no image"},
		"a blob with two sizes": {func() store {
			s := store{}
			return s.tops(s.image("linux/amd64", func(m object) {
				l := m["layers"].([]any)[0].(object)
				m["layers"] = []any{l, object{"mediaType": ociLayer, "digest": l["digest"], "size": 1}}
			}))
		}, "listed with two sizes"},
		"a `docker save` tar of the old format": {func() store {
			return store{"manifest.json": []byte("[]"), "repositories": []byte("{}")}
		}, "`docker save` tar of the old format"},
		"no layout at all": {func() store {
			return store{"app": []byte("#!")}
		}, "not an OCI layout"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := tc.layout()
			s.writeDir(t, filepath.Join(dir, "app"))
			writeFile(t, filepath.Join(dir, "app.tar"), s.tar())
			for _, path := range []string{"app", "app.tar"} {
				_, err := build(t, dir, image.Request{Source: oci(path)})
				if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.HasPrefix(err.Error(), "image app: ") {
					t.Errorf("%s: error is %v, want %q in it", path, err, tc.want)
				}
				if err != nil && (strings.ContainsAny(err.Error(), "\x1b\a\n") || strings.Contains(err.Error(), dir)) {
					t.Errorf("%s: error has foreign control characters or a path nobody wrote: %q", path, err)
				}
			}
		})
	}
}

func TestLinksInALayoutAreRefused(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Log("links need a privilege on Windows; the same code refuses them there")
		return
	}
	s := store{}
	d := s.image("linux/amd64")
	s.tops(d)
	blob := "blobs/" + strings.Replace(d["digest"].(string), ":", "/", 1)
	for _, link := range []string{"blobs", "blobs/sha256", blob, "index.json", "oci-layout"} {
		for where, outside := range map[string]bool{"inside": false, "outside": true} {
			t.Run(link+" "+where, func(t *testing.T) {
				dir := t.TempDir()
				app := filepath.Join(dir, "app")
				s.writeDir(t, app)
				target := filepath.Join(app, "moved")
				if outside {
					target = filepath.Join(dir, "moved")
				}
				if err := os.Rename(filepath.Join(app, link), target); err != nil {
					t.Fatal(err)
				}
				rel, err := filepath.Rel(filepath.Dir(filepath.Join(app, link)), target)
				if err != nil {
					t.Fatal(err)
				}
				if err := os.Symlink(rel, filepath.Join(app, link)); err != nil {
					t.Fatal(err)
				}
				if _, err := build(t, dir, image.Request{Source: oci("app")}); err == nil || !strings.Contains(err.Error(), "symbolic link") {
					t.Errorf("error is %v", err)
				}
			})
		}
	}
}
