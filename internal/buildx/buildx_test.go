package buildx_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/taglast/taglast/internal/buildx"
	"github.com/taglast/taglast/internal/hint"
	"github.com/taglast/taglast/internal/testkit/buildxtest"
)

func TestMain(m *testing.M) {
	buildxtest.Main()
	os.Exit(m.Run())
}

// scene is a folder with a Dockerfile, and a client that finds the stand-in.
type scene struct {
	standin buildxtest.Standin
	client  *buildx.Client
	request buildx.Request
	temp    string
	output  *output
}

func newScene(t *testing.T, s buildxtest.Script, environ ...string) *scene {
	t.Helper()
	standin := buildxtest.Install(t, "", s)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "Dockerfile"), "FROM scratch\n")
	return &scene{
		standin: standin, temp: t.TempDir(), output: &output{},
		client:  buildx.New(buildx.Options{Environ: standin.Environ(environ...), Grace: 2 * time.Second}),
		request: buildx.Request{Dir: dir, File: "Dockerfile"},
	}
}

func (s *scene) job() buildx.Job {
	return buildx.Job{
		TempDir: func() (string, error) { return os.MkdirTemp(s.temp, "") },
		Output:  func() io.WriteCloser { return s.output },
	}
}

func (s *scene) build(t *testing.T) (buildx.Result, error) {
	t.Helper()
	return s.client.Build(t.Context(), s.request, s.job())
}

// output keeps what a build prints.
type output struct {
	mu     sync.Mutex
	b      bytes.Buffer
	closed int
	screen *os.File
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) Close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed++
	return nil
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

func (o *output) Terminal() *os.File { return o.screen }

