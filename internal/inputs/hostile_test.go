package inputs_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/taglast/taglast/internal/inputs"
	"github.com/taglast/taglast/pkg/release"
)

func TestSecrets(t *testing.T) {
	values := map[string]string{
		"tags": full, "github-token": "ghs_token", "secret-envs": "env=MY_ENV", "registry-auth": "- {}",
		"secrets": "one=hunter2, and more \n# not one\n\"two={\n  \"\"password\"\": \"\"hunter3\"\"\n}\"\n\"a,\"\"b=hunter4\"\nempty=",
	}
	got, err := inputs.Parse(get(values), inputs.Job{})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"TAGLAST_BUILD_SECRET_1=hunter2, and more ", "TAGLAST_BUILD_SECRET_2={\n  \"password\": \"hunter3\"\n}", "TAGLAST_BUILD_SECRET_3=hunter4", "TAGLAST_BUILD_SECRET_4=",
	}
	if !slices.Equal(got.BuildEnviron, want) {
		t.Errorf("variables %q", got.BuildEnviron)
	}
	secrets := got.File.Images[0].Source.(release.DockerfileSource).Secrets
	if want := []release.Secret{
		{ID: "one", Env: "TAGLAST_BUILD_SECRET_1"},
		{ID: "two", Env: "TAGLAST_BUILD_SECRET_2"},
		{ID: `a,"b`, Env: "TAGLAST_BUILD_SECRET_3"},
		{ID: "empty", Env: "TAGLAST_BUILD_SECRET_4"},
		{ID: "env", Env: "MY_ENV"},
	}; !slices.Equal(secrets, want) {
		t.Errorf("secrets %+v", secrets)
	}
	if text := fmt.Sprintf("%+v", got.File); strings.Contains(text, "hunter") {
		t.Errorf("the release holds a value: %s", text)
	}
	hidden := inputs.Secrets(get(values))
	if want := []string{"ghs_token", "hunter2, and more ", `  "password": "hunter3"`, "hunter4", ""}; !slices.Equal(hidden, want) {
		t.Errorf("hidden: %q", hidden)
	}
	values["secrets"] = "\"one=hunter2"
	if hidden := inputs.Secrets(get(values)); !slices.Contains(hidden, "\"one=hunter2") {
		t.Errorf("hidden where it cannot be read: %q", hidden)
	}
}

func TestMistakesInSecretsShowNoValue(t *testing.T) {
	for _, value := range []string{"hunter2-without-id", "\"a=hunter2", "\"a=b\"hunter2", "=hunter2", "a=hunter2\x00", "a=hunter2\na=hunter2"} {
		_, err := inputs.Parse(get(map[string]string{"tags": full, "secrets": value}), inputs.Job{})
		if err == nil || strings.Contains(err.Error(), "hunter2") || !strings.HasPrefix(err.Error(), "input `secrets`: ") {
			t.Errorf("%q: %v", value, err)
		}
	}
}

// hostile are values that would do something if anything but a parser of texts saw them.
var hostile = []string{
	"${{ secrets.TOKEN }}", "$(touch x)", "`touch x`", "'; touch x; '", "\"; touch x", "::set-output name=a::b", "::add-mask::x", "##[error]x", "%0Aa%0D",
	"a\nb", "a\r\nb=c", "\x1b[31mred", "\u202ex", "_GitHubActionsFileCommandDelimeter_", "taglast_X\nother=x", "EOF", "../../etc/passwd", "--push", "-",
	"${HOME}", "$HOME", "$$", "{{image}}", "{{", "a=b,c=d", "#", "\\", "~", "*", "nul\x00", strings.Repeat("x", 1<<20), "\xff\xfe",
}

// carried are the inputs whose texts go to a builder or into an image as they are, and where they come out.
var carried = map[string]struct {
	with func(value string) string
	text func(release.Image) (string, bool)
}{
	"build-args": {
		func(v string) string { return csvQuote("A=" + v) },
		func(im release.Image) (string, bool) {
			args := im.Source.(release.DockerfileSource).Args
			return args[0].Value, len(args) == 1 && args[0].Name == "A"
		},
	},
	"labels": {
		func(v string) string { return csvQuote("a=" + v) },
		func(im release.Image) (string, bool) { return im.Labels["a"], len(im.Labels) == 1 },
	},
	"annotations": {
		func(v string) string { return csvQuote("a=" + v) },
		func(im release.Image) (string, bool) { return im.Annotations[0].Value, len(im.Annotations) == 1 },
	},
	"target":  {asIs, func(im release.Image) (string, bool) { return im.Source.(release.DockerfileSource).Target, true }},
	"builder": {asIs, func(im release.Image) (string, bool) { return im.Source.(release.DockerfileSource).Builder, true }},
	"context": {asIs, func(im release.Image) (string, bool) { return im.Source.(release.DockerfileSource).Context, true }},
	"file":    {asIs, func(im release.Image) (string, bool) { return im.Source.(release.DockerfileSource).File, true }},
	"build-contexts": {
		func(v string) string { return csvQuote("a=" + v) },
		func(im release.Image) (string, bool) {
			contexts := im.Source.(release.DockerfileSource).Contexts
			return contexts[0].Value, len(contexts) == 1
		},
	},
	"secret-files": {
		func(v string) string { return csvQuote("a=" + v) },
		func(im release.Image) (string, bool) {
			secrets := im.Source.(release.DockerfileSource).Secrets
			return secrets[0].Src, len(secrets) == 1
		},
	},
}

func asIs(v string) string     { return v }
func csvQuote(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }

// A hostile value arrives unchanged, or is refused by a message that names its input, and that can do nothing itself.
func TestHostileValues(t *testing.T) {
	arrived := 0
	for _, i := range inputs.All() {
		for _, value := range hostile {
			values := map[string]string{"images": "ghcr.io/acme/app", "tags": "1.2.3"}
			with := asIs
			if c, ok := carried[i.Name]; ok {
				with = c.with
			}
			values[i.Name] = with(value)
			got, err := inputs.Parse(get(values), inputs.Job{AnnotationLevels: "index"})
			if err != nil {
				text := err.Error()
				if !strings.Contains(text, "`"+i.Name+"`") || len(text) > 2000 || strings.ContainsAny(text, "\x00\x1b\r\u202e") || strings.Contains(text, "##[") {
					t.Errorf("%s=%.60q: %q", i.Name, value, text)
				}
				continue
			}
			c, ok := carried[i.Name]
			if !ok {
				continue
			}
			arrived++
			text, single := c.text(got.File.Images[0])
			if want := strings.TrimSpace(value); text != want && text != strings.ReplaceAll(want, "{{image}}", "app") || !single {
				t.Errorf("%s=%.60q arrived as %q", i.Name, value, text)
			}
		}
	}
	if arrived < 100 {
		t.Errorf("only %d values arrived", arrived)
	}
}

// A value that a secret has is anything.
func TestHostileSecretsArrive(t *testing.T) {
	for _, value := range hostile {
		if strings.Contains(value, "\x00") || !utf8.ValidString(value) || len(value) > 1<<18 {
			continue
		}
		got, err := inputs.Parse(get(map[string]string{"tags": full, "secrets": csvQuote("id=" + value)}), inputs.Job{})
		if err != nil || !slices.Equal(got.BuildEnviron, []string{"TAGLAST_BUILD_SECRET_1=" + value}) {
			t.Errorf("%q: %q, %v", value, got.BuildEnviron, err)
		}
	}
}
