package image_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/taglast/taglast/internal/hint"
	"github.com/taglast/taglast/internal/image"
	"github.com/taglast/taglast/internal/provenance"
	"github.com/taglast/taglast/internal/registry"
	"github.com/taglast/taglast/pkg/release"
)

const sourceRepo = "registry.example/acme/app"

// digestsOf is the request for these digests, from a registry that has the content.
func digestsOf(t testing.TB, content store, descriptors ...object) (image.Registry, image.Request) {
	t.Helper()
	reg := newServer(t)
	reg.push("acme/app", content)
	var list []v1.Hash
	for _, d := range descriptors {
		list = append(list, hash(t, d["digest"]))
	}
	return reg.clients(), image.Request{
		Name: "app", Source: source(t, release.DigestsSource{List: list, Repository: repo(t, sourceRepo)}),
	}
}

func TestDigests(t *testing.T) {
	s := store{}
	amd, arm := s.manifest("linux/amd64"), s.manifest("linux/arm64")
	arm6 := s.manifest("linux/arm/v6")
	built := s.index(s.image("linux/arm64"), s.attestation(arm)) // as BuildKit makes it
	two := s.index(s.image("linux/amd64"), s.image("linux/arm64"))
	none := s.index(s.attestation(arm))
	other := s.manifest("linux/amd64", func(m object) { m["annotations"] = object{"a": "b"} })
	absent := object{"digest": "sha256:" + strings.Repeat("0", 64)}
	for title, tc := range map[string]struct {
		digests []object
		want    []string
		err     string
	}{
		"manifests":                          {[]object{arm6, arm, amd}, []string{"linux/amd64", "linux/arm/v6", "linux/arm64"}, ""},
		"an index with attestations":         {[]object{built, amd}, []string{"linux/amd64", "linux/arm64"}, ""},
		"two for one platform":               {[]object{amd, other}, nil, "two images for linux/amd64: " + amd["digest"].(string) + " in " + sourceRepo + "@" + amd["digest"].(string)},
		"an index of two images":             {[]object{two}, nil, "an index of 2 images; a digest is to be of one"},
		"an index of attestations alone":     {[]object{none}, nil, "an index of 0 images"},
		"a digest that the registry lacks":   {[]object{amd, absent}, nil, sourceRepo + " does not have sha256:" + strings.Repeat("0", 64)},
		"a config that is taken for a image": {[]object{s.document(ociConfig, object{"os": "linux"})}, nil, "does not have"},
	} {
		t.Run(title, func(t *testing.T) {
			reg, r := digestsOf(t, s, tc.digests...)
			b, err := buildFrom(t, reg, r)
			if tc.err != "" {
				if err == nil || !strings.Contains(err.Error(), tc.err) || !strings.HasPrefix(err.Error(), "image app: ") {
					t.Fatalf("error is %v, want %q in it", err, tc.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := platforms(b); !slices.Equal(got, tc.want) {
				t.Errorf("platforms are %v, want %v", got, tc.want)
			}
			var deps []provenance.Dependency
			for _, c := range b.Manifests() {
				deps = append(deps, provenance.Dependency{
					URI:    "pkg:oci/app@" + c.Digest.String() + "?repository_url=" + sourceRepo,
					Digest: map[string]string{"sha256": c.Digest.Hex},
				})
				if !slices.Equal(c.From, []name.Repository{repo(t, sourceRepo)}) {
					t.Errorf("%s is from %v", c.Platform, c.From)
				}
				for _, blob := range c.Blobs {
					if digestOf(read(t, blob)) != blob.Digest.String() || len(blob.From) != 1 {
						t.Errorf("blob %s: other content or from %v", blob.Digest, blob.From)
					}
				}
			}
			sort := func(d []provenance.Dependency) []provenance.Dependency {
				return slices.SortedFunc(slices.Values(d), func(a, b provenance.Dependency) int { return strings.Compare(a.URI, b.URI) })
			}
			if diff := cmp.Diff(sort(deps), sort(b.Dependencies())); diff != "" {
				t.Errorf("dependencies (-want +got):\n%s", diff)
			}
		})
	}
}

func TestADigestThatIsMissingSaysWhatToDo(t *testing.T) {
	reg, r := digestsOf(t, store{}, object{"digest": "sha256:" + strings.Repeat("0", 64)})
	_, err := buildFrom(t, reg, r)
	if !errors.Is(err, registry.ErrNotFound) || !strings.Contains(hint.Of(err), "`repository:`") {
		t.Errorf("error is %v, hint %q", err, hint.Of(err))
	}
}

func TestADigestDirectoryIsRead(t *testing.T) {
	s := store{}
	amd, arm := s.manifest("linux/amd64"), s.manifest("linux/arm64")
	reg, r := digestsOf(t, s)
	r.Source = source(t, release.DigestsSource{Dir: "digests", Repository: repo(t, sourceRepo)})
	r.Env.Dir, r.Env.Platforms = t.TempDir(), required(t, "linux/amd64", "linux/arm64")
	writeFile(t, filepath.Join(r.Env.Dir, "digests", strings.TrimPrefix(amd["digest"].(string), "sha256:")), nil)
	_, err := buildFrom(t, reg, r)
	want := "image app: no linux/arm64; found linux/amd64 in " + sourceRepo + "@" + amd["digest"].(string)
	if err == nil || err.Error() != want {
		t.Errorf("error is %v, want %s", err, want)
	}
	if got, want := hint.Of(err), "the directory digests holds 1 digest. Is `merge-multiple: true` set on download-artifact, and did both build jobs upload?"; got != want {
		t.Errorf("hint is %s, want %s", got, want)
	}
	writeFile(t, filepath.Join(r.Env.Dir, "digests", strings.Replace(arm["digest"].(string), ":", "-", 1)), nil)
	if _, err := buildFrom(t, reg, r); err != nil {
		t.Error(err)
	}
}

// copyOf is the request that copies the image of this descriptor, by tag.
func copyOf(t testing.TB, content store, root object) (image.Registry, image.Request) {
	t.Helper()
	reg := newServer(t)
	reg.push("acme/app", content)
	raw := content["blobs/"+strings.Replace(root["digest"].(string), ":", "/", 1)]
	reg.manifest("acme/app", "1.0", root["mediaType"].(string), raw)
	ref, err := name.ParseReference(sourceRepo + ":1.0")
	if err != nil {
		t.Fatal(err)
	}
	return reg.clients(), image.Request{Name: "app", Source: source(t, release.ImageSource{Ref: ref})}
}

func TestCopies(t *testing.T) {
	pair := func(s store) object { return s.index(s.image("linux/arm64"), s.image("linux/amd64")) }
	note := []release.Annotation{{Key: "a", Value: "b"}}
	never := func(context.Context) (map[string]string, error) { return nil, errors.New("asked of a copy") }
	for title, tc := range map[string]struct {
		root      func(store) object
		edit      func(*image.Request)
		unchanged bool
		want      []string // platforms in order; "" is an attestation
	}{
		"an index keeps its bytes":            {pair, nil, true, []string{"linux/arm64", "linux/amd64"}},
		"an index with an annotation is ours": {pair, func(r *image.Request) { r.Annotations = note }, false, []string{"linux/amd64", "linux/arm64"}},
		"an annotation that is there already": {func(s store) object {
			i := indexOf(s.image("linux/amd64"))
			i["annotations"] = object{"a": "b"}
			return s.document(ociIndex, i)
		}, func(r *image.Request) { r.Annotations = note }, true, []string{"linux/amd64"}},
		"an annotation is removed that is not there": {pair, func(r *image.Request) { r.Annotations = []release.Annotation{{Key: "a"}} }, true, []string{"linux/arm64", "linux/amd64"}},
		"defaults alone change nothing":              {pair, func(r *image.Request) { r.Defaults = never }, true, []string{"linux/arm64", "linux/amd64"}},
		"a label makes it ours":                      {pair, func(r *image.Request) { r.Labels = map[string]string{"a": "b"} }, false, []string{"linux/amd64", "linux/arm64"}},
		"a label that is there already":              {pair, func(r *image.Request) { r.Labels = map[string]string{"keep": "me"} }, true, []string{"linux/arm64", "linux/amd64"}},
		"a Docker list keeps its bytes": {func(s store) object {
			i := indexOf(s.docker("linux/amd64"), s.docker("linux/arm64"))
			i["mediaType"] = dockerList
			return s.document(dockerList, i)
		}, nil, true, []string{"linux/amd64", "linux/arm64"}},
		"attestations are left out": {func(s store) object {
			amd := s.image("linux/amd64")
			return s.index(amd, s.attestation(amd))
		}, nil, false, []string{"linux/amd64"}},
		"attestations are kept": {func(s store) object {
			amd := s.image("linux/amd64")
			return s.index(amd, s.attestation(amd))
		}, func(r *image.Request) { r.Env.KeepAttestations = true }, true, []string{"linux/amd64", ""}},
		"an attestation about nothing that is kept": {func(s store) object {
			return s.index(s.image("linux/amd64"), s.attestation(object{"digest": "sha256:" + strings.Repeat("1", 64)}))
		}, func(r *image.Request) { r.Env.KeepAttestations = true }, false, []string{"linux/amd64"}},
		"a nested index is made flat": {func(s store) object {
			return s.index(s.image("linux/arm64"), s.index(s.image("linux/amd64")))
		}, nil, false, []string{"linux/amd64", "linux/arm64"}},
		"two images for one platform stay": {func(s store) object {
			return s.index(s.image("linux/amd64"), s.image("linux/amd64", func(m object) { m["annotations"] = object{"zstd": "true"} }))
		}, nil, true, []string{"linux/amd64", "linux/amd64"}},
	} {
		t.Run(title, func(t *testing.T) {
			s := store{}
			root := tc.root(s)
			reg, r := copyOf(t, s, root)
			if tc.edit != nil {
				tc.edit(&r)
			}
			b, err := buildFrom(t, reg, r)
			if err != nil {
				t.Fatal(err)
			}
			if (b.Root().Digest.String() == root["digest"]) != tc.unchanged {
				t.Errorf("the digest is %s; the source is %s", b.Root().Digest, root["digest"])
			}
			if tc.unchanged && string(b.Root().MediaType) != root["mediaType"] {
				t.Errorf("media type is %s, the source's %s", b.Root().MediaType, root["mediaType"])
			}
			if !tc.unchanged && b.Root().MediaType != ociIndex {
				t.Errorf("media type is %s", b.Root().MediaType)
			}
			if digestOf(b.Root().Raw) != b.Root().Digest.String() {
				t.Error("digest and bytes of the root differ")
			}
			if got := platforms(b); !slices.Equal(got, tc.want) {
				t.Errorf("platforms are %q, want %q", got, tc.want)
			}
			want := []provenance.Dependency{{
				URI:    "pkg:oci/app@" + root["digest"].(string) + "?repository_url=" + sourceRepo,
				Digest: map[string]string{"sha256": root["digest"].(string)[7:]},
			}}
			if diff := cmp.Diff(want, b.Dependencies()); diff != "" {
				t.Errorf("dependencies (-want +got):\n%s", diff)
			}
		})
	}
}

func TestACopyOfASingleManifest(t *testing.T) {
	s := store{}
	root := s.docker("linux/amd64")
	reg, r := copyOf(t, s, root)
	b, err := buildFrom(t, reg, r)
	if err != nil {
		t.Fatal(err)
	}
	if b.Root().Digest.String() != root["digest"] || b.Root().MediaType != dockerManifest {
		t.Errorf("the copy is %s %s", b.Root().MediaType, b.Root().Digest)
	}
	if m := b.Manifests(); len(m) != 1 || m[0].Digest != b.Root().Digest || m[0].Platform.String() != "linux/amd64" || len(m[0].Blobs) != 3 {
		t.Errorf("its manifests are %+v", m)
	}

	r.Annotations = []release.Annotation{{Key: "a", Value: "b"}}
	if b, err = buildFrom(t, reg, r); err != nil {
		t.Fatal(err)
	}
	index := parse[indexJSON](t, b.Root().Raw)
	if b.Root().MediaType != ociIndex || len(index.Manifests) != 1 || index.Manifests[0].Digest != root["digest"] || index.Manifests[0].MediaType != dockerManifest {
		t.Errorf("with an index annotation it is %s", b.Root().Raw)
	}
}

func TestAMissingPlatformOfACopy(t *testing.T) {
	s := store{}
	root := s.index(s.image("linux/amd64"))
	reg, r := copyOf(t, s, root)
	r.Env.Platforms = required(t, "linux/amd64", "linux/arm64")
	_, err := buildFrom(t, reg, r)
	want := "image app: no linux/arm64; found linux/amd64 in " + sourceRepo + "@" + root["digest"].(string)
	if err == nil || err.Error() != want || hint.Of(err) == "" {
		t.Errorf("error is %v (%s), want %s", err, hint.Of(err), want)
	}
}

// TestACopyInPlaceReadsNoConfig holds that the platform of the index is enough where no config is sent, and that a
// label needs it all the same.
func TestACopyInPlaceReadsNoConfig(t *testing.T) {
	s := store{}
	var config string
	root := s.index(s.image("linux/amd64", func(m object) { config = m["config"].(object)["digest"].(string) }))
	delete(s, "blobs/"+strings.Replace(config, ":", "/", 1))
	reg, r := copyOf(t, s, root)
	r.Env.Repositories = []name.Repository{repo(t, sourceRepo)}
	b, err := buildFrom(t, reg, r)
	if err != nil {
		t.Fatal(err)
	}
	if b.Root().Digest.String() != root["digest"] || !slices.Equal(platforms(b), []string{"linux/amd64"}) {
		t.Errorf("the copy is %s with %q", b.Root().Raw, platforms(b))
	}
	r.Labels = map[string]string{"a": "b"}
	if _, err := buildFrom(t, reg, r); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("error is %v", err)
	}
	r.Env.Repositories, r.Labels = append(r.Env.Repositories, repo(t, "ghcr.io/acme/app")), nil
	if _, err := buildFrom(t, reg, r); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("elsewhere, error is %v", err)
	}
}

func TestAdopt(t *testing.T) {
	s := store{}
	amd := s.image("linux/amd64")
	root := s.index(s.image("linux/arm64"), amd, s.attestation(amd))
	reg := newServer(t)
	reg.push("acme/app", s)
	b, err := image.Adopt(t.Context(), reg.clients(), "app", repo(t, sourceRepo), hash(t, root["digest"]))
	if err != nil {
		t.Fatal(err)
	}
	if !b.Ok() || !b.Adopted() || b.Name() != "app" || len(b.Dependencies()) != 0 || b.Root().Digest.String() != root["digest"] {
		t.Errorf("adopted is %+v", b)
	}
	if got, want := platforms(b), []string{"linux/arm64", "linux/amd64", ""}; !slices.Equal(got, want) {
		t.Errorf("platforms are %q, want %q", got, want)
	}
	for _, c := range b.Manifests() {
		for _, blob := range c.Blobs {
			if digestOf(read(t, blob)) != blob.Digest.String() {
				t.Errorf("blob %s has other content", blob.Digest)
			}
		}
	}
}

func TestAdoptRefuses(t *testing.T) {
	s := store{}
	nested := s.index(s.index(s.image("linux/amd64")))
	empty := s.index()
	for title, tc := range map[string]struct{ digest, want string }{
		"a digest that is not there": {"sha256:" + strings.Repeat("0", 64), "not found"},
		"an index of indexes":        {nested["digest"].(string), "nests another"},
		"an index of nothing":        {empty["digest"].(string), "empty"},
	} {
		t.Run(title, func(t *testing.T) {
			reg := newServer(t)
			reg.push("acme/app", s)
			b, err := image.Adopt(t.Context(), reg.clients(), "app", repo(t, sourceRepo), hash(t, tc.digest))
			if err == nil || !strings.Contains(err.Error(), tc.want) || b.Ok() {
				t.Errorf("error is %v, want %q in it", err, tc.want)
			}
		})
	}
}

// TestARegistryThatLies holds that nothing that a registry answers is believed: whatever is asked by digest has it.
func TestARegistryThatLies(t *testing.T) {
	s := store{}
	var config object
	child := s.image("linux/amd64", func(m object) { config = m["config"].(object) })
	root := s.index(child)
	ref, err := name.ParseReference(sourceRepo + "@" + root["digest"].(string))
	if err != nil {
		t.Fatal(err)
	}
	for of, victim := range map[string]object{"of the index": root, "of a manifest": child, "of a config": config} {
		t.Run(of, func(t *testing.T) {
			reg := newServer(t)
			raw := s["blobs/"+strings.Replace(victim["digest"].(string), ":", "/", 1)]
			reg.push("acme/app", s)
			reg.handler = tamper(reg.handler, raw)
			_, err := buildFrom(t, reg.clients(), image.Request{Name: "app", Source: source(t, release.ImageSource{Ref: ref})})
			if err == nil {
				t.Error("other bytes were taken")
			}
		})
	}
}
