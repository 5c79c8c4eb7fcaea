package publish_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/taglast/taglast/internal/sandbox"
	"github.com/taglast/taglast/pkg/publish"
	"github.com/taglast/taglast/pkg/release"
)

// roundTrip is what the benchmark's proxy adds to every request: a runner is as far from its registry.
const roundTrip = 30 * time.Millisecond

// BenchmarkTwentyImages publishes 20 images of two platforms that are there by digest, two tags each, over loopback
// through a proxy that adds 30 ms to every request. The registry, the authorities and the store are the sandbox's, in
// this process.
func BenchmarkTwentyImages(b *testing.B) {
	requests := 0
	for b.Loop() {
		b.StopTimer()
		server, o := twentyImages(b)
		b.StartTimer()
		if _, err := publish.Publish(context.Background(), o); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		requests = len(server.World.Requests())
		if err := server.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	b.ReportMetric(float64(requests), "requests/op")
}

// twentyImages serves a world whose registry holds 20 images, untagged, and gives the options that publish them.
func twentyImages(b *testing.B) (*sandbox.Server, publish.Options) {
	b.Helper()
	server, err := sandbox.Listen(sandbox.Options{}, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(roundTrip)
			next.ServeHTTP(w, r)
		})
	})
	if err != nil {
		b.Fatal(err)
	}
	host := strings.TrimPrefix(server.URL, "http://")
	var text strings.Builder
	fmt.Fprintf(&text, "repositories: [%s/acme/app]\nplatforms: [linux/amd64, linux/arm64]\nimages:\n", host)
	for n := range 20 {
		fmt.Fprintf(&text, "  - name: image%d\n    source: {image: \"%s/acme/app@%s\"}\n"+
			"    tags: [\"type=semver,pattern={{version}},value=1.2.3,suffix=-image%d\", image%d]\n    flavor: [latest=false]\n",
			n, host, seedNumbered(b, server.World, host, n), n, n)
	}
	dir := b.TempDir()
	file, err := release.Parse(filepath.Join(dir, "taglast.yaml"), []byte(text.String()), func(string) (string, bool) { return "", false })
	if err != nil {
		b.Fatal(err)
	}
	payload, err := server.World.Event()
	if err != nil {
		b.Fatal(err)
	}
	env := server.World.Env()
	env["GITHUB_EVENT_PATH"] = filepath.Join(dir, "event.json")
	if err := os.WriteFile(env["GITHUB_EVENT_PATH"], payload, 0o600); err != nil {
		b.Fatal(err)
	}
	return server, publish.Options{
		File: file, OutputDir: filepath.Join(dir, "out"), WorkDir: dir, Getenv: func(key string) string { return env[key] },
		SigningConfig: server.World.SigningConfig(), TrustedRoot: server.World.TrustedRoot(),
	}
}

// seedNumbered puts a variant of the quickstart's image, whose manifests are its own, into a registry and gives its digest.
func seedNumbered(b *testing.B, w *sandbox.World, host string, n int) string {
	b.Helper()
	dir := filepath.Join("..", "..", "testdata", "quickstart", "image", "blobs", "sha256")
	entries, err := os.ReadDir(dir)
	if err != nil {
		b.Fatal(err)
	}
	index := map[string]any{}
	var children []any
	for _, e := range entries {
		raw, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			b.Fatal(err)
		}
		var document map[string]any
		if json.Unmarshal(raw, &document) != nil || document["mediaType"] == nil {
			if _, err := w.SeedBlob(host, "acme/app", raw); err != nil {
				b.Fatal(err)
			}
			continue
		}
		document["annotations"] = map[string]string{"number": fmt.Sprint(n)}
		if document["manifests"] != nil {
			index = document
			continue
		}
		size, digest := seedDocument(b, w, host, document)
		children = append(children, map[string]any{"mediaType": document["mediaType"], "digest": digest, "size": size, "was": "sha256:" + e.Name()})
	}
	for _, entry := range index["manifests"].([]any) {
		entry := entry.(map[string]any)
		for _, child := range children {
			if child := child.(map[string]any); child["was"] == entry["digest"] {
				entry["digest"], entry["size"] = child["digest"], child["size"]
				break
			}
		}
	}
	_, digest := seedDocument(b, w, host, index)
	return digest
}

func seedDocument(b *testing.B, w *sandbox.World, host string, document map[string]any) (size int, digest string) {
	b.Helper()
	raw, err := json.Marshal(document)
	if err == nil {
		digest, err = w.SeedManifest(host, "acme/app", "", document["mediaType"].(string), raw)
	}
	if err != nil {
		b.Fatal(err)
	}
	return len(raw), digest
}
