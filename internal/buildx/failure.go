package buildx

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/internal/hint"
)

// maxStepLines is how many lines of a step's own output an error shows.
const maxStepLines = 20

// ErrDenied is what an *Error is, for errors.Is, where the builder may not read a base image: it has no login, or not the
// right one.
var ErrDenied = errors.New("the builder may not read a base image")

// Error is a build that failed: the builder ended, and said why.
type Error struct {
	message string
	output  []string
	denied  bool
}

// Is reports whether target is ErrDenied, and the error is.
func (e *Error) Is(target error) bool { return target == ErrDenied && e.denied }

// Error says what failed, on one line.
func (e *Error) Error() string { return e.message }

// Detail is the last lines of the output, each inert and without secrets; empty where they would say nothing more.
func (e *Error) Detail() string { return strings.Join(e.output, "\n") }

// failed is what is known of a build that failed.
type failed struct {
	program program
	request Request
	tail    []string // the last lines of the output, which a terminal has instead
	screen  bool
	exit    *exec.ExitError
}

const (
	driverHint = "its driver cannot do it; " + builderHint
	qemuHint   = "add `uses: docker/setup-qemu-action@v4` before docker/setup-buildx-action; or, faster, build each platform on a runner of its own kind and publish with `source: {digests: …}`"
)

// reasons are what builders say, in the words of buildx v0.37 and BuildKit v0.33, and what it means. $1 in a text is the
// first group of the pattern, {program} buildx with its version. The first that matches holds.
var reasons = []struct {
	said    *regexp.Regexp
	message string
	hint    string
}{
	{regexp.MustCompile(`target stage "([^"]*)" could not be found \(did you mean ([^?)]*)\?\)`), "the Dockerfile has no stage $1", "did you mean `target: $2`?"},
	{regexp.MustCompile(`target stage "([^"]*)" could not be found`), "the Dockerfile has no stage $1", "`target` is the name behind AS in a FROM of it"},
	{regexp.MustCompile(`((?:Multi-platform build|OCI exporter|Attestation|Cache export) is not supported for the \S+ driver)`), "$1", driverHint},
	{regexp.MustCompile(`oci for multi-node builds currently not supported`), "{program} cannot write what several nodes of a builder build into one layout", "take a builder of one node; or build each platform in a job of its own and publish with `source: {digests: …}`"},
	{regexp.MustCompile(`(Attestations are not supported by the current BuildKit daemon)`), "$1", "update the builder, or leave `sbom: true` and `keep-attestations` out"},
	{regexp.MustCompile(`failed to read dockerfile: open ([^:]*): no such file`), "the context has no $1", "`dockerfile` is its path, within the context where that is a URL"},
	{regexp.MustCompile(`failed to calculate checksum of ref \S+: "([^"]*)": not found`), "there is no $1 to copy", "paths of COPY start at the context, where .dockerignore may leave them out, and those of COPY --from at the root of what it names; a file of an earlier step of the job must be there"},
	{regexp.MustCompile(`(.*(?:pull access denied|insufficient_scope|authorization failed|401 Unauthorized|403 Forbidden).*)`), "$1", "a builder reads images and caches by docker's own login: add `uses: docker/login-action@v3` before this step. What taglast is given for a registry does not reach it"},
	{regexp.MustCompile(`failed to resolve source metadata for (\S+): (?:\S+: )?not found`), "there is no image $1", "look at its name in FROM; another image of this release is a context of the source: `contexts: {NAME: \"image:NAME\"}`"},
	{regexp.MustCompile(`no builder "([^"]*)" found`), "there is no builder $1", "`docker buildx ls` lists those there are"},
	{regexp.MustCompile(`(?:unknown flag|unknown shorthand flag): '?(-[^\s']+)`), "{program} does not know $1", "it is too old for what is asked of it: update buildx; docker/setup-buildx-action installs the newest"},
	{regexp.MustCompile(`secret ([^:\s]+): not found`), "the build has no secret $1, which the Dockerfile needs", "add `secrets: [\"id=$1,env=VARIABLE\"]` to the source"},
	{regexp.MustCompile(`(?:granting entitlement )?(\S+) is not allowed by build daemon configuration`), "the builder does not allow $1", "it is for who sets the builder up: `buildkitd-flags: --allow-insecure-entitlement $1` of docker/setup-buildx-action"},
	{regexp.MustCompile(`(network\.host|security\.insecure) is not allowed`), "the Dockerfile asks for $1, which the source does not allow", "add `allow: [$1]` to the source"},
	{regexp.MustCompile(`(failed to connect to the docker API[^;]*|Cannot connect to the Docker daemon[^.]*)`), "$1", builderHint},
	{regexp.MustCompile(`(failed to initialize builder .*|no valid drivers found.*|failed to find driver .*|failed to list workers.*)`), "the builder cannot be reached: $1", builderHint},
}

