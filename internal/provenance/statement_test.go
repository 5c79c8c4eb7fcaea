package provenance_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	slsa "github.com/in-toto/attestation/go/predicates/provenance/v1"
	intoto "github.com/in-toto/attestation/go/v1"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/taglast/taglast/internal/identity"
	"github.com/taglast/taglast/internal/provenance"
)

var (
	sha    = strings.Repeat("a", 40)
	digest = "sha256:" + strings.Repeat("c", 64)
	child  = "sha256:" + strings.Repeat("d", 64)
)

func claims(change ...func(*identity.Claims)) identity.Claims {
	c := identity.Claims{
		Ref: "refs/tags/v1", SHA: sha, Repository: "Foo/Bar", RepositoryID: "123", RepositoryOwnerID: "456", EventName: "push",
		WorkflowRef: "Foo/Bar/.github/workflows/rel.yml@refs/tags/v1", JobWorkflowRef: "Foo/shared/.github/workflows/build.yml@refs/heads/main",
		RunID: "777", RunAttempt: "2", RunnerEnvironment: "github-hosted",
	}
	for _, f := range change {
		f(&c)
	}
	return c
}

func input(change ...func(*provenance.Input)) provenance.Input {
	in := provenance.Input{Claims: claims(), Subjects: []provenance.Subject{{Name: "ghcr.io/foo/bar", Digest: digest}}}
	for _, f := range change {
		f(&in)
	}
	return in
}

// What @actions/attest 3.2.0 writes for the same claims.
var github = `{"_type":"https://in-toto.io/Statement/v1",` +
	`"subject":[{"name":"ghcr.io/foo/bar","digest":{"sha256":"` + strings.Repeat("c", 64) + `"}}],` +
	`"predicateType":"https://slsa.dev/provenance/v1",` +
	`"predicate":{"buildDefinition":{` +
	`"buildType":"https://actions.github.io/buildtypes/workflow/v1",` +
	`"externalParameters":{"workflow":{"ref":"refs/tags/v1","repository":"https://github.com/Foo/Bar","path":".github/workflows/rel.yml"}},` +
	`"internalParameters":{"github":{"event_name":"push","repository_id":"123","repository_owner_id":"456","runner_environment":"github-hosted"}},` +
	`"resolvedDependencies":[{"uri":"git+https://github.com/Foo/Bar@refs/tags/v1","digest":{"gitCommit":"` + strings.Repeat("a", 40) + `"}}]},` +
	`"runDetails":{` +
	`"builder":{"id":"https://github.com/Foo/shared/.github/workflows/build.yml@refs/heads/main"},` +
	`"metadata":{"invocationId":"https://github.com/Foo/Bar/actions/runs/777/attempts/2"}}}}`

func TestTheStatementIsGitHubs(t *testing.T) {
	got, err := provenance.Statement(input())
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != github {
		t.Errorf("got  %s\nwant %s", got, github)
	}
}

func TestAdditionsStandBesideWhatGitHubWrites(t *testing.T) {
	base := provenance.Dependency{URI: "pkg:docker/alpine@3.23?platform=linux%2Famd64", Digest: map[string]string{"sha256": strings.Repeat("1", 64)}}
	image := provenance.Dependency{URI: "docker-image://ghcr.io/foo/base@" + digest, Digest: map[string]string{"sha256": strings.Repeat("c", 64)}}
	tool := provenance.Dependency{URI: "git+https://github.com/taglast/taglast@refs/tags/v1.0.0", Digest: map[string]string{"gitCommit": strings.Repeat("3", 40)}}
	in := input(func(in *provenance.Input) {
		in.Dependencies = []provenance.Dependency{base, image, base}
		in.BuilderDependencies = []provenance.Dependency{tool}
		in.FinishedOn = time.Date(2026, 11, 22, 15, 31, 7, 999, time.FixedZone("CET", 3600))
	})
	got, err := provenance.Statement(in)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.NewReplacer(
		`"}}]},"runDetails"`, `"}},{"uri":"pkg:docker/alpine@3.23?platform=linux%2Famd64","digest":{"sha256":"`+strings.Repeat("1", 64)+`"}},`+
			`{"uri":"docker-image://ghcr.io/foo/base@`+digest+`","digest":{"sha256":"`+strings.Repeat("c", 64)+`"}}]},"runDetails"`,
		`@refs/heads/main"}`, `@refs/heads/main","builderDependencies":[{"uri":"git+https://github.com/taglast/taglast@refs/tags/v1.0.0","digest":{"gitCommit":"`+strings.Repeat("3", 40)+`"}}]}`,
		`/attempts/2"`, `/attempts/2","finishedOn":"2026-11-22T14:31:07Z"`,
	).Replace(github)
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for range 20 { // maps have no order
		if again, _ := provenance.Statement(in); !bytes.Equal(again, got) {
			t.Fatalf("another time %s", again)
		}
	}
	checkInToto(t, got)
}

