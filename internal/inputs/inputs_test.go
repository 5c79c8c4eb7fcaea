package inputs_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/go-containerregistry/pkg/name"

	"github.com/taglast/taglast/internal/hint"
	"github.com/taglast/taglast/internal/inputs"
	"github.com/taglast/taglast/pkg/release"
	"github.com/taglast/taglast/pkg/tagrule"
)

// compared are the options for comparing releases: rules by what they say, repositories by their names.
var compared = cmp.Options{
	cmp.Comparer(func(a, b tagrule.Rule) bool { return a.String() == b.String() }),
	cmp.Comparer(func(a, b name.Repository) bool { return a.Name() == b.Name() }),
	cmpopts.IgnoreUnexported(tagrule.Flavor{}),
	cmpopts.IgnoreFields(release.Cache{}, "Ref"),
}

func repositories(names ...string) []name.Repository {
	var out []name.Repository
	for _, n := range names {
		r, err := name.NewRepository(n)
		if err != nil {
			panic(err)
		}
		out = append(out, r)
	}
	return out
}

func rules(lines ...string) []tagrule.Rule {
	var out []tagrule.Rule
	for _, line := range lines {
		r, err := tagrule.Parse(line)
		if err != nil {
			panic(err)
		}
		out = append(out, r)
	}
	return out
}

func platforms(texts ...string) []release.Platform {
	var out []release.Platform
	for _, text := range texts {
		p, err := release.ParsePlatform(text)
		if err != nil {
			panic(err)
		}
		out = append(out, p)
	}
	return out
}

// image is what inputs make without saying more, changed.
func image(change func(*release.Image)) release.Image {
	im := release.Image{
		Name: "app", Repositories: repositories("ghcr.io/acme/app"), Tags: rules("type=raw,value=1.2.3"),
		Flavor: tagrule.Flavor{Latest: "auto"}, IfNoTags: "error", Source: release.DockerfileSource{File: "Dockerfile"},
	}
	if change != nil {
		change(&im)
	}
	return im
}

func source(change func(*release.DockerfileSource)) func(*release.Image) {
	return func(im *release.Image) {
		s := release.DockerfileSource{File: "Dockerfile"}
		change(&s)
		im.Source = s
	}
}

const full = "ghcr.io/acme/app:1.2.3"

