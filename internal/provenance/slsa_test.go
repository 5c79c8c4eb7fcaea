package provenance_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/taglast/taglast/internal/provenance"
)

var (
	hex64 = strings.Repeat("1", 64)
	hex40 = strings.Repeat("2", 40)
)

func TestDependenciesOfAnotherBuildersProvenance(t *testing.T) {
	dep := func(uri, algorithm, digest string) provenance.Dependency {
		d := provenance.Dependency{URI: uri}
		if algorithm != "" {
			d.Digest = map[string]string{algorithm: digest}
		}
		return d
	}
	for name, c := range map[string]struct {
		predicate string
		want      []provenance.Dependency
	}{
		"v0.2, as BuildKit writes it": {
			`{"builder":{"id":""},"buildType":"https://mobyproject.org/buildkit@v1","materials":[
			  {"uri":"pkg:docker/alpine@3.23?platform=linux%2Famd64","digest":{"sha256":"` + hex64 + `"}},
			  {"uri":"https://github.com/acme/app.git#refs/heads/main","digest":{"sha1":"` + hex40 + `"}}]}`,
			[]provenance.Dependency{
				dep("pkg:docker/alpine@3.23?platform=linux%2Famd64", "sha256", hex64),
				dep("https://github.com/acme/app.git#refs/heads/main", "gitCommit", hex40),
			},
		},
		"v1, as BuildKit writes it": {
			`{"buildDefinition":{"buildType":"https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md","externalParameters":{},
			  "resolvedDependencies":[{"uri":"pkg:docker/golang@1.26?digest=sha256:` + hex64 + `&platform=linux%2Farm64","digest":{"sha256":"` + hex64 + `"}}]},"runDetails":{}}`,
			[]provenance.Dependency{dep("pkg:docker/golang@1.26?digest=sha256:"+hex64+"&platform=linux%2Farm64", "sha256", hex64)},
		},
		"an image of a layout":       {materialsOf(`{"uri":"pkg:oci/base?platform=linux%2Famd64","digest":{"sha256":"` + hex64 + `"}}`), []provenance.Dependency{dep("pkg:oci/base?platform=linux%2Famd64", "sha256", hex64)}},
		"gitCommit by its name":      {materialsOf(`{"uri":"git+https://x.example/a@refs/tags/v1","digest":{"gitCommit":"` + hex40 + `"}}`), []provenance.Dependency{dep("git+https://x.example/a@refs/tags/v1", "gitCommit", hex40)}},
		"a commit of a sha256 store": {materialsOf(`{"uri":"https://x.example/a.git","digest":{"sha256":"` + hex64 + `"}}`), []provenance.Dependency{dep("https://x.example/a.git", "sha256", hex64)}},
		"credentials are left out":   {materialsOf(`{"uri":"https://xxxxx:xxxxx@x.example/a.git#main","digest":{"sha1":"` + hex40 + `"}}`), []provenance.Dependency{dep("https://x.example/a.git#main", "gitCommit", hex40)}},
		"a query is left out":        {materialsOf(`{"uri":"https://x.example/a.tar?X-Amz-Signature=secret","digest":{"sha256":"` + hex64 + `"}}`), []provenance.Dependency{dep("https://x.example/a.tar", "sha256", hex64)}},
		"Git by ssh":                 {materialsOf(`{"uri":"git@github.com:acme/app.git#main","digest":{"sha1":"` + hex40 + `"}}`), []provenance.Dependency{dep("ssh://github.com/acme/app.git#main", "gitCommit", hex40)}},
		"Git by ssh with a scheme":   {materialsOf(`{"uri":"ssh://git@github.com/acme/app.git","digest":{"sha1":"` + hex40 + `"}}`), []provenance.Dependency{dep("ssh://github.com/acme/app.git", "gitCommit", hex40)}},
		"no digest":                  {materialsOf(`{"uri":"pkg:docker/alpine@3.23"}`), []provenance.Dependency{dep("pkg:docker/alpine@3.23", "", "")}},
		"an empty digest set":        {materialsOf(`{"uri":"pkg:docker/alpine@3.23","digest":null}`), []provenance.Dependency{dep("pkg:docker/alpine@3.23", "", "")}},
		"only an unknown algorithm":  {materialsOf(`{"uri":"pkg:docker/alpine@3.23","digest":{"sha512":"x"}}`), []provenance.Dependency{dep("pkg:docker/alpine@3.23", "", "")}},
		"an entry that comes twice":  {materialsOf(`{"uri":"a:b"},{"uri":"a:b"}`), []provenance.Dependency{dep("a:b", "", "")}},
		"keys of a later version":    {materialsOf(`{"uri":"a:b","name":"x","annotations":{"k":1}}`), []provenance.Dependency{dep("a:b", "", "")}},
		"an empty list":              {materialsOf(``), nil},
		"v0.2 without materials":     {`{"buildType":"x"}`, nil},
		"v1 without dependencies":    {`{"buildDefinition":{"buildType":"x"}}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := provenance.FromSLSA([]byte(c.predicate))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("got  %v\nwant %v", got, c.want)
			}
			if _, err := provenance.Statement(input(func(in *provenance.Input) { in.Dependencies = got })); err != nil {
				t.Errorf("they cannot be listed: %v", err)
			}
		})
	}
}

func materialsOf(entries string) string { return `{"buildType":"x","materials":[` + entries + `]}` }

func TestFromSLSARefuses(t *testing.T) {
	for name, c := range map[string]struct {
		predicate string
		unknown   bool // the form is unknown, and not a digest wrong
		want      string
	}{
		"no JSON":                       {`x`, true, "not a JSON object"},
		"no provenance":                 {`{"spdxVersion":"SPDX-2.3"}`, true, "neither materials nor resolvedDependencies"},
		"a list that is none":           {`{"materials":{"uri":"a:b"}}`, true, "neither materials nor resolvedDependencies"},
		"a definition that is none":     {`{"buildDefinition":[]}`, true, "buildDefinition: not a JSON object"},
		"two lists":                     {`{"materials":[],"materials":[]}`, true, `key "materials" is there twice`},
		"an entry that is no object":    {materialsOf(`"a:b"`), true, "not a JSON object"},
		"an entry without a URI":        {materialsOf(`{"digest":{}}`), true, "no URI"},
		"a URI that is none":            {materialsOf(`{"uri":"alpine"}`), true, "no URI"},
		"a URI that is long":            {materialsOf(`{"uri":"a:` + strings.Repeat("b", 4096) + `"}`), true, "no URI of at most 4096 bytes"},
		"a URI with a line break":       {materialsOf(`{"uri":"a:b\n"}`), true, "printable"},
		"an address within a qualifier": {materialsOf(`{"uri":"pkg:docker/a?u=https://me:pw@x.example/"}`), true, "user info or a query"},
		"1025 entries":                  {materialsOf(strings.Repeat(`{},`, 1024) + `{}`), true, "1025 dependencies are more than 1024"},
		"a digest set that is none":     {materialsOf(`{"uri":"a:b","digest":"x"}`), true, "a digest set"},
		"a digest that is short":        {materialsOf(`{"uri":"a:b","digest":{"sha256":"abcd"}}`), false, `a:b: "abcd" is not a sha256 digest`},
		"a digest in upper case":        {materialsOf(`{"uri":"a:b","digest":{"sha256":"` + strings.Repeat("A", 64) + `"}}`), false, "is not a sha256 digest"},
		"a commit that is short":        {materialsOf(`{"uri":"a:b","digest":{"sha1":"abcd"}}`), false, `"abcd" is not a gitCommit digest`},
		"a digest that is a number":     {materialsOf(`{"uri":"a:b","digest":{"sha256":1}}`), false, "its digest sha256 is not a text"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := provenance.FromSLSA([]byte(c.predicate))
			if err == nil || !strings.Contains(err.Error(), c.want) || got != nil {
				t.Fatalf("got %v and %v, want %q", got, err, c.want)
			}
			if errors.Is(err, provenance.ErrUnknownForm) != c.unknown {
				t.Errorf("of an unknown form: %v", err)
			}
			if strings.Contains(err.Error(), "pw@") {
				t.Errorf("it shows a secret: %v", err)
			}
		})
	}
}

func FuzzFromSLSA(f *testing.F) {
	for _, seed := range []string{
		materialsOf(`{"uri":"pkg:docker/alpine@3.23?platform=linux%2Famd64","digest":{"sha256":"` + hex64 + `"}}`),
		fmt.Sprintf(`{"buildDefinition":{"resolvedDependencies":[{"uri":"https://u:p@x.example/a.git?q#main","digest":{"sha1":"%s"}}]}}`, hex40),
		materialsOf(`{"uri":"git@x.example:a//b"}`),
		`{}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := provenance.FromSLSA(raw)
		if err != nil {
			return
		}
		// What is read can always be listed.
		if _, err := provenance.Statement(input(func(in *provenance.Input) { in.Dependencies = got })); err != nil {
			t.Errorf("%v: %v", got, err)
		}
	})
}