func write(t testing.TB, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// only is the one call of a build.
func only(t *testing.T, s buildxtest.Standin) buildxtest.Call {
	t.Helper()
	calls := s.Calls(t, "build")
	if len(calls) != 1 {
		t.Fatalf("%d builds ran, want 1", len(calls))
	}
	return calls[0]
}

func TestArgumentsOfEveryKey(t *testing.T) {
	always := []string{"--provenance=false", "--progress=plain"}
	for name, tc := range map[string]struct {
		request buildx.Request
		want    []string // in their order, before what always stands there
		context string   // . where it is empty
	}{
		"nothing but a Dockerfile":            {buildx.Request{File: "Dockerfile"}, []string{"--file=Dockerfile"}, ""},
		"a Dockerfile that looks like a flag": {buildx.Request{File: "-f"}, []string{"--file=./-f"}, ""},
		"a context that looks like a flag":    {buildx.Request{Context: "-"}, nil, "./-"},
		"a context":                           {buildx.Request{Context: "web"}, nil, "web"},
		"a Git context":                       {buildx.Request{Context: "https://example.org/app.git#v1:web"}, nil, "https://example.org/app.git#v1:web"},
		"platforms go together":               {buildx.Request{Platforms: []string{"linux/amd64", "linux/arm/v7"}}, []string{"--platform=linux/amd64,linux/arm/v7"}, ""},
		"a target":                            {buildx.Request{Target: "--help"}, []string{"--target=--help"}, ""},
		"arguments with and without value":    {buildx.Request{Args: []buildx.Arg{{Name: "A", Value: "b=c,d"}, {Name: "E"}, {Name: "F", FromEnvironment: true}}}, []string{"--build-arg=A=b=c,d", "--build-arg=E=", "--build-arg=F"}, ""},
		"labels by name":                      {buildx.Request{Labels: map[string]string{"b": "x, \"y\"", "a": "1"}}, []string{"--label=a=1", "--label=b=x, \"y\""}, ""},
		"secrets by their place":              {buildx.Request{Secrets: []buildx.Secret{{ID: "t", Env: "F"}, {ID: "u", Src: "a,b"}}}, []string{"--secret=id=t,env=F", `--secret=id=u,"src=a,b"`}, ""},
		"named contexts":                      {buildx.Request{Contexts: []buildx.NamedContext{{Name: "a", Value: "docker-image://alpine"}, {Name: "b", Value: "-b"}, {Name: "c", Layout: "/l", Digest: "sha256:00"}}}, []string{"--build-context=a=docker-image://alpine", "--build-context=b=./-b", "--build-context=c=oci-layout:///l@sha256:00"}, ""},
		"caches":                              {buildx.Request{CacheFrom: []string{"type=local,src=c"}, CacheTo: []string{"type=inline"}}, []string{"--cache-from=type=local,src=c", "--cache-to=type=inline"}, ""},
		"a builder":                           {buildx.Request{Builder: "b"}, []string{"--builder=b"}, ""},
		"pull and no cache":                   {buildx.Request{Pull: true, NoCache: true, NoCacheFilters: []string{"a", "b"}}, []string{"--pull=true", "--no-cache=true", "--no-cache-filter=a", "--no-cache-filter=b"}, ""},
		"what RUN sees":                       {buildx.Request{AddHosts: []string{"h:10.0.0.1", "g=::1,10.0.0.2"}, Allow: []string{"network.host"}, Network: "none", ShmSize: "1g", Ulimits: []string{"nofile=1:2"}, SSH: []string{"k=/key"}}, []string{"--add-host=h:10.0.0.1", `--add-host="g=::1,10.0.0.2"`, "--allow=network.host", "--network=none", "--shm-size=1g", "--ulimit=nofile=1:2", "--ssh=k=/key"}, ""},
		"an SBOM":                             {buildx.Request{SBOM: true}, []string{"--sbom=true"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, buildxtest.Script{}, "F=secret")
			tc.request.Dir = s.request.Dir
			s.request = tc.request
			write(t, filepath.Join(s.request.Dir, "a,b"), "x")
			if _, err := s.build(t); err != nil {
				t.Fatal(err)
			}
			call := only(t, s.standin)
			at := len(call.Args) - 3 // metadata file, output, context
			want := slices.Concat([]string{"build"}, tc.want, always)
			if !slices.Equal(call.Args[:at], want) {
				t.Errorf("arguments are\n%q, want\n%q", call.Args[:at], want)
			}
			if tc.context == "" {
				tc.context = "."
			}
			if got := call.Args[len(call.Args)-1]; got != tc.context {
				t.Errorf("the context is %q, want %q", got, tc.context)
			}
			if !strings.HasPrefix(call.Args[at], "--metadata-file="+s.temp) {
				t.Errorf("%q is no metadata file in the private directory", call.Args[at])
			}
			if out := call.Args[at+1]; !strings.HasPrefix(out, "--output=type=oci,dest="+s.temp) ||
				!strings.HasSuffix(out, ",tar=false,oci-mediatypes=true,rewrite-timestamp=true") {
				t.Errorf("%q is not the output to a layout", out)
			}
			if dir, _ := filepath.EvalSymlinks(s.request.Dir); call.Dir != dir {
				t.Errorf("it ran in %s, want %s", call.Dir, dir)
			}
		})
	}
	t.Run("attestations that are kept", func(t *testing.T) {
		s := newScene(t, buildxtest.Script{})
		s.request.Provenance = true
		if _, err := s.build(t); err != nil {
			t.Fatal(err)
		}
		if call := only(t, s.standin); !slices.Contains(call.Args, "--provenance=mode=min") || slices.Contains(call.Args, "--provenance=false") {
			t.Errorf("arguments are %q", call.Args)
		}
	})
}