var (
	// deniedBase is what is said of a base image, not of a cache that cannot be written.
	deniedBase = regexp.MustCompile(`failed to resolve source metadata for .*(?:pull access denied|insufficient_scope|authorization failed|401 Unauthorized|403 Forbidden)`)
	// stepPlatform is in the title of a step of a build for several platforms.
	stepPlatform = regexp.MustCompile(`^ > \[([a-z0-9]+/[a-z0-9]+(?:/[a-z0-9]+)?) `)
	connecting   = regexp.MustCompile(`^ > \[internal\] (?:waiting for connection|booting buildkit)`)
	location     = regexp.MustCompile(`^(\S.*:[0-9]+)$`)
	instruction  = regexp.MustCompile(`^ *[0-9]+ \| >>> (.*\S)`)
	stepOutput   = regexp.MustCompile(`^[0-9]+\.[0-9]+ (.*)$`)
	exitCode     = regexp.MustCompile(`did not complete successfully: (exit code: [0-9]+|.*)$`)
	prefixes     = []string{"ERROR: ", "failed to build: ", "failed to solve: "}
)

// explain turns a builder's end into a message and a hint.
func explain(f failed) error {
	if f.screen && len(f.tail) == 0 {
		return &Error{message: fmt.Sprintf("%s ended with exit code %d; its output stands above", f.program.shown(), f.exit.ExitCode())}
	}
	cause := f.cause()
	step := f.step()
	where := f.where()
	if m := stepPlatform.FindStringSubmatch(step.title); m != nil && where != "" {
		where = strings.TrimSuffix(where, ": ") + " for " + escape.Bounded(m[1], 60) + ": "
	}
	for _, line := range step.output {
		if strings.HasSuffix(line, "exec format error") {
			return hint.With(&Error{message: where + "exec format error: the builder's machine cannot run programs of this platform", output: step.output}, qemuHint)
		}
	}
	if connecting.MatchString(step.title) {
		return hint.With(&Error{message: "the builder" + named(f.request.Builder) + " cannot be reached: " + cause}, builderHint)
	}
	for _, r := range reasons {
		m := r.said.FindStringSubmatchIndex(cause)
		if m == nil {
			continue
		}
		expand := func(text string) string { return string(r.said.ExpandString(nil, text, cause, m)) }
		message := where + strings.Replace(expand(r.message), "{program}", f.program.shown(), 1)
		return hint.With(&Error{message: escape.Bounded(message, 600), denied: deniedBase.MatchString(cause)}, escape.Bounded(expand(r.hint), 600))
	}
	if m := exitCode.FindStringSubmatch(cause); m != nil && where != "" {
		cause = m[1]
	}
	if where == "" {
		where = f.program.shown() + ": "
	}
	output := step.output
	if len(output) == 0 && cause == "" {
		cause, output = fmt.Sprintf("exit code %d", f.exit.ExitCode()), f.tail[max(0, len(f.tail)-maxStepLines):]
	}
	return &Error{message: escape.Bounded(where+cause, 900), output: output}
}

// cause is the last error that buildx reports, with the lines that belong to it, on one line.
func (f failed) cause() string {
	for i := len(f.tail) - 1; i >= 0; i-- {
		if !strings.HasPrefix(f.tail[i], prefixes[0]) {
			continue
		}
		text := f.tail[i]
		for _, p := range prefixes {
			text = strings.TrimPrefix(text, p)
		}
		return text
	}
	return ""
}

// where is the place in the Dockerfile: "Dockerfile:4: RUN make: ", empty where the output names none.
func (f failed) where() string {
	for i := len(f.tail) - 1; i > 0; i-- {
		m := location.FindStringSubmatch(f.tail[i-1])
		if m == nil || !isRule(f.tail[i]) {
			continue
		}
		place := f.path(m[1])
		for _, line := range f.tail[i:] {
			if code := instruction.FindStringSubmatch(line); code != nil {
				return place + ": `" + escape.Bounded(code[1], 160) + "`: "
			}
		}
		return place + ": "
	}
	return ""
}

// path is a place with the path of the Dockerfile, of which BuildKit tells the last part alone.
func (f failed) path(place string) string {
	file := filepath.ToSlash(f.request.File)
	if i := strings.LastIndexByte(file, '/'); i >= 0 && strings.HasPrefix(place, file[i+1:]+":") {
		place = escape.Bounded(file[:i+1], 200) + place
	}
	return place
}

// step is what the step that failed is called, and the last lines that it wrote.
type step struct {
	title  string
	output []string
}

// step is the last part between two rules: a title and lines with the time before them.
func (f failed) step() step {
	for i := len(f.tail) - 1; i >= 0; i-- {
		if !strings.HasPrefix(f.tail[i], " > ") {
			continue
		}
		s := step{title: f.tail[i]}
		for _, line := range f.tail[i+1:] {
			if isRule(line) {
				break
			}
			if m := stepOutput.FindStringSubmatch(line); m != nil {
				line = m[1]
			}
			s.output = append(s.output, line)
		}
		s.output = s.output[max(0, len(s.output)-maxStepLines):]
		return s
	}
	return step{}
}

func isRule(line string) bool { return len(line) >= 6 && strings.Trim(line, "-") == "" }
