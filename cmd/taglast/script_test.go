package main

import (
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/taglast/taglast/internal/sandbox"
	"github.com/taglast/taglast/internal/testkit/buildxtest"
	"github.com/taglast/taglast/internal/testkit/golden"
)

// TestScripts runs the program as people type it. Beside testscript's own commands there are:
//
//	sandbox [flags]    serve a world: a job's environment, REG1 and REG2 for its registries, event.json,
//	                   signing_config.json and trusted_root.json
//	job NAME=VALUE...  make what follows another job: sha, ref, attempt
//	layout [KIND] DIR  a two-platform OCI layout, spoilt in one way (see layout_test.go)
//	exits CODE CMD...  run a command and check its exit code
//	failure FILE       write what the last command said of its failure: from `error: ` on
//	normal NAME FILE   write stdout, stderr or a file with hosts, times and paths made the same for every run
//	state FILE         write what the registries hold
//	unmasked FILE      take the lines out of a log that tell the runner what to hide
//	nothing-sent       fail unless all requests so far were reads or probes
//	docker KIND        put a stand-in for docker with buildx on PATH: one that builds, or one that fails
//	builds FILE        write how that was called to build: arguments and environment, one a line
//	step               begin a step of a job: files for its outputs, its summary and its artifacts
//	outputs FILE       write the step's outputs, as the runner reads them
func TestScripts(t *testing.T) {
	t.Parallel()
	docker := dockers{t}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *golden.Update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Values[worldKey{}] = &served{}
			e.Setenv("DOCKER_CONFIG", filepath.Join(e.WorkDir, ".docker"))
			e.Setenv("NL", "\n")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"sandbox": cmdSandbox, "job": cmdJob, "layout": cmdLayout, "exits": cmdExits, "failure": cmdFailure,
			"normal": cmdNormal, "state": cmdState, "unmasked": cmdUnmasked, "nothing-sent": cmdNothingSent,
			"docker": docker.cmdDocker, "builds": docker.cmdBuilds, "step": cmdStep, "outputs": cmdOutputs,
		},
	})
}

type worldKey struct{}

// served is the world of one script.
type served struct {
	*sandbox.Server
	second string              // REG2
	docker *buildxtest.Standin // nil: none is asked for
}

func world(ts *testscript.TestScript) *served {
	s, _ := ts.Value(worldKey{}).(*served)
	return s
}

// cmdSandbox serves a world.
func cmdSandbox(ts *testscript.TestScript, _ bool, args []string) {
	var o sandbox.Options
	var deny, denyList, huge, login string
	flags := flag.NewFlagSet("sandbox", flag.ContinueOnError)
	flags.BoolVar(&o.NoIDToken, "no-id-token", false, "")
	flags.BoolVar(&o.NoAttestations, "no-attestations", false, "")
	flags.StringVar(&o.StoreRefuses, "store-refuses", "", "what the store answers")
	flags.StringVar(&deny, "deny-push", "", "a repository that nobody may write")
	flags.StringVar(&denyList, "deny-list", "", "a repository whose tags nobody may list")
	flags.StringVar(&o.Identity.RepositoryVisibility, "visibility", "", "")
	flags.StringVar(&o.Identity.OwnerType, "owner", "", "Organization or User")
	flags.StringVar(&o.Identity.EventName, "event", "", "")
	flags.StringVar(&o.Identity.Ref, "ref", "", "")
	flags.StringVar(&huge, "huge", "", "a part of the paths that are answered with 64 MiB")
	flags.StringVar(&login, "login", "", "USER:PASSWORD that the registries ask for")
	ts.Check(flags.Parse(args))
	if deny != "" {
		o.Registry.DenyPush = []string{deny}
	}
	if denyList != "" {
		o.Registry.DenyList = []string{denyList}
	}
	if user, password, ok := strings.Cut(login, ":"); ok {
		o.Registry.Auth = sandbox.Auth{Scheme: "basic", Username: user, Password: password}
	}
	server, err := sandbox.Listen(o, func(next http.Handler) http.Handler { return tooLarge(huge, next) })
	ts.Check(err)
	ts.Defer(func() { _ = server.Close() })
	s := world(ts)
	s.Server = server
	s.second, err = server.Registry()
	ts.Check(err)
	event, err := server.World.Event()
	ts.Check(err)
	for name, content := range map[string][]byte{
		"event.json": event, "signing_config.json": server.World.SigningConfig(), "trusted_root.json": server.World.TrustedRoot(),
	} {
		ts.Check(os.WriteFile(ts.MkAbs(name), content, 0o600))
	}
	ts.Setenv("GITHUB_EVENT_PATH", ts.MkAbs("event.json"))
	ts.Setenv("REG1", strings.TrimPrefix(server.URL, "http://"))
	ts.Setenv("REG2", s.second)
	s.enter(ts)
}

// tooLarge answers requests whose path has a part with more than anybody may want to read.
func tooLarge(part string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if part == "" || r.Method != http.MethodGet || !strings.Contains(r.URL.Path, part) {
			next.ServeHTTP(w, r)
			return
		}
		block := make([]byte, 1<<20)
		for i := range block {
			block[i] = ' '
		}
		for range 64 {
			if _, err := w.Write(block); err != nil {
				return // the client has had enough: as it should
			}
		}
	})
}

