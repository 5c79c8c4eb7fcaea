package image_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"

	"github.com/taglast/taglast/internal/buildx"
	"github.com/taglast/taglast/internal/hint"
	"github.com/taglast/taglast/internal/image"
	"github.com/taglast/taglast/internal/testkit/buildxtest"
	"github.com/taglast/taglast/pkg/release"
)

func TestMain(m *testing.M) {
	buildxtest.Main()
	os.Exit(m.Run())
}

// built is what buildx leaves for these images: an index in index.json, or the one manifest itself.
func left(t *testing.T, s store, images ...object) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "layout")
	root := images[0]
	if len(images) > 1 {
		root = s.index(images...)
	}
	s.tops(named(root, "latest")).writeDir(t, dir)
	return dir
}

// dockerfiles is a run with a builder that leaves what a script says.
type dockerfiles struct {
	standin   buildxtest.Standin
	workspace image.Workspace
	env       image.Env
}

func newDockerfiles(t *testing.T, script buildxtest.Script, asked ...string) *dockerfiles {
	t.Helper()
	d := &dockerfiles{standin: buildxtest.Install(t, "", script)}
	t.Cleanup(func() {
		if err := d.workspace.Remove(); err != nil {
			t.Error(err)
		}
	})
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "Dockerfile"), []byte("FROM scratch\n"))
	writeFile(t, filepath.Join(dir, "base.Dockerfile"), []byte("FROM scratch\n"))
	d.env = image.Env{
		Dir: dir, Platforms: required(t, asked...), TempDir: d.workspace.Dir,
		Builder: buildx.New(buildx.Options{Environ: d.standin.Environ("TOKEN=x")}),
		Created: func(context.Context) (time.Time, error) { return time.Unix(1767323045, 0), nil },
	}
	return d
}

func (d *dockerfiles) build(t *testing.T, r image.Request) (image.Built, error) {
	t.Helper()
	r.Env = d.env
	if r.Name == "" {
		r.Name = "app"
	}
	if r.Source == nil {
		r.Source = source(t, release.DockerfileSource{File: "Dockerfile"})
	}
	return image.Build(t.Context(), r)
}

// call is the one build that ran.
func (d *dockerfiles) call(t *testing.T) buildxtest.Call {
	t.Helper()
	calls := d.standin.Calls(t, "build")
	if len(calls) != 1 {
		t.Fatalf("%d builds ran, want 1", len(calls))
	}
	return calls[0]
}

func defaultsOf(pairs ...string) image.Defaults {
	return func(context.Context) (map[string]string, error) {
		out := map[string]string{}
		for i := 0; i < len(pairs); i += 2 {
			out[pairs[i]] = pairs[i+1]
		}
		return out, nil
	}
}