func checkInToto(t *testing.T, raw []byte) {
	t.Helper()
	var statement intoto.Statement
	if err := protojson.Unmarshal(raw, &statement); err != nil {
		t.Fatal(err)
	}
	if err := statement.Validate(); err != nil {
		t.Error(err)
	}
	predicate, err := protojson.Marshal(statement.GetPredicate())
	if err != nil {
		t.Fatal(err)
	}
	var p slsa.Provenance
	if err := protojson.Unmarshal(predicate, &p); err != nil {
		t.Fatal(err)
	}
	if err := p.Validate(); err != nil {
		t.Error(err)
	}
}

func TestEdgesOfThePredicate(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*provenance.Input)
		has    []string
	}{
		"a tag that holds an @": {
			func(in *provenance.Input) {
				in.Claims.Ref, in.Claims.WorkflowRef = "refs/tags/@scope/v1", "Foo/Bar/.github/workflows/rel.yml@refs/tags/@scope/v1"
			},
			[]string{`"path":".github/workflows/rel.yml"`, `"uri":"git+https://github.com/Foo/Bar@refs/tags/@scope/v1"`, `"ref":"refs/tags/@scope/v1"`},
		},
		"a workflow of another repository": {
			func(in *provenance.Input) {
				in.Claims.WorkflowRef = "Foo/rules/.github/workflows/all.yml@refs/heads/main"
			},
			[]string{`"path":"Foo/rules/.github/workflows/all.yml"`},
		},
		"a repository's name inside the path": {
			func(in *provenance.Input) { in.Claims.WorkflowRef = "Foo/Bar/.github/workflows/Foo/Bar/x.yml@r" },
			[]string{`"path":".github/workflows/Foo/Bar/x.yml"`},
		},
		"a pull request": {
			func(in *provenance.Input) { in.Claims.Ref, in.Claims.EventName = "refs/pull/7/merge", "pull_request" },
			[]string{`"ref":"refs/pull/7/merge"`, `@refs/pull/7/merge"`, `"event_name":"pull_request"`},
		},
		"a tenant": {
			func(in *provenance.Input) { in.ServerURL = "https://acme.ghe.com/" },
			[]string{
				`"repository":"https://acme.ghe.com/Foo/Bar"`, `"uri":"git+https://acme.ghe.com/Foo/Bar@`,
				`"id":"https://acme.ghe.com/Foo/shared/`, `"invocationId":"https://acme.ghe.com/Foo/Bar/actions/runs/777/attempts/2"`,
			},
		},
		"characters that HTML escapes": {
			func(in *provenance.Input) { in.Claims.Ref = "refs/heads/a&b<c>" },
			[]string{`"ref":"refs/heads/a&b<c>"`},
		},
		"a query that may hold a secret": {
			func(in *provenance.Input) {
				in.Dependencies = []provenance.Dependency{{URI: "https://x.example/a%2Fb.tar?X-Amz-Signature=secret#frag"}}
			},
			[]string{`{"uri":"https://x.example/a%2Fb.tar#frag"}`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := provenance.Statement(input(c.change))
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range c.has {
				if !strings.Contains(string(got), want) {
					t.Errorf("no %s in %s", want, got)
				}
			}
			checkInToto(t, got)
		})
	}
}

