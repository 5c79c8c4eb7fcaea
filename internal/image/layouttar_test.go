package image_test

import (
	"archive/tar"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/taglast/taglast/internal/image"
)

func TestBadTars(t *testing.T) {
	s := store{}
	s.tops(s.image("linux/amd64"))
	whole := s.tar()
	for name, tc := range map[string]struct {
		tar  []byte
		want string
	}{
		"a symbolic link":            {s.tar(&tar.Header{Typeflag: tar.TypeSymlink, Name: "blobs/sha256", Linkname: "/etc"}), "is a symbolic link"},
		"a hard link":                {s.tar(&tar.Header{Typeflag: tar.TypeLink, Name: "blobs/x", Linkname: "/etc/passwd"}), "is a hard link"},
		"a device":                   {s.tar(&tar.Header{Typeflag: tar.TypeChar, Name: "blobs/x"}), "is not a regular file"},
		"a named pipe":               {s.tar(&tar.Header{Typeflag: tar.TypeFifo, Name: "blobs/x"}), "is not a regular file"},
		"a path that leaves":         {s.tar(&tar.Header{Typeflag: tar.TypeReg, Name: "blobs/../../x"}), "leaves the tar"},
		"an absolute path":           {s.tar(&tar.Header{Typeflag: tar.TypeReg, Name: "/blobs/x"}), "not a path inside"},
		"a file that is there twice": {s.tar(&tar.Header{Typeflag: tar.TypeReg, Name: "./index.json"}), "is there twice"},
		"a sparse file": {bytes.ReplaceAll(s.tar(&tar.Header{
			Typeflag: tar.TypeReg, Name: "x", PAXRecords: map[string]string{"XXX.sparse.x": "0"}, // the writer drops GNU's
		}), []byte("XXX.sparse"), []byte("GNU.sparse")), "is a sparse file"},
		"gzip":              {[]byte("\x1f\x8b\x08\x00aaaaaaaaaaaa"), "compressed with gzip"},
		"zstd":              {[]byte("\x28\xb5\x2f\xfdaaaaaaaaaaaa"), "compressed with zstd"},
		"a tar that is cut": {whole[:len(whole)-1024-500], "the tar is cut"},
		"no tar":            {[]byte(strings.Repeat("no tar ", 200)), "not a tar"},
		"an empty file":     {nil, "not an OCI layout"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			writeFile(t, filepath.Join(dir, "app.tar"), tc.tar)
			_, err := build(t, dir, image.Request{Source: oci("app.tar")})
			if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.HasPrefix(err.Error(), "image app: app.tar: ") {
				t.Errorf("error is %v, want %q in it", err, tc.want)
			}
		})
	}
}

func TestATarOfVeryManyEntries(t *testing.T) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for range 1<<16 + 1 {
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: "blobs/"}); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "app.tar"), b.Bytes())
	if _, err := build(t, dir, image.Request{Source: oci("app.tar")}); err == nil || !strings.Contains(err.Error(), "more than 65536 entries") {
		t.Errorf("error is %v", err)
	}
}

func TestATarWithDotSlashAndDirectories(t *testing.T) {
	s := store{}
	s.tops(s.image("linux/amd64"))
	dotted := store{}
	for path, raw := range s {
		dotted["./"+path] = raw
	}
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "app.tar"), dotted.tar(&tar.Header{Typeflag: tar.TypeDir, Name: "./blobs/", Mode: 0o755}))
	if _, err := build(t, dir, image.Request{Source: oci("app.tar")}); err != nil {
		t.Error(err)
	}
}

func TestALayoutThatChangesAfterItWasRead(t *testing.T) {
	s := store{}
	s.tops(s.image("linux/amd64"))
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "app.tar"), s.tar())
	b, err := build(t, dir, image.Request{Source: oci("app.tar")})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "app.tar")); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "app.tar"), append(s.tar(), make([]byte, 1024)...))
	if _, err := b.Manifests()[0].Blobs[0].Open(t.Context()); err == nil || !strings.Contains(err.Error(), "replaced") {
		t.Errorf("error is %v", err)
	}
}
