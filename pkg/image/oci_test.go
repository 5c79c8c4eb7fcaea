package image_test

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/taglast/taglast/internal/hint"
	"github.com/taglast/taglast/pkg/image"
)

func build(t testing.TB, dir string, r image.Request) (image.Built, error) {
	t.Helper()
	r.Name, r.Dir = "app", dir
	return image.Build(t.Context(), nil, r)
}

func TestLayouts(t *testing.T) {
	amd, arm := store{}, store{}
	amd.tops(amd.image("linux/amd64"))
	arm.tops(arm.index(arm.image("linux/arm64/v8")))
	both := store{}
	both.tops(both.index(both.image("linux/arm64"), both.image("linux/amd64")))
	two := store{}
	old, current := two.image("linux/amd64", func(m object) { m["annotations"] = object{"n": "old"} }), two.image("linux/amd64")
	two.tops(named(old, "1.0"), named(current, "1.1"), named(current, "latest"))
	deep := store{}
	deep.tops(deep.index(deep.index(deep.index(deep.image("linux/amd64")))))
	loose := store{} // old builders leave the variant out of the config
	listed := loose.manifest("linux/arm")
	listed["platform"] = platformOf("linux/arm/v6")
	loose.tops(listed)
	bare := store{}
	bare.tops(bare.manifest("linux/arm"))

	for name, tc := range map[string]struct {
		files  map[string]store // a name that ends in .tar is a tar
		source image.OCI
		want   []string
	}{
		"an index in a directory":                            {map[string]store{"app": both}, image.OCI{Paths: []string{"app"}}, []string{"linux/amd64", "linux/arm64"}},
		"an index in a tar":                                  {map[string]store{"app.tar": both}, image.OCI{Paths: []string{"app.tar"}}, []string{"linux/amd64", "linux/arm64"}},
		"a pattern merges what two jobs left":                {map[string]store{"dist/app-amd64.tar": amd, "dist/app-arm64.tar": arm}, image.OCI{Paths: []string{"dist/app-*.tar"}}, []string{"linux/amd64", "linux/arm64"}},
		"a directory and a tar merge":                        {map[string]store{"a": amd, "b.tar": arm}, image.OCI{Paths: []string{"b.tar", "a"}}, []string{"linux/amd64", "linux/arm64"}},
		"the same image from two files is taken once":        {map[string]store{"a": amd, "b.tar": both}, image.OCI{Paths: []string{"a", "b.tar"}}, []string{"linux/amd64", "linux/arm64"}},
		"a file that two paths name is read once":            {map[string]store{"a.tar": amd}, image.OCI{Paths: []string{"a.tar", "*.tar"}}, []string{"linux/amd64"}},
		"a file name with the characters of a pattern":       {map[string]store{"a[1].tar": amd}, image.OCI{Paths: []string{"a[1].tar"}}, []string{"linux/amd64"}},
		"ref picks one of several":                           {map[string]store{"a": two}, image.OCI{Paths: []string{"a"}, Ref: "latest"}, []string{"linux/amd64"}},
		"indexes nested three deep":                          {map[string]store{"a": deep}, image.OCI{Paths: []string{"a"}}, []string{"linux/amd64"}},
		"a config without a variant has its descriptor's":    {map[string]store{"a": loose}, image.OCI{Paths: []string{"a"}}, []string{"linux/arm/v6"}},
		"a manifest without a platform has its config's":     {map[string]store{"a": bare}, image.OCI{Paths: []string{"a"}}, []string{"linux/arm/v7"}},
		"a folder with the characters of a pattern is plain": {map[string]store{"x[1]/a.tar": amd}, image.OCI{Paths: []string{"x[[]1]/*.tar"}}, []string{"linux/amd64"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "a[b]c")
			for path, s := range tc.files {
				if path = filepath.Join(dir, path); strings.HasSuffix(path, ".tar") {
					writeFile(t, path, s.tar())
				} else {
					s.writeDir(t, path)
				}
			}
			b, err := build(t, dir, image.Request{Source: image.Source{OCI: &tc.source}, Platforms: tc.want})
			if err != nil {
				t.Fatal(err)
			}
			if got := platforms(b); !slices.Equal(got, tc.want) {
				t.Errorf("platforms are %v, want %v", got, tc.want)
			}
			for _, c := range b.Children() {
				if digestOf(c.Raw) != c.Digest.String() || int64(len(c.Raw)) != c.Size {
					t.Errorf("%s: descriptor and bytes differ", c.Digest)
				}
				for _, blob := range c.Blobs {
					if raw := read(t, blob); digestOf(raw) != blob.Digest.String() || int64(len(raw)) != blob.Size {
						t.Errorf("%s: descriptor and content differ", blob.Digest)
					}
				}
			}
			if !b.Ok() || b.Adopted() || b.Unchanged() || len(b.Dependencies()) != 0 || b.Name() != "app" {
				t.Errorf("not what was built: %+v", b)
			}
		})
	}
}

