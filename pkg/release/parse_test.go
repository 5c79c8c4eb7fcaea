package release_test

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/taglast/taglast/internal/hint"
	"github.com/taglast/taglast/pkg/release"
	"github.com/taglast/taglast/pkg/tagrule"
)

func env(pairs ...string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for _, p := range pairs {
			if k, v, _ := strings.Cut(p, "="); k == name {
				return v, true
			}
		}
		return "", false
	}
}

// parsed compares values that keep their texts to themselves.
var parsed = cmp.Options{
	cmp.Comparer(func(a, b name.Repository) bool { return a == b }),
	cmp.Comparer(func(a, b name.Reference) bool { return a == b }),
	cmp.Comparer(func(a, b tagrule.Rule) bool { return a.String() == b.String() }),
	cmp.Comparer(func(a, b tagrule.Flavor) bool { return reflect.DeepEqual(a, b) }),
}

// each reads texts one by one.
func each[T any](t *testing.T, read func(string) (T, error), texts []string) []T {
	t.Helper()
	var out []T
	for _, text := range texts {
		v, err := read(text)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	return out
}

func rules(t *testing.T, lines ...string) []tagrule.Rule {
	t.Helper()
	return each(t, tagrule.Parse, lines)
}

func flavor(t *testing.T, lines ...string) tagrule.Flavor {
	t.Helper()
	f, err := tagrule.ParseFlavor(lines)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func platforms(t *testing.T, texts ...string) []release.Platform {
	t.Helper()
	return each(t, release.ParsePlatform, texts)
}

func repos(t *testing.T, texts ...string) []name.Repository {
	t.Helper()
	return each(t, func(text string) (name.Repository, error) { return name.NewRepository(text, name.StrictValidation) }, texts)
}

func repo(t *testing.T, text string) name.Repository {
	t.Helper()
	return repos(t, text)[0]
}

func TestParseResolves(t *testing.T) {
	const file = `
repositories:
  - ghcr.io/Acme/{{image}}
  - index.docker.io/acme/{{image}}
platforms: [linux/x86_64, linux/arm64/v8, linux/arm]
release-version: ${RELEASE_VERSION:-}
tags: |
  # the version
  type=semver,pattern={{version}}

  type=raw,value={{image}}-1.10
flavor: latest=auto
annotations:
  org.opencontainers.image.licenses: MIT
  org.opencontainers.image.version: 1.10
  "manifest[linux/aarch64]:com.example.number": 010
labels: {a: yes, b: "x"}
fixed: nightly-20*
images:
  - name: app
    source: {oci: dist/app.tar}
  - name: tool
    repositories: registry-1.docker.io/tool
    tags: []
    platforms:
    release-version: ${VERSION}
    if-no-tags: skip
    annotations: {"index:org.opencontainers.image.licenses": "", "index,manifest:x": "$$5"}
    labels: {b: z}
    fixed: []
    allow-downgrade: ["1"]
    source:
      digests: [` + "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" + `]
`
	got, err := release.Parse("sub/taglast.yaml", []byte(file), env("VERSION=1.2.3"))
	if err != nil {
		t.Fatal(err)
	}
	want := &release.File{Path: "sub/taglast.yaml", Dir: "sub", Images: []release.Image{
		{
			Name:         "app",
			Repositories: repos(t, "ghcr.io/acme/app", "docker.io/acme/app"),
			Platforms:    platforms(t, "linux/amd64", "linux/arm64", "linux/arm/v7"),
			Tags:         rules(t, "type=semver,pattern={{version}}", "type=raw,value=app-1.10"),
			Flavor:       flavor(t, "latest=auto"),
			Annotations: []release.Annotation{
				{Level: "index", Key: "org.opencontainers.image.licenses", Value: "MIT"},
				{Level: "index", Key: "org.opencontainers.image.version", Value: "1.10"},
				{Level: "manifest", Platform: platforms(t, "linux/arm64")[0], Key: "com.example.number", Value: "010"},
			},
			Labels:   map[string]string{"a": "yes", "b": "x"},
			IfNoTags: "error",
			Fixed:    []string{"nightly-20*"},
			Source:   release.OCISource{Paths: []string{"dist/app.tar"}},
			Line:     20,
			Column:   5,
		},
		{
			Name:           "tool",
			Repositories:   repos(t, "docker.io/library/tool"),
			ReleaseVersion: "1.2.3",
			Flavor:         flavor(t, "latest=auto"),
			Annotations: []release.Annotation{
				{Level: "index", Key: "org.opencontainers.image.licenses"},
				{Level: "index", Key: "org.opencontainers.image.version", Value: "1.10"},
				{Level: "index", Key: "x", Value: "$5"},
				{Level: "manifest", Key: "x", Value: "$5"},
				{Level: "manifest", Platform: platforms(t, "linux/arm64")[0], Key: "com.example.number", Value: "010"},
			},
			Labels:         map[string]string{"a": "yes", "b": "z"},
			IfNoTags:       "skip",
			AllowDowngrade: []string{"1"},
			Source: release.DigestsSource{
				List:       []v1.Hash{{Algorithm: "sha256", Hex: hex}},
				Repository: repo(t, "docker.io/library/tool"),
			},
			Line:   22,
			Column: 5,
		},
	}}
	if diff := cmp.Diff(want, got, parsed); diff != "" {
		t.Error(diff)
	}
}

func TestSources(t *testing.T) {
	for title, tc := range map[string]struct {
		source string
		want   release.Source
	}{
		"a layout":                  {"{oci: dist/app.tar}", release.OCISource{Paths: []string{"dist/app.tar"}}},
		"several layouts with ref":  {"{oci: [a.tar, 'b-{{image}}-*.tar'], ref: v1}", release.OCISource{Paths: []string{"a.tar", "b-app-*.tar"}, Ref: "v1"}},
		"a block of layouts":        {"{oci: \"a.tar\\nb.tar\\n\"}", release.OCISource{Paths: []string{"a.tar", "b.tar"}}},
		"a directory of digests":    {"{digests: out/digests}", release.DigestsSource{Dir: "out/digests", Repository: repo(t, "ghcr.io/acme/app")}},
		"one digest":                {"{digests: 'sha256:" + hex + "'}", release.DigestsSource{List: []v1.Hash{{Algorithm: "sha256", Hex: hex}}, Repository: repo(t, "ghcr.io/acme/app")}},
		"digests in a repository":   {"{digests: [sha256-" + hex + "], repository: ghcr.io/acme/Cache}", release.DigestsSource{List: []v1.Hash{{Algorithm: "sha256", Hex: hex}}, Repository: repo(t, "ghcr.io/acme/cache")}},
		"an image of another place": {"{image: 'alpine:3.23'}", release.ImageSource{Ref: name.MustParseReference("alpine:3.23")}},
	} {
		t.Run(title, func(t *testing.T) {
			f, err := release.Parse("taglast.yaml", []byte("repositories: [ghcr.io/acme/app]\ntags: []\nimages:\n- {name: app, source: "+tc.source+"}\n"), nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, f.Images[0].Source, parsed); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// kinds are those of sources as messages name them.
var kinds = "`" + strings.Join(release.SourceKinds(), "`, `") + "`"

const hex = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func TestAliasesAreRead(t *testing.T) {
	const file = "repositories: &r [ghcr.io/acme/app]\ntags: &t [a]\nimages:\n- {name: app, repositories: *r, tags: *t, source: {oci: x}}\n"
	f, err := release.Parse("taglast.yaml", []byte(file), nil)
	if err != nil || f.Images[0].Tags[0].String() != "a" {
		t.Fatalf("%v, %v", f, err)
	}
}

func TestPlaceholders(t *testing.T) {
	for name, tc := range map[string]struct{ value, want string }{
		"a variable":                            {"${A}", "va"},
		"a variable amid text":                  {"x${A}y${A}", "xvayva"},
		"a default for an unset one":            {"${NONE:-d}", "d"},
		"a default for an empty one":            {"${EMPTY:-d}", "d"},
		"an empty default":                      {"x${NONE:-}", "x"},
		"an empty variable that is set":         {"x${EMPTY}", "x"},
		"a default that is a variable":          {"${NONE:-${A}}", "va"},
		"a default with the image":              {"${NONE:-{{image}}-x}", "app-x"},
		"a default is not used without need":    {"${A:-${NONE}}", "va"},
		"a dollar":                              {"$${A}", "${A}"},
		"a lone dollar is itself":               {"a$ b$", "a$ b$"},
		"what a variable holds is text":         {"${BRACES}", "{{image}} ${A}"},
		"the image":                             {"{{image}}-{{ image }}", "app-app"},
		"single braces are themselves":          {"{a} {", "{a} {"},
		"a number keeps its zeros":              {"010.0", "010.0"},
		"a word that YAML 1.1 takes for a bool": {"yes", "yes"},
	} {
		t.Run(name, func(t *testing.T) {
			quoted := tc.value
			if strings.ContainsAny(quoted, "{") {
				quoted = "'" + quoted + "'"
			}
			file := "repositories: [ghcr.io/acme/app]\ntags: []\nlabels:\n  l: " + quoted + "\nimages:\n- {name: app, source: {oci: x}}\n"
			f, err := release.Parse("taglast.yaml", []byte(file), env("A=va", "EMPTY=", "BRACES={{image}} ${A}"))
			if err != nil {
				t.Fatal(err)
			}
			if got := f.Images[0].Labels["l"]; got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestAListMayComeFromTheEnvironment(t *testing.T) {
	const file = "repositories: [ghcr.io/acme/app]\ntags: ${TAGS}\nplatforms: [linux/amd64, \"${MORE:-}\"]\nimages:\n- {name: app, source: {oci: x}}\n"
	f, err := release.Parse("taglast.yaml", []byte(file), env("TAGS=a\n# b\n\nc\n"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(rules(t, "a", "c"), f.Images[0].Tags, parsed); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(platforms(t, "linux/amd64"), f.Images[0].Platforms); diff != "" {
		t.Error(diff)
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "taglast.yaml")
	if _, err := release.Load(path, nil); err == nil || !os.IsNotExist(unwrapAll(err)) {
		t.Errorf("of a missing file the error is %v", err)
	}
	if err := os.WriteFile(path, []byte("repositories: [ghcr.io/acme/app]\ntags: []\nimages:\n- {name: app, source: {oci: x}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := release.Load(path, nil)
	if err != nil || f.Dir != dir || f.Path != path {
		t.Errorf("got %+v, %v", f, err)
	}
	if err := os.WriteFile(path, []byte("#"+strings.Repeat("x", 1<<20)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := release.Load(path, nil); err == nil || !strings.Contains(err.Error(), "more than 1048576 bytes") {
		t.Errorf("of a large file the error is %v", err)
	}
}

func unwrapAll(err error) error {
	for {
		u, ok := err.(interface{ Unwrap() error })
		if !ok || u.Unwrap() == nil {
			return err
		}
		err = u.Unwrap()
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"repositories: [ghcr.io/acme/app]\ntags: []\nimages:\n- {name: app, source: {oci: x}}\n",
		"repositories: |\n  ghcr.io/acme/{{image}}\ntags: |\n  type=semver,pattern={{version}}\nimages:\n- {name: \"${A:-app}\", source: {digests: d, repository: localhost:5000/x}, annotations: {\"manifest[linux/arm]:k\": v}}\n",
		"repositories: [ghcr.io/acme/app]\ntags: []\nplatforms: [linux/amd64, linux/arm]\nimages:\n- name: app\n  sbom: {path: 'sbom/{{platform}}/{{ arch-variant }}.json'}\n  source:\n    dockerfile: Dockerfile\n    context: https://example.com/a.git#main\n    args: {A: , B: '', C: c}\n    secrets: ['id=a,env=A', 'id=b,type=file,src=b']\n    contexts: {base: 'image:base'}\n    cache-from: ['type=s3,bucket=b', ghcr.io/acme/cache]\n    cache-to: 'type=registry,ref=ghcr.io/acme/cache'\n    add-hosts: ['a:[::1]']\n    allow: device=x\n    ulimit: nofile=1:2\n    shm-size: 64m\n    ssh: default\n- {name: base, sbom: true, source: {dockerfile: base/Dockerfile, args: [A, B=1], pull: true, network: none}}\n",
		"images:\n  - name: {{variant}}\n", "a: &a [*a]\n", "a: ${{ x }}\n", "? {a: b}\n: c\n", "- {{image}}/x\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := release.Parse("taglast.yaml", data, env("A=va"))
		if err != nil {
			if strings.ContainsAny(err.Error()+hint.Of(err), "\x00\x1b\r\a") {
				t.Fatalf("the error has control characters: %q", err)
			}
			return
		}
		if len(file.Images) == 0 {
			t.Fatal("no images, no error")
		}
		for _, img := range file.Images {
			if img.Name == "" || len(img.Repositories) == 0 || img.Source == nil || img.IfNoTags == "" {
				t.Fatalf("an incomplete image: %+v", img)
			}
			if d, ok := img.Source.(release.DockerfileSource); ok && strings.ContainsFunc(fmt.Sprintf("%v", d), unicode.IsControl) {
				t.Fatalf("a build with control characters: %#v", d)
			}
			for _, p := range img.Platforms {
				if strings.Contains(img.SBOM.PathFor(p), "{{arch}}") {
					t.Fatalf("a placeholder is left in %q", img.SBOM.PathFor(p))
				}
				if again, err := release.ParsePlatform(p.String()); err != nil || again != p {
					t.Fatalf("platform %q is not normal: %q, %v", p, again, err)
				}
			}
		}
	})
}

func Example() {
	const file = `
repositories: [ghcr.io/acme/hello]
tags:
  - type=semver,pattern={{version}}
  - type=semver,pattern={{major}}.{{minor}}
images:
  - name: hello
    source: {oci: dist/hello.tar}
`
	f, err := release.Parse("taglast.yaml", []byte(file), os.LookupEnv)
	if err != nil {
		fmt.Println(err, hint.Of(err))
		return
	}
	for _, img := range f.Images {
		fmt.Println(img.Name, img.Repositories, img.Tags)
	}
	// Output:
	// hello [ghcr.io/acme/hello] [type=semver,pattern={{version}} type=semver,pattern={{major}}.{{minor}}]
}
