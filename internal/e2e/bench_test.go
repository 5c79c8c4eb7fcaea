//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// BenchmarkBuildAndPush builds and pushes an image of four layers of 125 MB that do not compress, every step of it in the
// builder's cache: by `taglast publish`, which signs it and verifies it too, and by `docker buildx build --push`. The
// registry is empty each time. The surplus is explained by what buildx alone takes to push the same with the times of
// files rewritten, as taglast always has it, and to leave that as a layout instead.
//
//	go test -tags e2e ./internal/e2e -run '^$' -bench BuildAndPush -benchtime 3x
func BenchmarkBuildAndPush(b *testing.B) {
	s, with := builders(b)
	dir := b.TempDir()
	dockerfile := "FROM scratch\n"
	for i := range 4 {
		name := fmt.Sprintf("layer%d", i)
		writeRandom(b, filepath.Join(dir, name), byte(i+1), 125e6)
		dockerfile += "COPY " + name + " /\n"
	}
	writeFiles(b, dir, map[string]string{"Dockerfile": dockerfile})
	buildx := func(output string) outcome {
		return with.buildx(b, dir, "build", "--provenance=false", "--platform", hostPlatform,
			"--build-arg", "SOURCE_DATE_EPOCH=1772600767", "--output", output, ".")
	}
	stages := "" // of the last run of taglast
	ways := []struct {
		unit string
		run  func(repository string) outcome
	}{
		{"s/taglast", func(repository string) outcome {
			writeFiles(b, dir, map[string]string{"taglast.yaml": fmt.Sprintf("repositories: [%s]\nplatforms: [%s]\ntags: [1.2.3]\n"+
				"images:\n  - {name: app, source: {dockerfile: Dockerfile}}\n", repository, hostPlatform)})
			out, _ := s.publishIn(b, append(s.stepEnviron(b, release()), with.environ...), dir)
			stages = ""
			for line := range strings.Lines(out.stderr) {
				if strings.HasPrefix(line, "▸ ") {
					stages += line
				}
			}
			return out
		}},
		{"s/buildx", func(repository string) outcome { return buildx("type=image,push=true,name=" + repository + ":1.2.3") }},
		{"s/buildx-rewritten", func(repository string) outcome {
			return buildx("type=image,push=true,rewrite-timestamp=true,name=" + repository + ":1.2.3")
		}},
		{"s/buildx-layout", func(string) outcome {
			return buildx("type=oci,tar=false,rewrite-timestamp=true,dest=" + filepath.Join(b.TempDir(), "layout"))
		}},
	}
	all := func() map[string]float64 {
		took := map[string]float64{}
		for _, way := range ways {
			if err := os.RemoveAll(filepath.Join(s.file("distribution"), "docker")); err != nil {
				b.Fatal(err)
			}
			began := time.Now()
			if out := way.run("127.0.0.1:" + s.ports.distribution + "/acme/" + secret("bench-")); out.code != 0 {
				b.Fatalf("%s: %s", way.unit, out)
			}
			took[way.unit] = time.Since(began).Seconds()
		}
		return took
	}
	all() // fills the cache
	total := map[string]float64{}
	for b.Loop() {
		for unit, seconds := range all() {
			total[unit] += seconds
		}
	}
	total["s/surplus"] = total["s/taglast"] - total["s/buildx"]
	for unit, seconds := range total {
		b.ReportMetric(seconds/float64(b.N), unit)
	}
	b.Logf("taglast's stages, of the last run:\n%s", stages)
}

// writeRandom writes a file that does not compress.
func writeRandom(t testing.TB, path string, seed byte, size int64) {
	t.Helper()
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.CopyN(file, rand.NewChaCha8([32]byte{seed}), size)
	if err := errors.Join(err, file.Close()); err != nil {
		t.Fatal(err)
	}
}