// TestRefPicksTheBytes holds that ref chooses, not just narrows.
func TestRefPicksTheBytes(t *testing.T) {
	s := store{}
	old, current := s.image("linux/amd64", func(m object) { m["annotations"] = object{"n": "old"} }), s.image("linux/amd64")
	s.tops(named(old, "1.0"), named(current, "1.1"))
	dir := t.TempDir()
	s.writeDir(t, filepath.Join(dir, "a"))
	for ref, want := range map[string]object{"1.0": old, "1.1": current} {
		b, err := build(t, dir, image.Request{Source: image.Source{OCI: &image.OCI{Paths: []string{"a"}, Ref: ref}}})
		if err != nil {
			t.Fatal(err)
		}
		if got := b.Children()[0].Digest.String(); got != want["digest"] {
			t.Errorf("ref %s is %s, want %s", ref, got, want["digest"])
		}
	}
}

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
		}, "is not sha256: and 64 hex digits"},
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

func TestBadTars(t *testing.T) {
	s := store{}
	s.tops(s.image("linux/amd64"))
	whole := s.tar()
	for name, tc := range map[string]struct {
		tar  []byte
		want string
	}{
		"a symbolic link":            {s.tar(&tar.Header{Typeflag: tar.TypeSymlink, Name: "blobs/sha256", Linkname: "/etc"}), "is a symbolic link"},
		"a hard link":                {s.tar(&tar.Header{Typeflag: tar.TypeLink, Name: "blobs/x", Linkname: "/etc/passwd"}), "is a hard link"},
		"a device":                   {s.tar(&tar.Header{Typeflag: tar.TypeChar, Name: "blobs/x"}), "is not a regular file"},
		"a named pipe":               {s.tar(&tar.Header{Typeflag: tar.TypeFifo, Name: "blobs/x"}), "is not a regular file"},
		"a path that leaves":         {s.tar(&tar.Header{Typeflag: tar.TypeReg, Name: "blobs/../../x"}), "leaves the tar"},
		"an absolute path":           {s.tar(&tar.Header{Typeflag: tar.TypeReg, Name: "/blobs/x"}), "not a path inside"},
		"a file that is there twice": {s.tar(&tar.Header{Typeflag: tar.TypeReg, Name: "./index.json"}), "is there twice"},
		"a sparse file": {bytes.ReplaceAll(s.tar(&tar.Header{
			Typeflag: tar.TypeReg, Name: "x", PAXRecords: map[string]string{"XXX.sparse.x": "0"}, // the writer drops GNU's
		}), []byte("XXX.sparse"), []byte("GNU.sparse")), "is a sparse file"},
		"gzip":              {[]byte("\x1f\x8b\x08\x00aaaaaaaaaaaa"), "compressed with gzip"},
		"zstd":              {[]byte("\x28\xb5\x2f\xfdaaaaaaaaaaaa"), "compressed with zstd"},
		"a tar that is cut": {whole[:len(whole)-1024-500], "the tar is cut"},
		"no tar":            {[]byte(strings.Repeat("no tar ", 200)), "not a tar"},
		"an empty file":     {nil, "not an OCI layout"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			writeFile(t, filepath.Join(dir, "app.tar"), tc.tar)
			_, err := build(t, dir, image.Request{Source: oci("app.tar")})
			if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.HasPrefix(err.Error(), "image app: app.tar: ") {
				t.Errorf("error is %v, want %q in it", err, tc.want)
			}
		})
	}
}

func TestATarOfVeryManyEntries(t *testing.T) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for range 1<<16 + 1 {
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: "blobs/"}); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "app.tar"), b.Bytes())
	if _, err := build(t, dir, image.Request{Source: oci("app.tar")}); err == nil || !strings.Contains(err.Error(), "more than 65536 entries") {
		t.Errorf("error is %v", err)
	}
}