func TestWhatAnEnvironmentHas(t *testing.T) {
	everything := []string{
		"DOCKER_CONFIG=/d", "DOCKER_HOST=tcp://h", "DOCKER_CONTEXT=c", "BUILDX_BUILDER=b", "BUILDKIT_HOST=unix:///s", "TMPDIR=/t",
		"http_proxy=p", "HTTPS_PROXY=q", "no_proxy=r", "ALL_PROXY=s", "BUILDX_METADATA_PROVENANCE=disabled", "BUILDX_GIT_INFO=true", "BUILDX_GIT_LABELS=full", "SOURCE_DATE_EPOCH=5",
		"ACTIONS_ID_TOKEN_REQUEST_TOKEN=token-1!", "ACTIONS_ID_TOKEN_REQUEST_URL=token-2!", "ACTIONS_RUNTIME_TOKEN=token-3!", "ACTIONS_CACHE_URL=token-4!",
		"GITHUB_TOKEN=token-5!", "GITHUB_SHA=token-6!", "INPUT_TOKEN=token-7!", "TAGLAST_REGISTRY_AUTH=token-8!", "TAGLAST_X=token-9!", "AWS_SECRET_ACCESS_KEY=aws", "AWS_REGION=eu",
		"SSH_AUTH_SOCK=/agent", "FOO=foo", "LD_PRELOAD=x", "DOCKER_AUTH_CONFIG=y", "DOCKER_DEFAULT_PLATFORM=z",
	}
	usual := []string{
		"DOCKER_CONFIG=/d", "DOCKER_HOST=tcp://h", "DOCKER_CONTEXT=c", "BUILDX_BUILDER=b", "BUILDKIT_HOST=unix:///s", "TMPDIR=/t",
		"http_proxy=p", "HTTPS_PROXY=q", "no_proxy=r", "ALL_PROXY=s", "BUILDX_METADATA_PROVENANCE=min", "BUILDX_GIT_INFO=false", "BUILDX_GIT_LABELS=false", "SOURCE_DATE_EPOCH=0",
	}
	date := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, tc := range map[string]struct {
		change func(*buildx.Request)
		more   []string
	}{
		"nothing is named":                   {func(*buildx.Request) {}, nil},
		"a secret":                           {func(r *buildx.Request) { r.Secrets = []buildx.Secret{{ID: "t", Env: "GITHUB_TOKEN"}} }, []string{"GITHUB_TOKEN=token-5!"}},
		"an argument without value":          {func(r *buildx.Request) { r.Args = []buildx.Arg{{Name: "FOO", FromEnvironment: true}} }, []string{"FOO=foo"}},
		"an argument with a value":           {func(r *buildx.Request) { r.Args = []buildx.Arg{{Name: "FOO", Value: "bar"}} }, nil},
		"the agent":                          {func(r *buildx.Request) { r.SSH = []string{"default"} }, []string{"SSH_AUTH_SOCK=/agent"}},
		"a key of one's own":                 {func(r *buildx.Request) { r.SSH = []string{"default=/key"} }, nil},
		"a cache of kind s3":                 {func(r *buildx.Request) { r.CacheTo = []string{"type=s3,bucket=b,region=eu"} }, []string{"AWS_SECRET_ACCESS_KEY=aws", "AWS_REGION=eu"}},
		"a cache to read of kind s3":         {func(r *buildx.Request) { r.CacheFrom = []string{"bucket=b,type=s3"} }, []string{"AWS_SECRET_ACCESS_KEY=aws", "AWS_REGION=eu"}},
		"a cache of another kind":            {func(r *buildx.Request) { r.CacheTo = []string{"type=registry,ref=h/s3"} }, nil},
		"the date of the image":              {func(r *buildx.Request) { r.Created = date }, []string{"SOURCE_DATE_EPOCH=1767323045"}},
		"a date that is before all of Unix'": {func(r *buildx.Request) { r.Created = date.AddDate(-100, 0, 0) }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, buildxtest.Script{}, everything...)
			tc.change(&s.request)
			if _, err := s.build(t); err != nil {
				t.Fatal(err)
			}
			want := slices.Concat(usual, tc.more)
			if slices.ContainsFunc(tc.more, func(v string) bool { return strings.HasPrefix(v, "SOURCE_DATE_EPOCH=") }) {
				want = slices.DeleteFunc(want, func(v string) bool { return v == "SOURCE_DATE_EPOCH=0" })
			}
			got := slices.DeleteFunc(only(t, s.standin).Env, func(v string) bool {
				return strings.HasPrefix(v, "PATH=") || strings.HasPrefix(v, "HOME=") || strings.HasPrefix(v, "BUILDX_STANDIN_")
			})
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("the child has\n%q, want\n%q", got, want)
			}
			for _, command := range []string{"version", "inspect"} {
				for _, c := range s.standin.Calls(t, command) {
					if env := strings.Join(c.Env, "\n"); strings.Contains(env, "token-") || strings.Contains(env, "=aws") || strings.Contains(env, "=foo") {
						t.Errorf("%s got %q", command, c.Env)
					}
				}
			}
		})
	}
}