func TestADockerfileIsBuiltForAllPlatformsAtOnce(t *testing.T) {
	s := store{}
	amd, arm := s.image("linux/amd64"), s.image("linux/arm64")
	d := newDockerfiles(t, buildxtest.Script{
		Layouts:  map[string]string{"": left(t, s, arm, amd)},
		Metadata: `{"buildx.build.provenance/linux/amd64":{"materials":[{"uri":"pkg:docker/alpine@3.23?platform=linux%2Famd64","digest":{"sha256":"` + strings.Repeat("a", 64) + `"}}]}}`,
	}, "linux/amd64", "linux/arm64")
	b, err := d.build(t, image.Request{
		Source:   source(t, everyKey()),
		Labels:   map[string]string{"l": "mine", "title": "mine", "gone": ""},
		Defaults: defaultsOf("title", "default", "version", "1", "gone", "x"),
		Annotations: []release.Annotation{
			{Level: "manifest", Key: "version", Value: "2"},
			{Key: "version", Value: "3"},
			{Level: "manifest", Platform: required(t, "linux/arm64")[0], Key: "title", Value: ""},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := platforms(b); !slices.Equal(got, []string{"linux/amd64", "linux/arm64"}) {
		t.Errorf("platforms are %v", got)
	}
	call := d.call(t)
	want := []string{
		"build", "--file=web/../Dockerfile", "--platform=linux/amd64,linux/arm64", "--target=t", "--build-arg=A=1", "--build-arg=TOKEN",
		"--label=l=mine", "--label=title=mine", "--label=version=1", "--secret=id=s,env=TOKEN", "--build-context=c=docker-image://c",
		"--cache-from=type=local,src=x", "--cache-to=type=inline", "--builder=b", "--pull=true", "--no-cache-filter=f",
		"--add-host=h:1.1.1.1", "--allow=network.host", "--network=none", "--shm-size=1g", "--ulimit=nofile=1", "--ssh=k=/key", "--provenance=false",
	}
	if diff := cmp.Diff(want, call.Args[:len(want)]); diff != "" {
		t.Errorf("arguments (-want +got):\n%s", diff)
	}
	if call.Args[len(call.Args)-1] != "." || !slices.Contains(call.Env, "SOURCE_DATE_EPOCH=1767323045") {
		t.Errorf("context %s, environment %q", call.Args[len(call.Args)-1], call.Env)
	}
	if got := parse[indexJSON](t, b.Root().Raw).Annotations; !cmp.Equal(got, map[string]string{"title": "default", "version": "3", "gone": "x"}) {
		t.Errorf("the index has %v", got)
	}
	for i, want := range []map[string]string{{"title": "default", "version": "2", "gone": "x"}, {"version": "2", "gone": "x"}} {
		if got := parse[indexJSON](t, b.Manifests()[i].Raw).Annotations; !cmp.Equal(got, want) {
			t.Errorf("manifest %d has %v, want %v", i, got, want)
		}
	}
	if dependencies := b.Dependencies(); len(dependencies) != 1 || dependencies[0].URI != "pkg:docker/alpine@3.23?platform=linux%2Famd64" {
		t.Errorf("dependencies are %v", dependencies)
	}
}

func everyKey() release.DockerfileSource {
	return release.DockerfileSource{
		File: "web/../Dockerfile", Target: "t", Args: []release.BuildArg{{Name: "A", Value: "1"}, {Name: "TOKEN", FromEnvironment: true}},
		Secrets: []release.Secret{{ID: "s", Env: "TOKEN"}}, Contexts: []release.NamedContext{{Name: "c", Value: "docker-image://c"}},
		CacheFrom: []release.Cache{{Kind: "local", Text: "type=local,src=x"}}, CacheTo: []release.Cache{{Kind: "inline", Text: "type=inline"}},
		Builder: "b", Pull: true, NoCacheFilters: []string{"f"}, AddHosts: []string{"h:1.1.1.1"}, Allow: []string{"network.host"},
		Network: "none", ShmSize: "1g", Ulimits: []string{"nofile=1"}, SSH: []string{"k=/key"},
	}
}

func TestAttestationsOfABuilderThatAreKept(t *testing.T) {
	s := store{}
	amd := s.image("linux/amd64")
	d := newDockerfiles(t, buildxtest.Script{Layouts: map[string]string{"": left(t, s, amd, s.attestation(amd))}}, "linux/amd64")
	d.env.KeepAttestations = true
	b, err := d.build(t, image.Request{Labels: map[string]string{"keep": "me"}, Defaults: defaultsOf("title", "default")})
	if err != nil {
		t.Fatal(err)
	}
	if args := d.call(t).Args; !slices.Contains(args, "--provenance=mode=min") || slices.Contains(args, "--sbom=true") || !slices.Contains(args, "--label=title=default") {
		t.Errorf("arguments are %q", args)
	}
	if len(b.Manifests()) != 2 || b.Manifests()[0].Digest.String() != amd["digest"] {
		t.Errorf("the index has %v, want the image as the builder made it and its attestation", platforms(b))
	}
	t.Run("an SBOM is asked for, and missed where none comes", func(t *testing.T) {
		d := newDockerfiles(t, buildxtest.Script{Layouts: map[string]string{"": left(t, s, amd)}}, "linux/amd64")
		_, err := d.build(t, image.Request{SBOM: release.SBOM{FromBuild: true}})
		if err == nil || !slices.Contains(d.call(t).Args, "--sbom=true") {
			t.Errorf("arguments are %q, the error is %v", d.call(t).Args, err)
		}
	})
	t.Run("a label of a base image cannot be removed", func(t *testing.T) {
		_, err := d.build(t, image.Request{Labels: map[string]string{"keep": ""}})
		if err == nil || !strings.Contains(err.Error(), "one that is to be removed comes from a base image") {
			t.Errorf("the error is %v", err)
		}
	})
	t.Run("manifest annotations are refused", func(t *testing.T) {
		_, err := d.build(t, image.Request{Annotations: []release.Annotation{{Level: "manifest", Key: "a", Value: "b"}}})
		if err == nil || !strings.Contains(err.Error(), "BuildKit's attestations are about the digests") {
			t.Errorf("the error is %v", err)
		}
	})
}

func TestAttestationsOfABuilderAreLeftOut(t *testing.T) {
	s := store{}
	amd := s.image("linux/amd64")
	d := newDockerfiles(t, buildxtest.Script{Layouts: map[string]string{"": left(t, s, amd, s.attestation(amd))}}, "linux/amd64")
	b, err := d.build(t, image.Request{})
	if err != nil {
		t.Fatal(err)
	}
	if got := platforms(b); !slices.Equal(got, []string{"linux/amd64"}) {
		t.Errorf("platforms are %q", got)
	}
}

func TestWhatABuilderLeaves(t *testing.T) {
	s := store{}
	amd, arm, s390x := s.image("linux/amd64"), s.image("linux/arm64"), s.image("linux/s390x")
	half := left(t, s, amd, arm)
	if err := os.Remove(filepath.Join(half, "blobs", strings.Replace(arm["digest"].(string), ":", "/", 1))); err != nil {
		t.Fatal(err)
	}
	noLayer := left(t, s, amd)
	if err := os.Remove(filepath.Join(noLayer, "blobs", strings.Replace(digestOf([]byte("shared layer")), ":", "/", 1))); err != nil {
		t.Fatal(err)
	}
	empty := t.TempDir()
	others := "another set of platforms than it was asked for"
	for name, tc := range map[string]struct {
		layout     string
		asked      []string
		want, hint string // empty: it is built
	}{
		"what was asked for":             {left(t, s, amd, arm), []string{"linux/arm64", "linux/amd64"}, "", ""},
		"one image, as its own root":     {left(t, s, amd), []string{"linux/amd64"}, "", ""},
		"its own platform, none asked":   {left(t, s, s390x), nil, "", ""},
		"no layout":                      {"", []string{"linux/amd64"}, "image app: what the builder left: the build of Dockerfile: file does not exist", "run it again"},
		"an empty folder":                {empty, []string{"linux/amd64"}, "image app: what the builder left: the build of Dockerfile: not an OCI layout: it has no file oci-layout", "run it again"},
		"half a layout":                  {half, []string{"linux/amd64", "linux/arm64"}, "image app: what the builder left: the build of Dockerfile: blobs/sha256/" + strings.TrimPrefix(arm["digest"].(string), "sha256:") + ": file does not exist", "run it again"},
		"a layout without a layer":       {noLayer, []string{"linux/amd64"}, "blobs/sha256/" + strings.TrimPrefix(digestOf([]byte("shared layer")), "sha256:") + ": file does not exist", "run it again"},
		"a platform fewer":               {left(t, s, amd), []string{"linux/amd64", "linux/arm64"}, "image app: no linux/arm64; found linux/amd64 in the build of Dockerfile", others},
		"other platforms":                {left(t, s, arm), []string{"linux/amd64"}, "image app: no linux/amd64; found linux/arm64 in the build of Dockerfile", others},
		"a platform more than asked for": {left(t, s, amd, arm), []string{"linux/amd64"}, "image app: linux/arm64 was not asked for; found linux/amd64, linux/arm64 in the build of Dockerfile", others},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDockerfiles(t, buildxtest.Script{Layouts: map[string]string{"": tc.layout}}, tc.asked...)
			_, err := d.build(t, image.Request{})
			if tc.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || !strings.HasSuffix(err.Error(), tc.want) || !strings.Contains(hint.Of(err), tc.hint) {
				t.Errorf("the error is\n%v\nwith the hint %q, want\n%s", err, hint.Of(err), tc.want)
			}
		})
	}
}

func TestAnImageOfTheReleaseAsContext(t *testing.T) {
	base, app := store{}, store{}
	amd, arm := base.image("linux/amd64"), base.image("linux/arm64")
	d := newDockerfiles(t, buildxtest.Script{
		Layouts:    map[string]string{"base.Dockerfile": left(t, base, amd, arm), "Dockerfile": left(t, app, app.image("linux/amd64"), app.image("linux/arm64"))},
		MetadataOf: map[string]string{"base.Dockerfile": `{"buildx.build.provenance":{"materials":[{"uri":"pkg:docker/alpine@3.23","digest":{"sha256":"` + strings.Repeat("a", 64) + `"}}]}}`},
	}, "linux/amd64", "linux/arm64")
	sources := map[string]image.Source{
		"base": source(t, release.DockerfileSource{File: "base.Dockerfile"}),
		"app":  source(t, release.DockerfileSource{File: "Dockerfile", Contexts: []release.NamedContext{{Name: "b", Image: "base"}}}),
		"same": source(t, release.DockerfileSource{File: "Dockerfile", Contexts: []release.NamedContext{{Name: "b", Image: "base"}}}),
		"ring": source(t, release.DockerfileSource{File: "Dockerfile", Contexts: []release.NamedContext{{Name: "b", Image: "ring"}}}),
	}
	siblings := image.NewSiblings(func(ctx context.Context, name string, built func(context.Context, string) (image.Built, error)) (image.Built, error) {
		r := image.Request{Name: name, Source: sources[name], Env: d.env, Annotations: []release.Annotation{{Level: "manifest", Key: "of", Value: "base"}}}
		r.Env.Built = built
		return image.Build(ctx, r)
	})
	for _, name := range []string{"app", "same"} {
		b, err := siblings.Build(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		if d := b.Dependencies(); len(d) != 1 || d[0].URI != "pkg:docker/alpine@3.23" {
			t.Errorf("dependencies of %s are %v, want what the image that it is built on has", name, d)
		}
	}
	b, err := siblings.Build(t.Context(), "base")
	if err != nil {
		t.Fatal(err)
	}
	calls := d.standin.Calls(t, "build")
	if len(calls) != 2 {
		t.Fatalf("%d builds ran, want those of base and app: the third is the second's", len(calls))
	}
	layout := ""
	for _, a := range calls[1].Args {
		if text, ok := strings.CutPrefix(a, "--build-context=b=oci-layout://"); ok {
			var digest string
			if layout, digest, _ = strings.Cut(text, "@"); digest != b.Root().Digest.String() {
				t.Errorf("the context is %s, want the index that is published: %s", digest, b.Root().Digest)
			}
		}
	}
	if layout == "" {
		t.Fatalf("arguments are %q", calls[1].Args)
	}
	// The layout is one that a builder, and so this package, can read whole.
	again, err := image.Build(t.Context(), image.Request{Name: "again", Source: oci(layout)})
	if err != nil {
		t.Fatal(err)
	}
	if got := platforms(again); !slices.Equal(got, []string{"linux/amd64", "linux/arm64"}) {
		t.Errorf("the layout has %v", got)
	}
	for i, c := range again.Manifests() {
		if c.Digest != b.Manifests()[i].Digest {
			t.Errorf("its manifest %d is %s, want %s", i, c.Digest, b.Manifests()[i].Digest)
		}
		for _, blob := range c.Blobs {
			if raw := read(t, blob); digestOf(raw) != blob.Digest.String() {
				t.Errorf("blob %s has other content", blob.Digest)
			}
		}
	}
	layer := b.Manifests()[0].Blobs[1]
	from, err := layer.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	made, err := from.(*os.File).Stat()
	if err != nil {
		t.Fatal(err)
	}
	if handed, err := os.Stat(filepath.Join(layout, "blobs", "sha256", layer.Digest.Hex)); err != nil || !os.SameFile(made, handed) {
		t.Errorf("the layer was copied, %v; another name of the same file does as well", err)
	}
	if _, err := siblings.Build(t.Context(), "ring"); err == nil || !strings.Contains(err.Error(), "circle: ring → ring") {
		t.Errorf("an image that is built from itself: %v", err)
	}
}

func TestAContextWhoseLayerIsNotWhatItsDigestSays(t *testing.T) {
	reg := newServer(t)
	base := store{}
	index := base.index(base.image("linux/amd64"))
	reg.push("acme/base", base)
	reg.manifest("acme/base", "1", ociIndex, base["blobs/"+strings.Replace(index["digest"].(string), ":", "/", 1)])
	reg.handler = tamper(reg.handler, []byte("shared layer"))
	ref, err := name.ParseReference("registry.example/acme/base:1")
	if err != nil {
		t.Fatal(err)
	}
	d := newDockerfiles(t, buildxtest.Script{})
	d.env.Built = func(ctx context.Context, of string) (image.Built, error) {
		return image.Build(ctx, image.Request{Name: of, Source: source(t, release.ImageSource{Ref: ref}), Env: image.Env{Registry: reg.clients()}})
	}
	_, err = d.build(t, image.Request{Source: source(t, release.DockerfileSource{File: "Dockerfile", Contexts: []release.NamedContext{{Name: "b", Image: "base"}}})})
	if err == nil || !strings.Contains(err.Error(), "context b: image base: blob "+digestOf([]byte("shared layer"))) {
		t.Errorf("the error is %v", err)
	}
	if n := len(d.standin.Calls(t, "build")); n != 0 {
		t.Errorf("%d builds ran", n)
	}
}

func TestADockerfileThatCannotBeBuilt(t *testing.T) {
	s := store{}
	layouts := map[string]string{"": left(t, s, s.image("linux/amd64"))}
	noDate := errors.New("no date")
	for name, tc := range map[string]struct {
		change func(*image.Request)
		want   string
	}{
		"no builder":    {func(r *image.Request) { r.Env.Builder = nil }, "dockerfile: this run has no builder"},
		"no Dockerfile": {func(r *image.Request) { r.Source = source(t, release.DockerfileSource{File: "no"}) }, "no: there is no such Dockerfile"},
		"no date": {func(r *image.Request) {
			r.Env.Created = func(context.Context) (time.Time, error) { return time.Time{}, noDate }
		}, "image app: no date"},
		"no labels": {func(r *image.Request) {
			r.Defaults = func(context.Context) (map[string]string, error) { return nil, noDate }
		}, "image app: no date"},
		"no place for it": {func(r *image.Request) { r.Env.TempDir = nil }, "image app: this run has no temporary directory"},
		"no other images": {func(r *image.Request) {
			r.Source = source(t, release.DockerfileSource{File: "Dockerfile", Contexts: []release.NamedContext{{Name: "b", Image: "base"}}})
		}, "image app: image base: this run builds only one image"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDockerfiles(t, buildxtest.Script{Layouts: layouts})
			r := image.Request{Name: "app", Env: d.env, Source: source(t, release.DockerfileSource{File: "Dockerfile"})}
			tc.change(&r)
			_, err := image.Build(t.Context(), r)
			if err == nil || err.Error() != tc.want {
				t.Errorf("the error is %v, want %s", err, tc.want)
			}
		})
	}
	if src := source(t, release.DockerfileSource{}); src.Local() || src.Repositories() != nil {
		t.Error("a Dockerfile is local, or reads from a registry by itself")
	}
}
