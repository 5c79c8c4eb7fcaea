package image

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/taglast/taglast/internal/bounded"
	"github.com/taglast/taglast/internal/registry"
)

// WriteLayout writes an OCI image layout (image-layout 1.0.0) of images: their roots and manifests, and index.json, which
// names each image. put writes one file, whose path has slashes. Configs and layers are not written.
func WriteLayout(images []Built, put func(path string, content []byte) error) error {
	index := v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex, Manifests: []v1.Descriptor{}}
	for _, b := range images {
		root := b.Root()
		d := root.Descriptor
		d.Annotations = map[string]string{refName: b.Name()}
		index.Manifests = append(index.Manifests, d)
		if err := put(blobPath(root.Digest), root.Raw); err != nil {
			return err
		}
		for _, c := range b.Manifests() {
			if err := put(blobPath(c.Digest), c.Raw); err != nil {
				return err
			}
		}
	}
	raw, err := json.Marshal(index)
	if err != nil {
		return err
	}
	if err := put("index.json", raw); err != nil {
		return err
	}
	return put("oci-layout", []byte(`{"imageLayoutVersion":"1.0.0"}`))
}

// layout is the folder of a whole OCI layout of b, configs and layers included, in a directory that tempDir gives. It is
// written once, for whoever asks first, and must not be changed.
func (b Built) layout(ctx context.Context, tempDir func() (string, error)) (string, error) {
	if !b.Ok() {
		return "", errors.New("it is not built")
	}
	b.p.layoutMu.Lock()
	defer b.p.layoutMu.Unlock()
	if b.p.layoutDir != "" {
		return b.p.layoutDir, nil
	}
	dir, err := tempDir()
	if err != nil {
		return "", err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return "", err
	}
	if err := b.writeTo(ctx, dir); err != nil {
		return "", err
	}
	b.p.layoutDir = dir
	return dir, nil
}

func (b Built) writeTo(ctx context.Context, dir string) error {
	if err := os.MkdirAll(filepath.Join(dir, "blobs", "sha256"), 0o700); err != nil {
		return err
	}
	for _, c := range b.Manifests() {
		for _, blob := range c.Blobs {
			path := filepath.Join(dir, filepath.FromSlash(blobPath(blob.Digest)))
			if _, err := os.Lstat(path); err == nil {
				continue // another platform's, too
			}
			if err := writeBlob(ctx, path, blob); err != nil {
				return fmt.Errorf("blob %s: %w", blob.Digest, err)
			}
		}
	}
	return WriteLayout([]Built{b}, func(path string, content []byte) error {
		return os.WriteFile(filepath.Join(dir, filepath.FromSlash(path)), content, 0o600)
	})
}

// writeBlob puts a blob at path: by a link, where it is a file of this machine's, else by a copy that is hashed.
func writeBlob(ctx context.Context, path string, blob registry.Blob) (err error) {
	from, err := blob.Open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	if f, ok := from.(*os.File); ok && linkTo(f, path) {
		return nil
	}
	to, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return bounded.WithoutPath(err)
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	hash := sha256.New()
	n, err := io.Copy(io.MultiWriter(to, hash), io.LimitReader(from, blob.Size+1))
	switch {
	case err != nil:
		return err
	case n != blob.Size || hex.EncodeToString(hash.Sum(nil)) != blob.Digest.Hex:
		return errWrongDigest
	}
	return nil
}

// linkTo makes path another name of the file f, and reports whether it could. The builder hashes what it reads by it.
func linkTo(f *os.File, path string) bool {
	if os.Link(f.Name(), path) != nil {
		return false
	}
	have, errHave := f.Stat()
	got, errGot := os.Lstat(path)
	if errHave == nil && errGot == nil && os.SameFile(have, got) {
		return true
	}
	_ = os.Remove(path) // another file has that name by now
	return false
}
