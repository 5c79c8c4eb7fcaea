//go:build e2e

package e2e

import (
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
// builder's cache: by `taglast publish`, by `docker buildx build --push`, and by the same with the times of files
// rewritten, as taglast always has it. Each finds the registry empty.
//
//	go test -tags e2e ./internal/e2e -run '^$' -bench BuildAndPush -benchtime 3x
func BenchmarkBuildAndPush(b *testing.B) {
	s, with := builders(b)
	dir := b.TempDir()
	dockerfile := "FROM scratch\n"
	for i := range 4 {
		name := fmt.Sprintf("layer%d", i)
		file, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			b.Fatal(err)
		}
		_, err = io.CopyN(file, rand.NewChaCha8([32]byte{byte(i + 1)}), 125e6)
		if err == nil {
			err = file.Close()
		}
		if err != nil {
			b.Fatal(err)
		}
		dockerfile += "COPY " + name + " /\n"
	}
	repository := "127.0.0.1:" + s.ports.distribution + "/acme/bench"
	writeFiles(b, dir, map[string]string{
		"Dockerfile":    dockerfile,
		".dockerignore": "taglast-out\n",
		"taglast.yaml":  fmt.Sprintf("repositories: [%s]\nplatforms: [%s]\ntags: [1.2.3]\nimages:\n  - {name: app, source: {dockerfile: Dockerfile}}\n", repository, hostPlatform),
	})
	push := func(output string) func() outcome {
		return func() outcome {
			return with.buildx(b, dir, "build", "--provenance=false", "--platform", hostPlatform, "--build-arg", "SOURCE_DATE_EPOCH=1772600767", "--output", output+",name="+repository+":1.2.3", ".")
		}
	}
	stages := "" // of the last run of taglast
	ways := []struct {
		unit string
		run  func() outcome
	}{
		{"s/taglast", func() outcome {
			out, _ := s.publishIn(b, append(s.stepEnviron(b, release()), with.environ...), dir)
			stages = ""
			for line := range strings.Lines(out.stderr) {
				if strings.HasPrefix(line, "▸ ") {
					stages += strings.TrimSpace(line) + "\n"
				}
			}
			return out
		}},
		{"s/buildx", push("type=image,push=true")},
		{"s/buildx-rewritten", push("type=image,push=true,rewrite-timestamp=true")},
	}
	all := func(record func(unit string, took time.Duration)) {
		for _, way := range ways {
			if err := os.RemoveAll(filepath.Join(s.file("distribution"), "docker")); err != nil {
				b.Fatal(err)
			}
			began := time.Now()
			if out := way.run(); out.code != 0 {
				b.Fatalf("%s: %s", way.unit, out)
			}
			record(way.unit, time.Since(began))
		}
	}
	all(func(unit string, took time.Duration) { b.Logf("cold: %.2f %s", took.Seconds(), unit) })
	total := map[string]float64{}
	for b.Loop() {
		all(func(unit string, took time.Duration) { total[unit] += took.Seconds() })
	}
	for unit, seconds := range total {
		b.ReportMetric(seconds/float64(b.N), unit)
	}
	b.Logf("taglast's stages, once:\n%s", stages)
	b.ReportMetric((total["s/taglast"]-total["s/buildx"])/float64(b.N), "s/surplus")
}
