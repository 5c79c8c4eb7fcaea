//go:build e2e

package e2e

import (
	"archive/tar"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// documentedFile is a file of an example: its name in a line of its own, and its content in the block below.
var documentedFile = regexp.MustCompile("(?m)^`([^`\n]+)`:\n\n```[a-z]+\n((?s:.*?))^```$")

// TestDocumentedExamples publishes every example of docs/sources.md, and those of docs/examples, as they stand there but
// for the owner of the repositories; gh accepts each image.
func TestDocumentedExamples(t *testing.T) {
	s, b := builders(t)
	pushAlpine(t)
	docs := filepath.Join("..", "..", "docs")
	examples := map[string]map[string]string{}
	text, err := os.ReadFile(filepath.Join(docs, "sources.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, section := range strings.Split(string(text), "\n### ")[1:] {
		title, _, _ := strings.Cut(section, "\n")
		files := map[string]string{}
		for _, m := range documentedFile.FindAllStringSubmatch(section, -1) {
			files[m[1]] = m[2]
		}
		if files["taglast.yaml"] != "" {
			examples[title] = files
		}
	}
	if len(examples) < 5 {
		t.Errorf("docs/sources.md has only %d examples", len(examples))
	}
	whole := map[string]string{}
	folder := filepath.Join(docs, "examples", "dockerfile")
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		content, err := os.ReadFile(filepath.Join(folder, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		whole[e.Name()] = string(content)
	}
	examples["docs/examples/dockerfile"] = whole

	for title, files := range examples {
		t.Run(title, func(t *testing.T) {
			j, dir := release(), t.TempDir()
			files["taglast.yaml"] = strings.ReplaceAll(files["taglast.yaml"], "ghcr.io/acme/", "ghcr.io/"+strings.ToLower(secret("owner-"))+"/")
			writeFiles(t, dir, files)
			environ := append(append(s.stepEnviron(t, j), b.environ...), "COMMIT="+j.SHA, "DOWNLOAD_TOKEN="+secret("token-"))
			out, r := s.publishIn(t, environ, dir)
			if out.code != 0 || r.Outcome != "published" || len(r.Images) == 0 {
				t.Fatalf("publish: %s", out)
			}
			for _, image := range r.Images {
				if len(image.Tags) == 0 {
					t.Fatalf("image %s has no tag: %s", image.Name, out)
				}
				if gh := s.gh(t, "oci://"+image.Tags[0].Ref, "-R", j.Repository); gh.code != 0 {
					t.Errorf("gh on %s: %s", image.Tags[0].Ref, gh)
				}
			}
		})
	}
}

// pushAlpine puts the base image of the examples where the builders look for Docker Hub: for the machine's own platform, of
// busybox alone, because no build runs anything else of it.
func pushAlpine(t *testing.T) {
	t.Helper()
	busybox, err := os.ReadFile("/bin/busybox")
	if err != nil {
		t.Fatalf("the examples' base image is made of a static busybox, which is not installed: apt-get install busybox-static: %v", err)
	}
	entries := []entry{{tar.Header{Name: "bin/busybox"}, busybox}}
	for _, applet := range []string{"sh", "cat", "echo", "sed", "test", "touch"} {
		entries = append(entries, entry{tar.Header{Name: "bin/" + applet, Typeflag: tar.TypeSymlink, Linkname: "busybox"}, nil})
	}
	img, err := imageOf(hostPlatform, v1.Config{Env: []string{"PATH=/bin"}}, entries...)
	if err != nil {
		t.Fatal(err)
	}
	ref, err := onHub("library/alpine:3.23")
	if err == nil {
		err = remote.Write(ref, img)
	}
	if err != nil {
		t.Fatal(err)
	}
}
