package buildx_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/taglast/taglast/internal/buildx"
	"github.com/taglast/taglast/internal/provenance"
	"github.com/taglast/taglast/internal/testkit/buildxtest"
)

const (
	base   = "5b25af74d1e50a12f45096733f21830a2723ceb57a110e216f7c2b3c27d2228d"
	commit = "a66aa81ca20eab419400f732426f8544a7c06343"
)

// shown is a dependency on one line.
func shown(d provenance.Dependency) string {
	line := d.URI
	for _, algorithm := range []string{"sha256", "gitCommit"} {
		if value, ok := d.Digest[algorithm]; ok {
			line += " " + algorithm + ":" + value[:8]
		}
	}
	return line
}

func TestDependencies(t *testing.T) {
	handedOver := []buildx.NamedContext{{Name: "base", Layout: "/base", Digest: "sha256:" + base}}
	v1 := fmt.Sprintf(`{"buildx.build.provenance":{"buildDefinition":{"buildType":"x","resolvedDependencies":[
		{"uri":"pkg:docker/alpine@3.23?platform=linux%%2Famd64","digest":{"sha256":%q}},{"uri":"https://example.org/app.git#v1","digest":{"gitCommit":%q}}]}}}`, base, commit)
	for name, tc := range map[string]struct {
		file    string // of testdata; or
		raw     string
		request buildx.Request
		want    []string
	}{
		"one platform, SLSA v0.2": {file: "single.json", want: []string{
			"pkg:oci/base?digest=sha256:" + base + "&platform=linux%2Famd64 sha256:5b25af74",
		}},
		"two platforms": {file: "platforms.json", want: []string{
			"pkg:oci/base?digest=sha256:" + base + "&platform=linux%2Famd64 sha256:5b25af74",
			"pkg:oci/base?digest=sha256:" + base + "&platform=linux%2Farm64 sha256:5b25af74",
		}},
		"a layout that the request gave": {file: "platforms.json", request: buildx.Request{Contexts: handedOver}},
		"Git and http": {file: "add.json", want: []string{
			"http://127.0.0.1:18765/r.git gitCommit:a66aa81c",
			"http://127.0.0.1:18765/r.git/HEAD sha256:f6f2b945",
		}},
		"SLSA v1": {raw: v1, want: []string{
			"https://example.org/app.git#v1 gitCommit:a66aa81c",
			"pkg:docker/alpine@3.23?platform=linux%2Famd64 sha256:5b25af74",
		}},
		"a folder alone":               {raw: `{"buildx.build.provenance":{"buildType":"x"}}`},
		"no provenance":                {raw: `{"buildx.build.ref":"x"}`},
		"an entry of a longer name":    {raw: `{"buildx.build.provenances":{"materials":[{"uri":"https://example.org/a"}]}}`},
		"a pinned commit not reported": {raw: `{}`, request: buildx.Request{Context: "https://example.org/app.git#" + commit + ":web"}, want: []string{"https://example.org/app.git#" + commit + ":web gitCommit:a66aa81c"}},
		"one without a scheme":         {raw: `{}`, request: buildx.Request{Context: "github.com/acme/app#" + commit}, want: []string{"https://github.com/acme/app#" + commit + " gitCommit:a66aa81c"}},
		"one by ssh":                   {raw: `{}`, request: buildx.Request{Context: "git@example.org:acme/app.git#" + commit}, want: []string{"ssh://example.org/acme/app.git#" + commit + " gitCommit:a66aa81c"}},
		"a pinned commit reported":     {raw: v1, request: buildx.Request{Context: "https://example.org/app.git#" + commit}, want: []string{"https://example.org/app.git#v1 gitCommit:a66aa81c", "pkg:docker/alpine@3.23?platform=linux%2Famd64 sha256:5b25af74"}},
		"a branch pins nothing":        {raw: `{}`, request: buildx.Request{Context: "https://example.org/app.git#main"}},
	} {
		t.Run(name, func(t *testing.T) {
			if tc.file != "" {
				raw, err := os.ReadFile(filepath.Join("testdata", tc.file))
				if err != nil {
					t.Fatal(err)
				}
				tc.raw = string(raw)
			}
			s := newScene(t, buildxtest.Script{Metadata: tc.raw})
			tc.request.Dir, tc.request.File = s.request.Dir, "Dockerfile"
			s.request = tc.request
			result, err := s.build(t)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, d := range result.Dependencies {
				got = append(got, shown(d))
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("dependencies are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tc.want, "\n"))
			}
		})
	}
}

func TestTooManyDependencies(t *testing.T) {
	entries := map[string]any{}
	for p := range 2 {
		var materials []any
		for i := range 600 {
			materials = append(materials, map[string]any{"uri": fmt.Sprintf("https://example.org/%d/%d", p, i)})
		}
		entries[fmt.Sprintf("buildx.build.provenance/linux/%d", p)] = map[string]any{"materials": materials}
	}
	raw, err := json.Marshal(entries)
	if err != nil {
		t.Fatal(err)
	}
	s := newScene(t, buildxtest.Script{Metadata: string(raw)})
	_, err = s.build(t)
	wantHint(t, err, "what the builder says of the build: the metadata file: the build has more than 1024 dependencies", "")
}
