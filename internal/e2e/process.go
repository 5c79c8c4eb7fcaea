//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// leashVariable names the variable that turns this test binary into a leash: it runs the command of its arguments and kills
// it when standard input ends, which it does when the tests end, however they end.
const leashVariable = "TAGLAST_E2E_LEASH"

// leash is the other half of start: isolated, the command and all that it starts end together. It returns the exit code.
func leash(command []string, isolated bool) int {
	cmd := exec.CommandContext(context.Background(), command[0], command[1:]...) //nolint:gosec // only start starts it
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if isolated {
		isolate(cmd)
	}
	held, err := cmd.StdinPipe() // open until we die: the same rule for the command
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = held.Close() }()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = cmd.Process.Kill()
	}()
	_ = cmd.Wait()
	return cmd.ProcessState.ExitCode()
}

// A process is a server that runs beside the tests.
type process struct {
	name  string
	stdin io.Closer
	log   string // file
	ended chan struct{}
}

// The values of leashVariable.
const (
	leashPlain    = "1"
	leashIsolated = "isolated"
)

// start runs a server on a leash, until it is stopped: it outlives ctx. Its log is <dir>/<name>.log.
func start(ctx context.Context, dir, name, file string, environ []string, stdout io.Writer, args ...string) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &process{name: name, log: filepath.Join(dir, name+".log"), ended: make(chan struct{})}
	log, err := os.Create(p.log)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(context.WithoutCancel(ctx), self, append([]string{file}, args...)...) //nolint:gosec // programs that the tests built
	cmd.Dir = dir
	cmd.Env = append(append(base(dir), leashVariable+"="+leashPlain), environ...)
	cmd.Stdout, cmd.Stderr = log, log
	if stdout != nil {
		cmd.Stdout = stdout
	}
	if p.stdin, err = cmd.StdinPipe(); err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", name, err), log.Close())
	}
	go func() {
		defer close(p.ended)
		_ = cmd.Wait()
		_ = log.Close()
	}()
	return p, nil
}

// stop ends the process and waits until it is gone.
func (p *process) stop() {
	_ = p.stdin.Close()
	<-p.ended
}

// tail is the end of the log, from an offset on: some lines, and not much of each.
func (p *process) tail(offset int64) string {
	raw, err := os.ReadFile(p.log)
	if err != nil || int64(len(raw)) <= offset {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(string(raw[offset:])), "\n")
	lines = lines[max(0, len(lines)-8):]
	for i, l := range lines {
		if len(l) > 400 {
			lines[i] = l[:400] + "…"
		}
	}
	return strings.Join(lines, "\n")
}

func (p *process) size() int64 {
	info, err := os.Stat(p.log)
	if err != nil {
		return 0
	}
	return info.Size()
}

// healthy waits until url answers with a status below 500.
func (p *process) healthy(ctx context.Context, url string) error {
	ctx, stop := context.WithTimeout(ctx, 30*time.Second)
	defer stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		if resp, err := http.DefaultClient.Do(req); err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode < http.StatusInternalServerError {
				return nil
			}
		}
		select {
		case <-p.ended:
			return fmt.Errorf("%s ended:\n%s", p.name, p.tail(0))
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer at %s:\n%s", p.name, url, p.tail(0))
		case <-tick.C:
		}
	}
}

// freePort is a loopback port that nothing listens on.
func freePort(ctx context.Context) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, errors.Join(err, l.Close())
}

// base is an environment in which nothing of the user's is found: no login, no proxy, no configuration.
func base(home string) []string {
	env := []string{
		"HOME=" + home, "USERPROFILE=" + home, "DOCKER_CONFIG=" + filepath.Join(home, "docker"),
		"XDG_CONFIG_HOME=" + filepath.Join(home, "config"), "XDG_CACHE_HOME=" + filepath.Join(home, "cache"),
		"XDG_RUNTIME_DIR=" + filepath.Join(home, "run"), "NO_COLOR=1", "DO_NOT_TRACK=1",
	}
	for _, kept := range []string{"PATH", "TMPDIR", "TEMP", "SystemRoot", "GOCOVERDIR"} {
		if v, ok := os.LookupEnv(kept); ok {
			env = append(env, kept+"="+v)
		}
	}
	return env
}

// An outcome is how a command ended.
type outcome struct {
	code           int
	stdout, stderr string
}

func (o outcome) String() string {
	return fmt.Sprintf("exit %d\n--- stdout\n%s\n--- stderr\n%s", o.code, strings.TrimSpace(o.stdout), strings.TrimSpace(o.stderr))
}

// run runs a command to its end.
func run(ctx context.Context, dir, file string, environ []string, args ...string) (outcome, error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, file, args...) //nolint:gosec // programs that the tests built
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, environ, &stdout, &stderr
	err := cmd.Run()
	if cmd.ProcessState == nil || (err != nil && cmd.ProcessState.ExitCode() < 0) {
		return outcome{}, fmt.Errorf("run %s: %w\n%s", file, err, stderr.String())
	}
	return outcome{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}, nil
}