func TestStatementRefuses(t *testing.T) {
	subjects := func(s ...provenance.Subject) func(*provenance.Input) {
		return func(in *provenance.Input) { in.Subjects = s }
	}
	depends := func(uri, algorithm, digest string) func(*provenance.Input) {
		return func(in *provenance.Input) {
			in.Dependencies = []provenance.Dependency{{URI: uri, Digest: map[string]string{algorithm: digest}}}
		}
	}
	many := make([]provenance.Subject, 1025)
	for i := range many {
		many[i] = provenance.Subject{Name: fmt.Sprintf("r.example/%d", i), Digest: digest}
	}
	hex64 := strings.Repeat("0", 64)
	for name, c := range map[string]struct {
		change func(*provenance.Input)
		want   string
	}{
		"no subject":                  {subjects(), "no subject"},
		"1025 subjects":               {subjects(many...), "1025 subjects, at most 1024 are allowed"},
		"a pair that comes twice":     {subjects(many[0], many[1], many[0]), "subject r.example/0@" + digest + " is given twice"},
		"a subject without a name":    {subjects(provenance.Subject{Digest: digest}), `subject "" is not a printable name`},
		"a name with a line break":    {subjects(provenance.Subject{Name: "a\nb", Digest: digest}), `subject "a\\nb" is not a printable name`},
		"a name that is no UTF-8":     {subjects(provenance.Subject{Name: "a\xff", Digest: digest}), `subject "a\\xff" is not a printable name`},
		"no digest":                   {subjects(provenance.Subject{Name: "a"}), `subject a: "" is not a sha256 digest`},
		"a digest in upper case":      {subjects(provenance.Subject{Name: "a", Digest: strings.ToUpper(digest)}), `subject a: "` + strings.ToUpper(digest) + `" is not a sha256 digest`},
		"a digest that is short":      {subjects(provenance.Subject{Name: "a", Digest: digest[:70]}), `subject a: "` + digest[:70] + `" is not a sha256 digest`},
		"a digest with a line break":  {subjects(provenance.Subject{Name: "a", Digest: digest + "\n"}), `subject a: "` + digest + `\\n" is not a sha256 digest`},
		"a digest of sha512":          {subjects(provenance.Subject{Name: "a", Digest: "sha512:" + hex64 + hex64}), `subject a: "sha512:` + hex64 + hex64 + `" is not a sha256 digest`},
		"a commit that is none":       {func(in *provenance.Input) { in.Claims.SHA = "main" }, `claim sha is "main", not a git commit`},
		"a claim with a line break":   {func(in *provenance.Input) { in.Claims.Ref = "a\nb" }, `control characters in claim ref: a\nb`},
		"claims that are missing":     {func(in *provenance.Input) { in.Claims.Ref, in.Claims.RunAttempt = "", "" }, "missing claims: ref, run_attempt"},
		"no claims":                   {func(in *provenance.Input) { in.Claims = identity.Claims{} }, "missing claims: ref, sha, repository, event_name, job_workflow_ref, workflow_ref, repository_id, repository_owner_id, runner_environment, run_id, run_attempt"},
		"a server that is no URL":     {func(in *provenance.Input) { in.ServerURL = "github.com" }, "the server URL is not the plain URL of a host"},
		"a server with user info":     {func(in *provenance.Input) { in.ServerURL = "https://u:p@github.com" }, "the server URL is not the plain URL of a host"},
		"a dependency without a URI":  {depends("", "sha256", hex64), "dependency without a printable URI"},
		"a dependency that is a name": {depends("alpine", "sha256", hex64), "dependency with an address that is no URI"},
		"user info in a URI":          {depends("git+https://user:secret@github.com/a/b", "sha256", hex64), "dependency with user info in its URI"},
		"user info deeper in a URI":   {depends("pkg:https://user:secret@github.com/a/b", "sha256", hex64), "dependency with user info in its URI"},
		"user info in a qualifier":    {depends("pkg:generic/a?download_url=https%3A%2F%2Fu%3Asecret%40h", "sha256", hex64), "dependency with user info or a query in its qualifier download_url"},
		"a query in a qualifier":      {depends("pkg:generic/a?vcs_url=git%2Bhttps%3A%2F%2Fh%2Fx%3Fsecret", "sha256", hex64), "dependency with user info or a query in its qualifier vcs_url"},
		"a digest of a dependency":    {depends("docker-image://a", "sha256", "ABCD"), `dependency docker-image://a: "ABCD" is not a sha256 digest`},
		"a digest of a wrong length":  {depends("docker-image://a", "gitCommit", hex64), `dependency docker-image://a: "` + hex64 + `" is not a gitCommit digest`},
		"an algorithm that is none":   {depends("docker-image://a", "sha 256", hex64), `dependency docker-image://a: "sha 256" is not a digest algorithm of dependencies`},
		"an algorithm of no image":    {depends("docker-image://a", "sha512", hex64+hex64), `dependency docker-image://a: "sha512" is not a digest algorithm of dependencies`},
		"a dependency of the builder": {func(in *provenance.Input) { in.BuilderDependencies = make([]provenance.Dependency, 1) }, "builder dependency without a printable URI"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := provenance.Statement(input(c.change))
			if want := "provenance: " + c.want; err == nil || err.Error() != want || got != nil {
				t.Errorf("got  %v\nwant %s", err, want)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("the error shows a secret: %v", err)
			}
		})
	}
	if _, err := provenance.Statement(input(subjects(many[:1024]...))); err != nil {
		t.Errorf("1024 subjects: %v", err)
	}
}

