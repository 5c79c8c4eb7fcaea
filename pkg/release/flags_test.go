package release_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/taglast/taglast/internal/hint"
	"github.com/taglast/taglast/pkg/release"
)

func TestFromFlags(t *testing.T) {
	got, err := release.FromFlags(release.Flags{
		Repositories:   []string{"ghcr.io/acme/Hello", "docker.io/acme/{{image}}"},
		Sources:        []string{"oci=a.tar", "oci=b.tar", "ref=v1"},
		Tags:           []string{"type=semver,pattern={{version}}\n# next\ntype=raw,value=$x-{{image}}"},
		Flavor:         []string{"latest=false"},
		Platforms:      []string{"linux/amd64,linux/arm64"},
		Annotations:    []string{"a=b=c", "manifest[linux/amd64]:d="},
		Labels:         []string{"l=${X}"},
		ReleaseVersion: "1.2.3",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := &release.File{Dir: ".", Images: []release.Image{{
		Name:           "hello",
		Repositories:   repos(t, "ghcr.io/acme/hello", "docker.io/acme/hello"),
		Platforms:      platforms(t, "linux/amd64", "linux/arm64"),
		ReleaseVersion: "1.2.3",
		Tags:           rules(t, "type=semver,pattern={{version}}", "type=raw,value=$x-hello"),
		Flavor:         flavor(t, "latest=false"),
		Annotations: []release.Annotation{
			{Level: "index", Key: "a", Value: "b=c"}, {Level: "manifest", Platform: platforms(t, "linux/amd64")[0], Key: "d"},
		},
		Labels:   map[string]string{"l": "${X}"},
		IfNoTags: "error",
		Source:   release.OCISource{Paths: []string{"a.tar", "b.tar"}, Ref: "v1"},
	}}}
	if diff := cmp.Diff(want, got, parsed); diff != "" {
		t.Error(diff)
	}
}

func TestADockerfileFromFlags(t *testing.T) {
	got, err := release.FromFlags(release.Flags{
		Repositories: []string{"ghcr.io/acme/hello"}, Tags: []string{"a"},
		Sources: []string{
			"dockerfile=docker/Dockerfile", "context=.", "args=B=2=3", "args=A", "secrets=id=token,env=TOKEN", "secrets=id=key,src=key.pem",
			"contexts=conf=conf", "pull=true", "cache-to=type=local,dest=cache",
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := release.DockerfileSource{
		File: "docker/Dockerfile", Context: ".", Pull: true,
		Args:     []release.BuildArg{{Name: "A", FromEnvironment: true}, {Name: "B", Value: "2=3"}},
		Secrets:  []release.Secret{{ID: "token", Env: "TOKEN"}, {ID: "key", Src: "key.pem"}},
		Contexts: []release.NamedContext{{Name: "conf", Value: "conf"}},
		CacheTo:  []release.Cache{{Kind: "local", Text: "type=local,dest=cache"}},
	}
	if diff := cmp.Diff(release.Source(want), got.Images[0].Source, parsed); diff != "" {
		t.Error(diff)
	}
}

func TestSettingsAreTextsAsTheyStand(t *testing.T) {
	got, err := release.FromFlags(release.Flags{
		Repositories: []string{"ghcr.io/acme/hello"}, Tags: []string{"a"}, Name: "other", SBOM: true,
		Build: []release.Setting{
			{"dockerfile", []string{"a{{b}}/Dockerfile"}},
			{"args", []string{"#A={{x}} ${Y}", "B=$(z)"}},
			{"pull", []string{"true"}},
			{"cache-from", []string{"type=local,src=c"}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := release.DockerfileSource{
		File: "a{{b}}/Dockerfile", Pull: true,
		Args:      []release.BuildArg{{Name: "#A", Value: "{{x}} ${Y}"}, {Name: "B", Value: "$(z)"}},
		CacheFrom: []release.Cache{{Kind: "local", Text: "type=local,src=c"}},
	}
	if diff := cmp.Diff(release.Source(want), got.Images[0].Source, parsed); diff != "" {
		t.Error(diff)
	}
	if im := got.Images[0]; im.Name != "other" || !im.SBOM.FromBuild {
		t.Errorf("name %s, SBOM %+v", im.Name, im.SBOM)
	}
}

func TestMistakesNameThePlaceThatIsSaid(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*release.Flags)
		want   string
	}{
		"a rule":                      {func(f *release.Flags) { f.Tags = []string{"type=x"} }, "input tags: tag rule `type=x`: unknown type `x`; it is one of schedule, semver, pep440, match, edge, ref, raw, sha"},
		"no repository":               {func(f *release.Flags) { f.Repositories = nil }, "neither a release file nor input repositories"},
		"an argument of two lines":    {func(f *release.Flags) { f.Build[1].Values = []string{"A=b\nC=d"} }, "input args: build argument `A` has a control character"},
		"an argument that is no text": {func(f *release.Flags) { f.Build[1].Values = []string{"A=\xff"} }, "input args: the value is not valid UTF-8 once its placeholders are replaced"},
		"an argument without end":     {func(f *release.Flags) { f.Build[1].Values = []string{"A=" + strings.Repeat("x", 256<<10)} }, "input args: the value has more than 262144 bytes"},
		"a switch":                    {func(f *release.Flags) { f.Build[1] = release.Setting{Key: "pull", Values: []string{"x"}} }, "input pull: `pull` is `x`; it is `false` or `true`"},
		"a key that nobody knows":     {func(f *release.Flags) { f.Build[1] = release.Setting{Key: "arg", Values: []string{"x"}} }, "input arg: unknown key `arg`; did you mean `args`?"},
	} {
		t.Run(name, func(t *testing.T) {
			f := release.Flags{
				Repositories: []string{"ghcr.io/acme/app"}, Tags: []string{"a"},
				Build: []release.Setting{{"dockerfile", []string{"Dockerfile"}}, {"args", nil}},
				Place: func(key string) string { return "input " + key },
			}
			tc.change(&f)
			if _, err := release.FromFlags(f); err == nil || !strings.HasPrefix(err.Error(), tc.want) {
				t.Errorf("got  %v\nwant %s", err, tc.want)
			}
		})
	}
}

func TestFromFlagsRefuses(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*release.Flags)
		want   string
	}{
		"no repository":              {func(f *release.Flags) { f.Repositories = nil }, "neither a release file nor --repository"},
		"no tag":                     {func(f *release.Flags) { f.Tags = nil }, "neither a release file nor --tag"},
		"an empty tag":               {func(f *release.Flags) { f.Tags = []string{""} }, "--tag: an empty entry"},
		"a bad rule":                 {func(f *release.Flags) { f.Tags = []string{"type=x"} }, "--tag: tag rule `type=x`: unknown type `x`; it is one of schedule, semver, pep440, match, edge, ref, raw, sha"},
		"a repository without host":  {func(f *release.Flags) { f.Repositories = []string{"app"} }, "--repository: repository `app` has no registry\nhint: write docker.io/app, or the name of another registry before it"},
		"a repository with braces":   {func(f *release.Flags) { f.Repositories = []string{"ghcr.io/{{image}}"} }, "--repository: repository `ghcr.io/{{image}}`: the name after the registry is lower-case letters and digits, with . _ - / between them"},
		"no source":                  {func(f *release.Flags) { f.Sources = nil }, "--source: image app: a source has exactly one of " + kinds + ""},
		"a source without kind":      {func(f *release.Flags) { f.Sources = []string{"dist"} }, "--source: `dist` is not KIND=VALUE"},
		"a mistyped kind":            {func(f *release.Flags) { f.Sources = []string{"digest=x"} }, "--source: unknown kind `digest`; did you mean `digests`?"},
		"a kind of a later version":  {func(f *release.Flags) { f.Sources = []string{"base=x"} }, "--source: `base` is not supported by this version of taglast"},
		"one image source twice":     {func(f *release.Flags) { f.Sources = []string{"image=a", "image=b"} }, "--source: `image` is given twice"},
		"a Dockerfile's stage twice": {func(f *release.Flags) { f.Sources = []string{"dockerfile=x", "target=a", "target=b"} }, "--source: `target` is given twice"},
		"a build argument twice":     {func(f *release.Flags) { f.Sources = []string{"dockerfile=x", "args=A=1", "args=A=2"} }, "--source: build argument `A` stands twice"},
		"a context of no image":      {func(f *release.Flags) { f.Sources = []string{"dockerfile=x", "contexts=base=image:b"} }, "--source: context `base`: there is no image `b`, and no other image"},
		"a label without value":      {func(f *release.Flags) { f.Labels = []string{"l"} }, "--label: `l` is not KEY=VALUE"},
		"an annotation twice":        {func(f *release.Flags) { f.Annotations = []string{"a=b", "a=c"} }, "--annotation: `a` is given twice"},
		"a bad platform":             {func(f *release.Flags) { f.Platforms = []string{"linux"} }, "--platform: platform `linux`: it is os/arch or os/arch/variant"},
		"a bad flavor":               {func(f *release.Flags) { f.Flavor = []string{"x"} }, "--flavor: flavor `x`: flavor `x` has no value: it is latest=, prefix=, suffix= or onlatest="},
		"a version that is none":     {func(f *release.Flags) { f.ReleaseVersion = "1 2" }, "--release-version: release-version `1 2` is not a version"},
		"an unknown placeholder":     {func(f *release.Flags) { f.Labels = []string{"l={{x}}"} }, "--label: unknown placeholder `{{x}}`; the only one here is {{image}}"},
		"an image name of 65 digits": {func(f *release.Flags) { f.Repositories = []string{"ghcr.io/" + hex + "0"} }, "--repository: image name `" + hex + "0`: it is 1 to 64 of a-z 0-9 . _ - and begins with a letter or digit"},
	} {
		t.Run(name, func(t *testing.T) {
			f := release.Flags{Repositories: []string{"ghcr.io/acme/app"}, Tags: []string{"a"}, Sources: []string{"oci=x"}}
			tc.change(&f)
			_, err := release.FromFlags(f)
			if err == nil {
				t.Fatal("no error")
			}
			got := err.Error()
			if h := hint.Of(err); h != "" {
				got += "\nhint: " + h
			}
			if got != tc.want {
				t.Errorf("got\n%s\nwant\n%s", got, tc.want)
			}
		})
	}
}