// enter sets the job's environment.
func (s *served) enter(ts *testscript.TestScript) {
	for name, value := range s.World.Env() {
		ts.Setenv(name, value)
	}
}

// cmdJob changes the job.
func cmdJob(ts *testscript.TestScript, _ bool, args []string) {
	s := world(ts)
	next := s.World.Identity()
	for _, arg := range args {
		name, value, _ := strings.Cut(arg, "=")
		switch name {
		case "sha":
			next.SHA, next.WorkflowSHA, next.JobWorkflowSHA = value, value, value
		case "run":
			next.RunID = value
		case "attempt":
			next.RunAttempt = value
		default:
			ts.Fatalf("job: unknown field %s", name)
		}
	}
	s.World.SetIdentity(next)
	s.enter(ts)
}

// cmdExits runs a command and checks its exit code.
func cmdExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	var exit *exec.ExitError
	code := 0
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if code != want {
		ts.Fatalf("exit code %d, want %d", code, want)
	}
}

func cmdFailure(ts *testscript.TestScript, _ bool, args []string) {
	text := ts.ReadFile("stderr")
	at := strings.Index("\n"+text, "\nerror: ")
	if at < 0 {
		ts.Fatalf("no line of stderr begins with `error: `")
	}
	writeNormal(ts, text[at:], args[0])
}

func cmdNormal(ts *testscript.TestScript, _ bool, args []string) {
	writeNormal(ts, ts.ReadFile(args[0]), args[1])
}

var (
	digits  = regexp.MustCompile(`[0-9]+`)
	seconds = regexp.MustCompile(`\b[0-9]+\.[0-9]s\b`)
	counted = regexp.MustCompile(`\b[0-9]+ requests\b`)
	ids     = regexp.MustCompile(`\[[0-9]+\](\(https://[^ )]*/attestations/)[0-9]+\)|\blog [0-9]+\b`)
	date    = regexp.MustCompile(`\b[0-9]{1,2} [A-Z][a-z]{2} [0-9]{4}\b`)
)

func writeNormal(ts *testscript.TestScript, text, file string) {
	if s := world(ts); s.Server != nil {
		text = strings.NewReplacer(strings.TrimPrefix(s.URL, "http://"), "$REG1", s.second, "$REG2").Replace(text)
	}
	text = strings.ReplaceAll(text, filepath.ToSlash(ts.Getenv("WORK")), "$WORK")
	text = date.ReplaceAllString(seconds.ReplaceAllString(text, "0.0s"), "2 Jan 2006")
	text = counted.ReplaceAllString(text, "9 requests")
	text = ids.ReplaceAllStringFunc(text, func(s string) string { return digits.ReplaceAllString(s, "7") })
	ts.Check(os.WriteFile(ts.MkAbs(file), []byte(text), 0o600))
}

func cmdUnmasked(ts *testscript.TestScript, _ bool, args []string) {
	var kept strings.Builder
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		if !strings.HasPrefix(line, "::add-mask::") {
			kept.WriteString(line)
		}
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(kept.String()), 0o600))
}

// cmdState writes manifests and tags, one a line.
func cmdState(ts *testscript.TestScript, _ bool, args []string) {
	state := world(ts).World.State()
	var lines []string
	for repo, digests := range state.Manifests {
		for _, d := range digests {
			lines = append(lines, fmt.Sprintf("%s@%.19s", repo, d))
		}
		for tag, d := range state.Tags[repo] {
			lines = append(lines, fmt.Sprintf("%s:%s %.19s attested=%t", repo, tag, d, state.Attested[d] > 0))
		}
	}
	for _, v := range world(ts).World.Violations() {
		ts.Fatalf("the law was broken: %s: %v", v.Tag, v.Err)
	}
	names := strings.NewReplacer(ts.Getenv("REG1"), "$REG1", ts.Getenv("REG2"), "$REG2")
	for i := range lines {
		lines[i] = names.Replace(lines[i]) + "\n"
	}
	slices.Sort(lines)
	writeNormal(ts, strings.Join(lines, ""), args[0])
}

// cmdNothingSent allows reads, uploads that are begun without content and cancelled, and store calls that fail.
func cmdNothingSent(ts *testscript.TestScript, _ bool, _ []string) {
	s := world(ts)
	if s.Server == nil {
		return
	}
	begun := 0
	for _, r := range s.World.Requests() {
		upload := strings.Contains(r.Path, "/blobs/uploads/")
		switch {
		case r.Method == http.MethodGet || r.Method == http.MethodHead:
		case upload && r.Method == http.MethodPost && r.Query == "":
			if r.Status < 300 {
				begun++
			}
		case upload && r.Method == http.MethodDelete:
			begun--
		case r.Method == http.MethodPost && strings.HasSuffix(r.Path, "/attestations") && r.Status >= 400:
		default:
			ts.Fatalf("sent: %s %s?%s (%d)", r.Method, r.Path, r.Query, r.Status)
		}
	}
	if begun != 0 {
		ts.Fatalf("%d uploads were begun and not cancelled", begun)
	}
}
