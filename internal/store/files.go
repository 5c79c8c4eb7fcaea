package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/taglast/taglast/internal/policy"
)

// maxFiles is how many bundles of one digest Files reads; more is an error.
const maxFiles = 5000

// suffix of a bundle's file name, as the Sigstore clients write it.
const suffix = ".sigstore.json"

// Files keeps bundles in a directory: one folder for each subject digest (sha256-hex), in it one file for each bundle,
// named after the message's own digest. A bundle of several subjects is in several folders.
type Files struct{ dir string }

// NewFiles is a store in dir, which is made when it is first needed. It touches nothing.
func NewFiles(dir string) *Files { return &Files{dir: dir} }

// Name is "files".
func (f *Files) Name() string { return "files" }

// Preflight proves that a file can be made in the directory, and leaves none.
func (f *Files) Preflight(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r, err := f.open()
	if err != nil {
		return err
	}
	defer r.Close()
	tmp := temporary()
	if err := r.WriteFile(tmp, nil, 0o644); err != nil {
		return fmt.Errorf("attestation directory %s: %w", f.dir, err)
	}
	return r.Remove(tmp)
}

// Put writes the bundle under each of its subject digests. A file appears whole or not at all; one that is there is left.
func (f *Files) Put(ctx context.Context, bundle []byte) (Receipt, error) {
	b, err := parse(bundle)
	if err != nil {
		return Receipt{}, err
	}
	d, err := describe(b)
	if err != nil {
		return Receipt{}, err
	}
	if len(d.Digests) == 0 {
		return Receipt{}, errors.New("bundle has no sha256 subject")
	}
	message, err := proto.MarshalOptions{Deterministic: true}.Marshal(b)
	if err != nil {
		return Receipt{}, fmt.Errorf("bundle: %w", err)
	}
	sum := sha256.Sum256(message)
	file := hex.EncodeToString(sum[:]) + suffix
	r, err := f.open()
	if err != nil {
		return Receipt{}, err
	}
	defer r.Close()
	for _, digest := range d.Digests {
		if err := ctx.Err(); err != nil {
			return Receipt{}, err
		}
		folder, err := folderOf(digest)
		if err != nil {
			return Receipt{}, err
		}
		if err := r.MkdirAll(folder, 0o755); err != nil {
			return Receipt{}, fmt.Errorf("attestation directory %s: %w", f.dir, err)
		}
		if err := writeOnce(r, path.Join(folder, file), bundle); err != nil {
			return Receipt{}, fmt.Errorf("attestation directory %s: %w", f.dir, err)
		}
	}
	return Receipt{}, nil
}

// List reads the bundles of digest, sorted by file name. Files that are no bundle of that digest are errors beside the rest.
func (f *Files) List(ctx context.Context, digest, predicateType string) ([]Stored, error) {
	folder, err := folderOf(digest)
	if err != nil {
		return nil, err
	}
	r, err := os.OpenRoot(f.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("attestation directory %s: %w", f.dir, err)
	}
	defer r.Close()
	names, err := bundleNames(r, folder)
	if err != nil {
		return nil, fmt.Errorf("attestation directory %s: %w", f.dir, err)
	}
	var found []Stored
	var bad []error
	for _, name := range names {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		raw, err := readFile(r, path.Join(folder, name))
		if err == nil {
			var d Description
			if d, err = Describe(raw); err == nil && !d.Has(digest) {
				err = errors.New("its statement does not name this digest")
			}
			if err == nil && d.PredicateType != predicateType {
				continue
			}
		}
		if err != nil {
			bad = append(bad, &unreadableError{path.Join(f.dir, folder, name), err})
			continue
		}
		found = append(found, Stored{Bundle: raw})
	}
	return found, errors.Join(bad...)
}

func (f *Files) open() (*os.Root, error) {
	if err := os.MkdirAll(f.dir, 0o755); err != nil {
		return nil, fmt.Errorf("attestation directory: %w", err)
	}
	r, err := os.OpenRoot(f.dir)
	if err != nil {
		return nil, fmt.Errorf("attestation directory: %w", err)
	}
	return r, nil
}

// folderOf is sha256-hex: a colon is no file name on Windows.
func folderOf(digest string) (string, error) {
	if err := checkDigest(digest); err != nil {
		return "", err
	}
	return strings.Replace(digest, ":", "-", 1), nil
}

// checkDigest accepts sha256: and 64 lower-case hex digits.
func checkDigest(digest string) error {
	h, ok := strings.CutPrefix(digest, "sha256:")
	raw, err := hex.DecodeString(h)
	if !ok || err != nil || len(raw) != sha256.Size || h != strings.ToLower(h) {
		return fmt.Errorf("%q is not a sha256 digest", digest)
	}
	return nil
}

func bundleNames(r *os.Root, folder string) ([]string, error) {
	dir, err := r.Open(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	entries, err := dir.ReadDir(maxFiles + 1)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if len(entries) > maxFiles {
		return nil, fmt.Errorf("%s has more than %d files", folder, maxFiles)
	}
	var names []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), suffix) {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}

func readFile(r *os.Root, name string) ([]byte, error) {
	f, err := r.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	return readBounded(f, policy.MaxBundle)
}

// writeOnce makes name with the bundle data unless that bundle is there. What else is there was damaged, and is replaced.
func writeOnce(r *os.Root, name string, data []byte) error {
	if have, err := readFile(r, name); err == nil && Equal(have, data) {
		return nil
	}
	tmp := path.Join(path.Dir(name), temporary())
	if err := r.WriteFile(tmp, data, 0o644); err != nil {
		return err
	}
	if err := r.Rename(tmp, name); err != nil {
		return errors.Join(err, r.Remove(tmp))
	}
	return nil
}

// temporary is a file name that no reader takes for a bundle.
func temporary() string { return ".tmp-" + rand.Text() }
