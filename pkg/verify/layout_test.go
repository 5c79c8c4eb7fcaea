package verify_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/taglast/taglast/internal/sandbox"
	"github.com/taglast/taglast/internal/testkit/verifytest"
	"github.com/taglast/taglast/pkg/verify"
)

// newLayout is an OCI layout of one manifest.
func newLayout(t *testing.T, digest string, raw []byte) string {
	t.Helper()
	dir := t.TempDir()
	blobs := filepath.Join(dir, "blobs", "sha256")
	if err := os.MkdirAll(blobs, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, blobs, strings.TrimPrefix(digest, "sha256:"), raw)
	write(t, dir, "oci-layout", []byte(`{"imageLayoutVersion":"1.0.0"}`))
	write(t, dir, "index.json", layoutIndex(digest))
	return dir
}

func layoutIndex(digests ...string) []byte {
	var all []string
	for _, d := range digests {
		all = append(all, fmt.Sprintf(`{"mediaType":"application/vnd.oci.image.index.v1+json","digest":%q,"size":1}`, d))
	}
	return fmt.Appendf(nil, `{"schemaVersion":2,"manifests":[%s]}`, strings.Join(all, ","))
}

func TestLayoutThatDoesNotSayWhichImageIsRefused(t *testing.T) {
	raw := []byte(`{"schemaVersion":2}`)
	digest := verifytest.Digest(raw)
	for _, c := range []struct {
		name   string
		change func(dir string)
		text   string
	}{
		{"a directory that is no layout", func(dir string) { _ = os.Remove(filepath.Join(dir, "index.json")) }, "no OCI layout"},
		{"two images", func(dir string) { write(t, dir, "index.json", layoutIndex(digest, verifytest.Digest(nil))) }, "2 images"},
		{"no image", func(dir string) { write(t, dir, "index.json", layoutIndex()) }, "0 images"},
		{"an index that is not JSON", func(dir string) { write(t, dir, "index.json", []byte("{")) }, "not an OCI index"},
		{"a manifest that is not there", func(dir string) { write(t, dir, "index.json", layoutIndex(verifytest.Digest(nil))) }, "does not exist"},
		{"a manifest that was changed", func(dir string) {
			write(t, filepath.Join(dir, "blobs", "sha256"), digest[7:], []byte(`{"schemaVersion":3}`))
		}, "its blob is"},
		{"a digest of another kind", func(dir string) { write(t, dir, "index.json", layoutIndex("sha512:"+strings.Repeat("a", 128))) }, "not a sha256 digest"},
		{"a manifest behind a symbolic link", func(dir string) {
			blob := filepath.Join(dir, "blobs", "sha256", digest[7:])
			_ = os.Rename(blob, blob+".real")
			_ = os.Symlink(filepath.Base(blob)+".real", blob)
		}, "not a regular file"},
		{"blobs outside of the layout", func(dir string) {
			other := newLayout(t, digest, raw)
			_ = os.RemoveAll(filepath.Join(dir, "blobs"))
			_ = os.Symlink(filepath.Join(other, "blobs"), filepath.Join(dir, "blobs"))
		}, "escapes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := verifytest.New(t, sandbox.Options{})
			dir := newLayout(t, digest, raw)
			c.change(dir)
			r, err := verify.Verify(t.Context(), dir, options(t, w))
			if err == nil || r.Digest != "" || !strings.Contains(err.Error(), c.text) {
				t.Errorf("digest %q, error %v", r.Digest, err)
			}
		})
	}
}