func TestWhatIsReleased(t *testing.T) {
	for name, c := range map[string]struct {
		inputs map[string]string
		job    inputs.Job
		want   []release.Image
	}{
		"a full reference": {inputs: map[string]string{"tags": full}, want: []release.Image{image(nil)}},
		"a reference without a tag": {
			inputs: map[string]string{"tags": "ghcr.io/acme/app"},
			want:   []release.Image{image(func(im *release.Image) { im.Tags = rules("type=raw,value=latest") })},
		},
		"references with the same tags are one image": {
			inputs: map[string]string{"tags": "ghcr.io/acme/app:1,docker.io/acme/other:2\nghcr.io/ACME/app:2\n# none\nacme/other:1\nlocalhost:5000/a/app:1, localhost:5000/a/app:2"},
			want: []release.Image{image(func(im *release.Image) {
				im.Repositories = repositories("ghcr.io/acme/app", "acme/other", "localhost:5000/a/app")
				im.Tags = rules("type=raw,value=1", "type=raw,value=2")
			})},
		},
		"references with other tags are another image": {
			inputs: map[string]string{"tags": "ghcr.io/acme/app:1\nquay.io/acme/app:2\nexample.com:80/acme/tool:1,example.com:80/acme/tool:3"},
			want: []release.Image{
				image(func(im *release.Image) { im.Tags = rules("type=raw,value=1") }),
				image(func(im *release.Image) {
					im.Name, im.Repositories, im.Tags = "quay.io-acme-app", repositories("quay.io/acme/app"), rules("type=raw,value=2")
				}),
				image(func(im *release.Image) {
					im.Name, im.Repositories, im.Tags = "tool", repositories("example.com:80/acme/tool"), rules("type=raw,value=1", "type=raw,value=3")
				}),
			},
		},
		"images, with the rules of metadata-action": {
			inputs: map[string]string{
				"images": "name=ghcr.io/acme/App\nname=acme/off,enable=false\nacme/hello",
				"tags":   "type=semver,pattern={{version}}\n# comment\ntype=raw,\"value=a-{{branch}}\"\n", "flavor": "latest=false\nsuffix=-x,onlatest=true",
			},
			want: []release.Image{image(func(im *release.Image) {
				im.Repositories = repositories("ghcr.io/acme/app", "acme/hello")
				im.Tags = rules("type=semver,pattern={{version}}", "type=raw,\"value=a-{{branch}}\"")
				im.Flavor = tagrule.Flavor{Latest: "false", Suffix: "-x", SuffixLatest: true}
			})},
		},
		"images in the old form": {
			inputs: map[string]string{"images": "ghcr.io/acme/app,quay.io/acme/app", "tags": "1.2.3"},
			want: []release.Image{image(func(im *release.Image) {
				im.Repositories, im.Tags = repositories("ghcr.io/acme/app", "quay.io/acme/app"), rules("1.2.3")
			})},
		},
		"images without tags have the default rules": {
			inputs: map[string]string{"images": "ghcr.io/acme/app"},
			want:   []release.Image{image(func(im *release.Image) { im.Tags = rules(tagrule.DefaultRules()...) })},
		},
		"images with tag and a source": {
			inputs: map[string]string{"images": "ghcr.io/acme/app", "tag": "edge", "source": "oci=dist/a.tar\noci=dist/b.tar"},
			want: []release.Image{image(func(im *release.Image) {
				im.Tags, im.Source = rules("edge"), release.OCISource{Paths: []string{"dist/a.tar", "dist/b.tar"}}
			})},
		},
		"the flags of publish": {
			inputs: map[string]string{
				"repository": "ghcr.io/acme/app\ndocker.io/acme/{{image}}", "tag": "type=semver,pattern={{version}}\ntype=raw,value={{image}}", "source": "oci=dist",
				"platform": "linux/amd64\nlinux/arm64", "annotation": "a=b,c\nmanifest:d=e", "label": "l=m=n", "flavor": "latest=true", "release-version": "2.0.0",
			},
			want: []release.Image{image(func(im *release.Image) {
				im.Repositories = repositories("ghcr.io/acme/app", "acme/app")
				im.Tags = rules("type=semver,pattern={{version}}", "type=raw,value=app")
				im.Source, im.Platforms = release.OCISource{Paths: []string{"dist"}}, platforms("linux/amd64", "linux/arm64")
				im.Annotations = []release.Annotation{{Level: "index", Key: "a", Value: "b,c"}, {Level: "manifest", Key: "d", Value: "e"}}
				im.Labels, im.Flavor, im.ReleaseVersion = map[string]string{"l": "m=n"}, tagrule.Flavor{Latest: "true"}, "2.0.0"
			})},
		},
		"both names of one thing, where they agree": {
			inputs: map[string]string{
				"repository": "ghcr.io/acme/App", "images": "ghcr.io/acme/app", "tag": "1.2.3", "tags": "1.2.3 ", "platform": "linux/arm64", "platforms": " linux/arm64\n",
				"label": "a=b", "labels": "a=b", "annotation": "a=b", "annotations": "a=b",
			},
			want: []release.Image{image(func(im *release.Image) {
				im.Tags, im.Platforms, im.Labels = rules("1.2.3"), platforms("linux/arm64"), map[string]string{"a": "b"}
				im.Annotations = []release.Annotation{{Level: "index", Key: "a", Value: "b"}}
			})},
		},
		"platforms, with commas and lines": {
			inputs: map[string]string{"tags": full, "platforms": "linux/amd64, linux/arm64\nlinux/arm/v7"},
			want:   []release.Image{image(func(im *release.Image) { im.Platforms = platforms("linux/amd64", "linux/arm64", "linux/arm/v7") })},
		},
		"labels and annotations keep commas, and the later counts": {
			inputs: map[string]string{
				"tags": full, "labels": "a=1\nb=x, y\n\"c=d,e\"\na=2", "annotations": "k=1,2\nmanifest[linux/amd64]:k=3\nindex:l=4\nk=5",
			},
			want: []release.Image{image(func(im *release.Image) {
				im.Labels = map[string]string{"a": "2", "b": "x, y", "c": "d,e"}
				im.Annotations = []release.Annotation{
					{Level: "index", Key: "k", Value: "5"},
					{Level: "index", Key: "l", Value: "4"},
					{Level: "manifest", Platform: platforms("linux/amd64")[0], Key: "k", Value: "3"},
				}
			})},
		},
		"annotations at the levels of the job": {
			inputs: map[string]string{"tags": full, "annotations": "k=1\nindex:l=2", "label": "m=3"},
			job:    inputs.Job{AnnotationLevels: "manifest, index"},
			want: []release.Image{image(func(im *release.Image) {
				im.Labels = map[string]string{"m": "3"}
				im.Annotations = []release.Annotation{
					{Level: "index", Key: "k", Value: "1"}, {Level: "index", Key: "l", Value: "2"}, {Level: "manifest", Key: "k", Value: "1"},
				}
			})},
		},
		"a build": {
			inputs: map[string]string{
				"tags": full, "context": "docker", "target": "final", "builder": "mine", "pull": "true", "no-cache": "True",
				"build-args": "A=1, 2\nB\n\"C=x,y\"", "build-contexts": "base=docker-image://alpine:3.23\nconf=./conf",
				"cache-from": "type=registry,ref=ghcr.io/acme/cache\nghcr.io/acme/other:cache", "cache-to": "type=local,\"dest=a,b\",mode=max",
				"secret-envs": "TOKEN=MY_TOKEN,OTHER=MY_OTHER", "secret-files": "key=a,b.pem", "sbom": "true", "provenance": "false",
			},
			want: []release.Image{image(func(im *release.Image) {
				im.SBOM.FromBuild = true
				im.Source = release.DockerfileSource{
					File: "docker/Dockerfile", Context: "docker", Target: "final", Builder: "mine", Pull: true, NoCache: true,
					Args:     []release.BuildArg{{Name: "A", Value: "1, 2"}, {Name: "B", FromEnvironment: true}, {Name: "C", Value: "x,y"}},
					Contexts: []release.NamedContext{{Name: "base", Value: "docker-image://alpine:3.23"}, {Name: "conf", Value: "./conf"}},
					CacheFrom: []release.Cache{
						{Kind: "registry", Text: "type=registry,ref=ghcr.io/acme/cache"}, {Kind: "registry", Text: "type=registry,ref=ghcr.io/acme/other:cache"},
					},
					CacheTo: []release.Cache{{Kind: "local", Text: "type=local,\"dest=a,b\",mode=max"}},
					Secrets: []release.Secret{{ID: "TOKEN", Env: "MY_TOKEN"}, {ID: "OTHER", Env: "MY_OTHER"}, {ID: "key", Src: "a,b.pem"}},
				}
			})},
		},
		"a Dockerfile by its name": {
			inputs: map[string]string{"tags": full, "file": "build/app.Dockerfile", "context": ".", "pull": "false", "provenance": "true", "sbom": "false"},
			want:   []release.Image{image(source(func(s *release.DockerfileSource) { s.File, s.Context = "build/app.Dockerfile", "." }))},
		},
		"the context of a URL": {
			inputs: map[string]string{"tags": full, "context": "https://github.com/acme/app.git#main:docker"},
			want:   []release.Image{image(source(func(s *release.DockerfileSource) { s.Context = "https://github.com/acme/app.git#main:docker" }))},
		},
		"the source of a Dockerfile with keys that have no input": {
			inputs: map[string]string{"images": "ghcr.io/acme/app", "tags": "1.2.3", "source": "dockerfile=Dockerfile\nadd-hosts=db:10.0.0.1\nno-cache-filters=test"},
			want: []release.Image{image(func(im *release.Image) {
				im.Tags = rules("1.2.3")
				im.Source = release.DockerfileSource{File: "Dockerfile", AddHosts: []string{"db:10.0.0.1"}, NoCacheFilters: []string{"test"}}
			})},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := inputs.Parse(get(c.inputs), c.job)
			if err != nil {
				t.Fatalf("%v (%s)", err, hint.Of(err))
			}
			if diff := cmp.Diff(&release.File{Dir: ".", Images: c.want}, got.File, compared); diff != "" {
				t.Error(diff)
			}
			if got.Config != "" {
				t.Errorf("a release file as well: %s", got.Config)
			}
		})
	}
}

