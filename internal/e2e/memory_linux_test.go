//go:build e2e

package e2e

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

const (
	layerSize   = 1 << 30
	memoryLimit = 100 << 20
)

// The layer's size has no part in the memory that a publication takes, wherever the layer comes from.
func TestMemoryStaysBoundedWithALayerOfOneGiB(t *testing.T) {
	s, dir := servers(t), t.TempDir()
	from := bigLayout(t, filepath.Join(dir, "dist", "app"))
	archive := layoutTar(t, from, filepath.Join(dir, "dist", "app.tar"))
	here := func(port string) string { return "127.0.0.1:" + port + "/acme/" + secret("big-") }
	first := here(s.ports.distribution)
	for _, c := range []struct{ name, source, to string }{
		{"a directory", "oci: " + from, first},
		{"a tar", "oci: " + archive, here(s.ports.distribution)},
		{"a registry", "image: " + first + ":1.2.3", here(s.ports.olareg)},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := write(t, dir, "taglast.yaml", fmt.Appendf(nil,
				"repositories: [%s]\nplatforms: [linux/amd64]\ntags: [1.2.3]\nimages:\n  - name: app\n    source: {%s}\n", c.to, c.source))
			began := time.Now()
			peak := s.peak(t, dir, release().environ(t, s), "publish", "-f", file, "--signing-config", s.signingConfig,
				"--trusted-root", s.trustedRoot, "--output-dir", filepath.Join(t.TempDir(), "out"))
			t.Logf("VmHWM %.1f MB, %.1f s for a layer of 1 GiB from %s", float64(peak)/1e6, time.Since(began).Seconds(), c.name)
			if peak > memoryLimit {
				t.Errorf("VmHWM is %.1f MB", float64(peak)/1e6)
			}
			if digest, _ := resolve(t, c.to+":1.2.3"); digest == "" {
				t.Error("it was not published")
			}
		})
	}
}

var highWater = regexp.MustCompile(`(?m)^VmHWM:\s+(\d+) kB$`)

// peak runs the program and gives the most memory that it had resident. The figure comes from /proc, read while it
// runs: the one that wait4 returns is the parent's where that had more at the fork.
func (s *stack) peak(t *testing.T, dir string, environ []string, args ...string) (bytesResident int64) {
	t.Helper()
	file, err := program()
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	cmd := exec.CommandContext(t.Context(), file, args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, environ, &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		raw, err := os.ReadFile("/proc/" + strconv.Itoa(cmd.Process.Pid) + "/status")
		if m := highWater.FindSubmatch(raw); err == nil && m != nil {
			kb, err := strconv.ParseInt(string(m[1]), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			bytesResident = max(bytesResident, kb<<10)
		}
		select {
		case err := <-ended:
			if err != nil {
				t.Fatalf("%v\n%s", err, said.String())
			}
			return bytesResident
		case <-tick.C:
		}
	}
}

// bigLayout writes an OCI layout of one image whose layer is a GiB that does not compress.
func bigLayout(t *testing.T, dir string) string {
	t.Helper()
	blobs := filepath.Join(dir, "blobs", "sha256")
	if err := os.MkdirAll(blobs, 0o755); err != nil {
		t.Fatal(err)
	}
	part, err := os.Create(filepath.Join(blobs, "part"))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.New()
	_, err = io.CopyN(io.MultiWriter(part, sum), rand.NewChaCha8([32]byte{1}), layerSize)
	if err != nil {
		t.Fatal(err)
	}
	if err := part.Close(); err != nil {
		t.Fatal(err)
	}
	layer := hex.EncodeToString(sum.Sum(nil))
	if err := os.Rename(part.Name(), filepath.Join(blobs, layer)); err != nil {
		t.Fatal(err)
	}
	blob := func(document any) map[string]any {
		raw, err := json.Marshal(document)
		if err != nil {
			t.Fatal(err)
		}
		digest := digestOf(raw)
		write(t, blobs, strings.TrimPrefix(digest, "sha256:"), raw)
		return map[string]any{"digest": digest, "size": len(raw)}
	}
	config := blob(map[string]any{
		"os": "linux", "architecture": "amd64", "config": map[string]any{},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{"sha256:" + layer}},
	})
	config["mediaType"] = "application/vnd.oci.image.config.v1+json"
	manifest := blob(map[string]any{
		"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": config, "layers": []any{
			map[string]any{"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": "sha256:" + layer, "size": layerSize},
		},
	})
	manifest["mediaType"], manifest["platform"] = "application/vnd.oci.image.manifest.v1+json", map[string]string{"os": "linux", "architecture": "amd64"}
	index, err := json.Marshal(map[string]any{
		"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": []any{manifest},
	})
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "index.json", index)
	write(t, dir, "oci-layout", []byte(`{"imageLayoutVersion":"1.0.0"}`))
	return dir
}

// layoutTar packs a layout as `docker buildx build --output type=oci` does.
func layoutTar(t *testing.T, dir, file string) string {
	t.Helper()
	out, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	w := tar.NewWriter(out)
	if err := w.AddFS(os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	return file
}