func TestSubjectsAreTheIndexFirst(t *testing.T) {
	got := provenance.Subjects([]string{"ghcr.io/a", "docker.io/a", "ghcr.io/a"}, digest, []string{child, digest, child})
	want := []provenance.Subject{{"ghcr.io/a", digest}, {"docker.io/a", digest}, {"ghcr.io/a", child}, {"docker.io/a", child}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := provenance.Subjects([]string{"a"}, digest, nil); len(got) != 1 {
		t.Errorf("an image without children: %v", got)
	}
}

func FuzzStatement(f *testing.F) {
	f.Add("ghcr.io/foo/bar", "refs/tags/v1", "Foo/Bar/.github/workflows/rel.yml@refs/tags/v1", "https://u:p@h/?q")
	f.Add("a\x00", "\u2028", "@", "pkg:a?b=c://d@e")
	f.Fuzz(func(t *testing.T, name, ref, workflowRef, uri string) {
		in := input(func(in *provenance.Input) {
			in.Subjects[0].Name, in.Claims.Ref, in.Claims.WorkflowRef = name, ref, workflowRef
			in.Dependencies = []provenance.Dependency{{URI: uri}}
		})
		got, err := provenance.Statement(in)
		if err != nil {
			return
		}
		var back struct {
			Subject []struct{ Name string }
		}
		if err := json.Unmarshal(got, &back); err != nil || len(back.Subject) != 1 || back.Subject[0].Name != name {
			t.Errorf("%v: %s", err, got)
		}
		if bytes.ContainsAny(got, "\n\r\x00\x1b") {
			t.Errorf("control characters in %q", got)
		}
		checkInToto(t, got)
	})
}

func TestAStatementOfAPredicateThatIsJSONAlready(t *testing.T) {
	subjects := []provenance.Subject{{Name: "ghcr.io/foo/bar", Digest: child}, {Name: "docker.io/foo/bar", Digest: child}}
	got, err := provenance.StatementOf(subjects, "https://spdx.dev/Document/v2.3", []byte("{\n \"a\": 1.10, \"b\": \"<&>\\u0041\"}\n"))
	if err != nil {
		t.Fatal(err)
	}
	hex := strings.TrimPrefix(child, "sha256:")
	want := `{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"ghcr.io/foo/bar","digest":{"sha256":"` + hex + `"}},` +
		`{"name":"docker.io/foo/bar","digest":{"sha256":"` + hex + `"}}],"predicateType":"https://spdx.dev/Document/v2.3",` +
		`"predicate":{"a":1.10,"b":"<&>\u0041"}}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	var statement intoto.Statement
	if err := protojson.Unmarshal(got, &statement); err != nil || statement.Validate() != nil {
		t.Errorf("%v, %v", err, statement.Validate())
	}
	for name, c := range map[string]struct {
		subjects  []provenance.Subject
		predicate string
		want      string
	}{
		"no subject":                 {nil, `{}`, "no subject"},
		"a predicate that is none":   {subjects, `{`, "unexpected end of JSON input"},
		"a predicate over the limit": {subjects, `"` + strings.Repeat("a", 16<<20) + `"`, "16777218 bytes, at most 16777216"},
	} {
		if _, err := provenance.StatementOf(c.subjects, "https://spdx.dev/Document/v2.3", []byte(c.predicate)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