func TestOneBuildForTheSame(t *testing.T) {
	s := newScene(t, buildxtest.Script{})
	other := s.request
	other.Target = "x"
	layouts := make([]string, 4)
	var group sync.WaitGroup
	for i := range layouts {
		group.Go(func() {
			r := s.request
			if i == 3 {
				r = other
			}
			result, err := s.client.Build(t.Context(), r, s.job())
			if err != nil {
				t.Error(err)
			}
			layouts[i] = result.Layout
		})
	}
	group.Wait()
	if n := len(s.standin.Calls(t, "build")); n != 2 {
		t.Errorf("%d builds ran, want 2", n)
	}
	if layouts[0] == "" || layouts[0] != layouts[1] || layouts[1] != layouts[2] || layouts[2] == layouts[3] {
		t.Errorf("layouts are %q", layouts)
	}
	again, err := s.build(t)
	if err != nil || again.Layout != layouts[0] {
		t.Errorf("asked once more it gave %q, %v", again.Layout, err)
	}
	if s.output.closed != 2 {
		t.Errorf("%d outputs were closed, want 2", s.output.closed)
	}
}

func TestTheSameImageAsContextIsTheSameBuild(t *testing.T) {
	s := newScene(t, buildxtest.Script{})
	for _, layout := range []string{"/one", "/two"} {
		s.request.Contexts = []buildx.NamedContext{{Name: "base", Layout: layout, Digest: "sha256:00"}}
		if _, err := s.build(t); err != nil {
			t.Fatal(err)
		}
	}
	only(t, s.standin)
	s.request.Contexts = []buildx.NamedContext{{Name: "base", Layout: "/two", Digest: "sha256:01"}}
	if _, err := s.build(t); err != nil {
		t.Fatal(err)
	}
	if n := len(s.standin.Calls(t, "build")); n != 2 {
		t.Errorf("%d builds ran, want another one for another image", n)
	}
}

func TestTwoBuildsAtOnceAndNoMore(t *testing.T) {
	gate := filepath.Join(t.TempDir(), "gate")
	s := newScene(t, buildxtest.Script{Await: gate})
	var group sync.WaitGroup
	for _, target := range []string{"a", "b", "c"} {
		r := s.request
		r.Target = target
		group.Go(func() {
			if _, err := s.client.Build(t.Context(), r, s.job()); err != nil {
				t.Error(err)
			}
		})
	}
	waitFor(t, func() bool { return len(s.standin.Calls(t, "build")) == 2 })
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	waiting := s.request
	waiting.Target = "d"
	if _, err := s.client.Build(ctx, waiting, s.job()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("one that waits for its turn gave %v once its time was over", err)
	}
	if n := len(s.standin.Calls(t, "build")); n != 2 {
		t.Errorf("%d builds run at once, want 2", n)
	}
	write(t, gate, "")
	group.Wait()
	if n := len(s.standin.Calls(t, "build")); n != 3 {
		t.Errorf("%d builds ran in the end, want 3", n)
	}
}

func TestAFailureIsNotKept(t *testing.T) {
	s := newScene(t, buildxtest.Script{Build: buildxtest.Answer{Stderr: "ERROR: failed to build: no\n", Exit: 1}})
	for range 2 {
		if _, err := s.build(t); err == nil {
			t.Fatal("no error")
		}
	}
	if n := len(s.standin.Calls(t, "build")); n != 2 {
		t.Errorf("%d builds ran, want another attempt", n)
	}
}

func waitFor(t *testing.T, done func() bool) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for !done() {
		if time.Now().After(deadline) {
			t.Fatal("it did not come about within a minute")
		}
		time.Sleep(2 * time.Millisecond)
	}
}

func wantHint(t *testing.T, err error, message, advice string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %q", message)
	}
	if err.Error() != message {
		t.Errorf("the error is\n%s, want\n%s", err, message)
	}
	if h := hint.Of(err); !strings.Contains(h, advice) || advice == "" && h != "" {
		t.Errorf("the hint is %q, want %q in it", h, advice)
	}
}
