package image_test

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/taglast/taglast/internal/hint"
	"github.com/taglast/taglast/internal/image"
	"github.com/taglast/taglast/pkg/release"
)

func build(t testing.TB, dir string, r image.Request) (image.Built, error) {
	t.Helper()
	r.Name, r.Env.Dir = "app", dir
	return image.Build(t.Context(), r)
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
		source release.OCISource
		want   []string
	}{
		"an index in a directory":                            {map[string]store{"app": both}, release.OCISource{Paths: []string{"app"}}, []string{"linux/amd64", "linux/arm64"}},
		"an index in a tar":                                  {map[string]store{"app.tar": both}, release.OCISource{Paths: []string{"app.tar"}}, []string{"linux/amd64", "linux/arm64"}},
		"a pattern merges what two jobs left":                {map[string]store{"dist/app-amd64.tar": amd, "dist/app-arm64.tar": arm}, release.OCISource{Paths: []string{"dist/app-*.tar"}}, []string{"linux/amd64", "linux/arm64"}},
		"a directory and a tar merge":                        {map[string]store{"a": amd, "b.tar": arm}, release.OCISource{Paths: []string{"b.tar", "a"}}, []string{"linux/amd64", "linux/arm64"}},
		"the same image from two files is taken once":        {map[string]store{"a": amd, "b.tar": both}, release.OCISource{Paths: []string{"a", "b.tar"}}, []string{"linux/amd64", "linux/arm64"}},
		"a file that two paths name is read once":            {map[string]store{"a.tar": amd}, release.OCISource{Paths: []string{"a.tar", "*.tar"}}, []string{"linux/amd64"}},
		"a file name with the characters of a pattern":       {map[string]store{"a[1].tar": amd}, release.OCISource{Paths: []string{"a[1].tar"}}, []string{"linux/amd64"}},
		"ref picks one of several":                           {map[string]store{"a": two}, release.OCISource{Paths: []string{"a"}, Ref: "latest"}, []string{"linux/amd64"}},
		"indexes nested three deep":                          {map[string]store{"a": deep}, release.OCISource{Paths: []string{"a"}}, []string{"linux/amd64"}},
		"a config without a variant has its descriptor's":    {map[string]store{"a": loose}, release.OCISource{Paths: []string{"a"}}, []string{"linux/arm/v6"}},
		"a manifest without a platform has its config's":     {map[string]store{"a": bare}, release.OCISource{Paths: []string{"a"}}, []string{"linux/arm/v7"}},
		"a folder with the characters of a pattern is plain": {map[string]store{"x[1]/a.tar": amd}, release.OCISource{Paths: []string{"x[[]1]/*.tar"}}, []string{"linux/amd64"}},
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
			b, err := build(t, dir, image.Request{Source: source(t, tc.source), Env: image.Env{Platforms: required(t, tc.want...)}})
			if err != nil {
				t.Fatal(err)
			}
			if got := platforms(b); !slices.Equal(got, tc.want) {
				t.Errorf("platforms are %v, want %v", got, tc.want)
			}
			for _, c := range b.Manifests() {
				if digestOf(c.Raw) != c.Digest.String() || int64(len(c.Raw)) != c.Size {
					t.Errorf("%s: descriptor and bytes differ", c.Digest)
				}
				for _, blob := range c.Blobs {
					if raw := read(t, blob); digestOf(raw) != blob.Digest.String() || int64(len(raw)) != blob.Size {
						t.Errorf("%s: descriptor and content differ", blob.Digest)
					}
				}
			}
			if !b.Ok() || b.Adopted() || len(b.Dependencies()) != 0 || b.Name() != "app" {
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
		b, err := build(t, dir, image.Request{Source: source(t, release.OCISource{Paths: []string{"a"}, Ref: ref})})
		if err != nil {
			t.Fatal(err)
		}
		if got := b.Manifests()[0].Digest.String(); got != want["digest"] {
			t.Errorf("ref %s is %s, want %s", ref, got, want["digest"])
		}
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
			_, err := build(t, dir, image.Request{Source: oci(tc.paths...), Env: image.Env{Platforms: required(t, tc.platforms...)}})
			if err == nil || err.Error() != tc.err {
				t.Errorf("error is\n%v, want\n%v", err, tc.err)
			}
			if got := hint.Of(err); got != tc.hint {
				t.Errorf("hint is\n%s, want\n%s", got, tc.hint)
			}
		})
	}
}