func TestOptions(t *testing.T) {
	for name, c := range map[string]struct {
		inputs map[string]string
		want   inputs.Inputs
	}{
		"nothing": {want: inputs.Inputs{Config: "taglast.yaml", ShowSummary: true}},
		"everything": {
			inputs: map[string]string{
				"config": " release/taglast.yaml ", "release-version": "1.2.3", "registry": "ghcr.io\ndocker.io, quay.io", "only": "app\n# not\ntool",
				"store": "github", "rebuild": "true", "offline": "TRUE", "all": "true", "output-dir": "out", "format": "json", "rekor": "v1",
				"signing-config": "s.json", "trusted-root": "t.json", "jobs": "4", "timeout": "90m", "dry-run": "true", "show-summary": "false",
				"github-token": "ghs_x", "registry-auth": "- {registry: a}\n", "version": "v1.0.0",
			},
			want: inputs.Inputs{
				Config: "release/taglast.yaml", ReleaseVersion: "1.2.3", Registries: []string{"ghcr.io", "docker.io", "quay.io"}, Only: []string{"app", "tool"},
				Stores: []string{"github"}, Rebuild: true, Offline: true, All: true, OutputDir: "out", Format: "json", Rekor: "v1",
				SigningConfig: "s.json", TrustedRoot: "t.json", Jobs: 4, Timeout: 90 * time.Minute, DryRun: true,
				GitHubToken: "ghs_x", Auth: "- {registry: a}\n",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := inputs.Parse(get(c.inputs), inputs.Job{EventName: "push"})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAnnotationLevelsThatAreNone(t *testing.T) {
	for _, levels := range []string{"manifest-descriptor", "index\nindex", "#", "manifest,index-descriptor"} {
		got, err := inputs.Parse(get(map[string]string{"tags": full, "annotations": "a=b"}), inputs.Job{AnnotationLevels: levels})
		if err == nil || !strings.HasPrefix(err.Error(), "DOCKER_METADATA_ANNOTATIONS_LEVELS has `") || got.File != nil {
			t.Errorf("%q: %v", levels, err)
		}
	}
	if _, err := inputs.Parse(get(map[string]string{"tags": full}), inputs.Job{AnnotationLevels: " , index,"}); err != nil {
		t.Error(err)
	}
}

func TestTheRegistryIsAStoreBesideTheOthers(t *testing.T) {
	for stores, want := range map[string][]string{"": {"github", "registry"}, "registry": {"registry"}, "github": {"github", "registry"}} {
		got, err := inputs.Parse(get(map[string]string{"tags": full, "push-to-registry": "true", "store": stores}), inputs.Job{})
		if err != nil || !cmp.Equal(got.Stores, want) {
			t.Errorf("%q: %v, %v", stores, got.Stores, err)
		}
	}
	if got, err := inputs.Parse(get(map[string]string{"tags": full, "push-to-registry": "false"}), inputs.Job{}); err != nil || got.Stores != nil {
		t.Errorf("%v, %v", got.Stores, err)
	}
}

func TestDryRun(t *testing.T) {
	const contradiction = "inputs `push` and `dry-run` contradict each other: `push: false` is `dry-run: true`"
	for _, c := range []struct {
		event, dryRun, push string
		want                bool
		err                 string
	}{
		{event: "push"},
		{event: "pull_request", want: true},
		{event: "pull_request_target", want: true},
		{event: "merge_group", want: true},
		{event: "pull_request_review"},
		{event: "schedule", dryRun: "auto"},
		{event: "release"},
		{event: "workflow_dispatch"},
		{event: "workflow_run"},
		{event: ""},
		{event: "pull_request", dryRun: "auto", want: true},
		{event: "pull_request", dryRun: "false"},
		{event: "push", dryRun: "true", want: true},
		{event: "push", dryRun: "True", want: true},
		{event: "push", push: "false", want: true},
		{event: "push", push: "true"},
		{event: "pull_request", push: "true"},
		{event: "pull_request", push: "false", want: true},
		{event: "push", push: "false", dryRun: "true", want: true},
		{event: "push", push: "true", dryRun: "false"},
		{event: "push", push: "false", dryRun: "false", err: contradiction},
		{event: "pull_request", push: "true", dryRun: "true", want: true, err: contradiction},
		{event: "pull_request", dryRun: "yes", want: true, err: "input `dry-run`: `yes`; it is `true`, `false` or `auto`"},
		{event: "push", push: "1", err: "input `push`: `1`; it is `true` or `false`"},
	} {
		got, err := inputs.Parse(get(map[string]string{"tags": full, "dry-run": c.dryRun, "push": c.push}), inputs.Job{EventName: c.event})
		if got.DryRun != c.want || (err == nil) != (c.err == "") || err != nil && err.Error() != c.err {
			t.Errorf("%+v: %t, %v", c, got.DryRun, err)
		}
	}
}
