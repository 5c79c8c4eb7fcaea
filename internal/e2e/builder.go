//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// A builder is a BuildKit daemon with a cache of its own, and the buildx that it is reached through.
type builder struct {
	daemon  *process
	bin     string   // folder of docker-buildx
	environ []string // of a program that is to find this buildx and this daemon, and no other
}

// startBuilder starts a daemon whose files are in folder <name> of the stack. It reaches the registries on loopback by
// http; what it wants of Docker Hub it gets from the one that stands for it; anything else the gateway refuses.
func (s *stack) startBuilder(ctx context.Context, name string) (*builder, error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("BuildKit starts containers, which only root may here: run the e2e tests as root (.ci/run does it by sudo)")
	}
	if _, err := exec.LookPath("runc"); err != nil {
		return nil, errors.New("BuildKit starts containers with runc, which is not installed: apt-get install runc")
	}
	daemon, err := buildkitTool.file()
	if err != nil {
		return nil, err
	}
	buildx, err := buildxTool.file()
	if err != nil {
		return nil, err
	}
	dir := s.file(name)
	b := &builder{bin: filepath.Join(dir, "bin")}
	plugins, socket, temp := filepath.Join(dir, "docker", "cli-plugins"), filepath.Join(dir, "buildkitd.sock"), filepath.Join(dir, "run")
	for _, folder := range []string{b.bin, plugins, temp} {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return nil, err
		}
	}
	for _, folder := range []string{b.bin, plugins} {
		if err := os.Symlink(buildx, filepath.Join(folder, "docker-buildx")); err != nil {
			return nil, err
		}
	}
	config := fmt.Sprintf(`[registry."127.0.0.1:%s"]
  http = true
[registry."127.0.0.1:%s"]
  http = true
[registry."docker.io"]
  mirrors = ["127.0.0.1:%[2]s"]
[worker.containerd]
  enabled = false
[worker.oci]
  gc = false
`, s.ports.distribution, s.ports.olareg)
	file := filepath.Join(dir, "buildkitd.toml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return nil, err
	}
	// A mount namespace of its own below its process namespace, whose /proc must be that one's.
	environ := append(s.proxied(), leashVariable+"="+leashIsolated, "XDG_RUNTIME_DIR="+temp)
	b.daemon, err = start(ctx, s.dir, name, "unshare", environ, nil, "--mount", "--mount-proc",
		daemon, "--config", file, "--root", filepath.Join(dir, "root"), "--addr", "unix://"+socket,
		"--otel-socket-path", filepath.Join(dir, "otel.sock"))
	if err != nil {
		return nil, err
	}
	s.builders = append(s.builders, b.daemon)
	if err := b.daemon.listens(ctx, socket); err != nil {
		return nil, err
	}
	b.environ = []string{
		"PATH=" + b.bin + string(os.PathListSeparator) + os.Getenv("PATH"), "DOCKER_CONFIG=" + filepath.Dir(plugins),
		"BUILDX_CONFIG=" + filepath.Join(dir, "buildx"), "BUILDX_BUILDER=" + name,
	}
	out, err := run(ctx, dir, buildx, append(base(dir), b.environ...), "create", "--name", name, "--driver", "remote", "unix://"+socket)
	if err == nil && out.code != 0 {
		err = fmt.Errorf("buildx create: %s", out)
	}
	return b, err
}

// listens waits until a daemon accepts connections at a socket.
func (p *process) listens(ctx context.Context, socket string) error {
	ctx, stop := context.WithTimeout(ctx, 30*time.Second)
	defer stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if conn, err := (&net.Dialer{}).DialContext(ctx, "unix", socket); err == nil {
			return conn.Close()
		}
		select {
		case <-p.ended:
			return fmt.Errorf("%s ended:\n%s", p.name, p.tail(0))
		case <-ctx.Done():
			return fmt.Errorf("%s does not listen at %s:\n%s", p.name, socket, p.tail(0))
		case <-tick.C:
		}
	}
}

// builders is the stack with the builder that the tests share, for one test, as servers is.
func builders(t testing.TB) (*stack, *builder) {
	t.Helper()
	s := servers(t)
	b, err := s.builder()
	if err != nil {
		t.Fatal(err)
	}
	b.watch(t)
	return s, b
}

// freshBuilder starts one that has built nothing, until the test ends: a machine without the cache of the first.
func (s *stack) freshBuilder(t testing.TB) *builder {
	t.Helper()
	b, err := s.startBuilder(t.Context(), secret("builder-"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.daemon.stop)
	b.watch(t)
	return b
}

// watch shows what the daemon logged if the test fails.
func (b *builder) watch(t testing.TB) {
	size := b.daemon.size()
	t.Cleanup(func() {
		if text := b.daemon.tail(size); t.Failed() && text != "" {
			t.Logf("log of %s:\n%s", b.daemon.name, text)
		}
	})
}

// buildx runs buildx as a user would, without any login.
func (b *builder) buildx(t testing.TB, dir string, args ...string) outcome {
	t.Helper()
	environ := append(append(base(t.TempDir()), shared.proxied()...), b.environ...)
	out, err := run(t.Context(), dir, filepath.Join(b.bin, "docker-buildx"), environ, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// prune empties the builder's cache.
func (b *builder) prune(t *testing.T) {
	t.Helper()
	if out := b.buildx(t, t.TempDir(), "prune", "--all", "--force"); out.code != 0 {
		t.Fatalf("buildx prune: %s", out)
	}
}

// cachedSteps are the RUN and COPY of a build that came from a cache, as its plain progress says.
func cachedSteps(progress string) (steps []string) {
	for _, m := range regexp.MustCompile(`(?m)^#(\d+) \[[^\]]*\] ((?:RUN|COPY) .*)$`).FindAllStringSubmatch(progress, -1) {
		// A step that waits is named again when it goes on.
		if strings.Contains(progress, "\n#"+m[1]+" CACHED\n") && !slices.Contains(steps, m[2]) {
			steps = append(steps, m[2])
		}
	}
	return steps
}