func TestPathsThatAreRefused(t *testing.T) {
	s := store{}
	s.tops(s.image("linux/amd64"))
	dir := t.TempDir()
	for i := range 65 {
		writeFile(t, filepath.Join(dir, strconv.Itoa(i)+".tar"), s.tar())
	}
	for want, paths := range map[string][]string{
		"no path is given":            {},
		"a path is empty":             {""},
		"** is not known":             {"**/app.tar"},
		"syntax error in pattern":     {"[a"},
		"65 layouts are more than 64": {"*.tar"},
		"matched no file":             {"nothing-*"},
	} {
		if _, err := build(t, dir, image.Request{Source: oci(paths...)}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error is %v, want %q in it", paths, err, want)
		}
	}
}

func TestATarWithDotSlashAndDirectories(t *testing.T) {
	s := store{}
	s.tops(s.image("linux/amd64"))
	dotted := store{}
	for path, raw := range s {
		dotted["./"+path] = raw
	}
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "app.tar"), dotted.tar(&tar.Header{Typeflag: tar.TypeDir, Name: "./blobs/", Mode: 0o755}))
	if _, err := build(t, dir, image.Request{Source: oci("app.tar")}); err != nil {
		t.Error(err)
	}
}

func TestWhatIsMissing(t *testing.T) {
	amd := store{}
	amd.tops(amd.image("linux/amd64"))
	other := store{}
	other.tops(other.image("linux/amd64", func(m object) { m["annotations"] = object{"a": "b"} }))
	both := []string{"linux/amd64", "linux/arm64/v8"}
	for name, tc := range map[string]struct {
		files     map[string]store
		paths     []string
		platforms []string
		err, hint string
	}{
		"a platform, with a pattern": {
			map[string]store{"dist/app-amd64.tar": amd},
			[]string{"dist/app-*.tar"},
			both,
			"image app: no linux/arm64; found linux/amd64 in dist/app-amd64.tar",
			"the pattern dist/app-*.tar matched 1 file. Is `merge-multiple: true` set on download-artifact, and did both build jobs upload?",
		},
		"two platforms, with a path": {
			map[string]store{"a.tar": amd},
			[]string{"a.tar"},
			[]string{"linux/amd64", "linux/arm64", "linux/arm"},
			"image app: no linux/arm64, linux/arm/v7; found linux/amd64 in a.tar",
			"build it, too, or take it out of `platforms`",
		},
		"every file of a pattern": {
			nil,
			[]string{"dist/app-*.tar"},
			both,
			"image app: oci: the pattern dist/app-*.tar matched no file",
			"patterns are relative to the folder of the release file. Is `merge-multiple: true` set on download-artifact, and did both build jobs upload?",
		},
		"a file": {
			nil,
			[]string{"dist/app.tar"},
			nil,
			"image app: dist/app.tar: file does not exist", "",
		},
		"a second platform: both files are for one": {
			map[string]store{"a.tar": amd, "b.tar": other},
			[]string{"*.tar"},
			nil,
			"image app: two images for linux/amd64: " + amd.image("linux/amd64")["digest"].(string) + " in a.tar and " +
				other.image("linux/amd64", func(m object) { m["annotations"] = object{"a": "b"} })["digest"].(string) + " in b.tar", "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for path, s := range tc.files {
				writeFile(t, filepath.Join(dir, path), s.tar())
			}
			_, err := build(t, dir, image.Request{Source: oci(tc.paths...), Platforms: tc.platforms})
			if err == nil || err.Error() != tc.err {
				t.Errorf("error is\n%v, want\n%v", err, tc.err)
			}
			if got := hint.Of(err); got != tc.hint {
				t.Errorf("hint is\n%s, want\n%s", got, tc.hint)
			}
		})
	}
}

func TestALayoutThatChangesAfterItWasRead(t *testing.T) {
	s := store{}
	s.tops(s.image("linux/amd64"))
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "app.tar"), s.tar())
	b, err := build(t, dir, image.Request{Source: oci("app.tar")})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "app.tar")); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "app.tar"), append(s.tar(), make([]byte, 1024)...))
	if _, err := b.Children()[0].Blobs[0].Open(t.Context()); err == nil || !strings.Contains(err.Error(), "replaced") {
		t.Errorf("error is %v", err)
	}
}
