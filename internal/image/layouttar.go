package image

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/taglast/taglast/internal/bounded"
	"github.com/taglast/taglast/internal/hint"
)

// maxEntries is more than any layout of 64 images has.
const maxEntries = 1 << 16

// tarFiles is a layout in a tar, read in place: nothing is unpacked.
type tarFiles struct {
	path    string
	info    os.FileInfo
	entries map[string]entryRange
}

type entryRange struct{ offset, size int64 }

// openTar reads the headers of a tar once.
func openTar(name string) (files, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, bounded.WithoutPath(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, bounded.WithoutPath(err)
	}
	entries, err := scanTar(f, info.Size())
	if err != nil {
		return nil, err
	}
	return &tarFiles{name, info, entries}, nil
}

// compressed knows what people try in the place of a tar, by its first bytes.
var compressed = []struct {
	magic []byte
	name  string
	undo  string
}{
	{[]byte{0x1f, 0x8b}, "gzip", "gunzip"},
	{[]byte{0x28, 0xb5, 0x2f, 0xfd}, "zstd", "zstd -d"},
	{[]byte("BZh"), "bzip2", "bunzip2"},
	{[]byte{0xfd, '7', 'z', 'X', 'Z', 0}, "xz", "unxz"},
}

// scanTar is where each file of a tar begins. An entry that could mean another file than its name says (a link, a
// device, a path that leaves the tar, a second file of the same name) makes the whole tar unfit, except that a tar
// without oci-layout is left to its own error.
func scanTar(r io.ReaderAt, size int64) (map[string]entryRange, error) {
	var head [6]byte
	n, err := r.ReadAt(head[:], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, bounded.WithoutPath(err)
	}
	for _, c := range compressed {
		if bytes.HasPrefix(head[:n], c.magic) {
			return nil, hint.With(fmt.Errorf("compressed with %s; a layout is read in place, which needs a plain tar", c.name),
				fmt.Sprintf("`%s` it first; its layers stay compressed", c.undo))
		}
	}
	var (
		entries = map[string]entryRange{}
		unfit   error
		sr      = io.NewSectionReader(r, 0, size)
		tr      = tar.NewReader(sr)
	)
	for count := 0; ; count++ {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("not a tar: %w", bounded.WithoutPath(err))
		}
		if count == maxEntries {
			return nil, fmt.Errorf("it has more than %d entries", maxEntries)
		}
		clean, err := entryName(h)
		if err == nil && h.Typeflag == tar.TypeReg {
			if _, twice := entries[clean]; twice {
				err = fmt.Errorf("entry %s is there twice", quote(clean))
			}
		}
		if err != nil {
			if unfit == nil {
				unfit = err
			}
			continue
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		offset, err := sr.Seek(0, io.SeekCurrent)
		if err != nil {
			return nil, err
		}
		if h.Size > size-offset {
			return nil, fmt.Errorf("entry %s ends beyond the file: the tar is cut", quote(clean))
		}
		entries[clean] = entryRange{offset, h.Size}
	}
	if _, ok := entries["oci-layout"]; ok && unfit != nil {
		return nil, unfit
	}
	return entries, nil
}

// entryName is the path of an entry, checked.
func entryName(h *tar.Header) (string, error) {
	shown := quote(h.Name)
	switch h.Typeflag {
	case tar.TypeReg, tar.TypeDir:
	case tar.TypeSymlink:
		return "", fmt.Errorf("entry %s is a symbolic link", shown)
	case tar.TypeLink:
		return "", fmt.Errorf("entry %s is a hard link", shown)
	default:
		return "", fmt.Errorf("entry %s is not a regular file", shown)
	}
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return "", fmt.Errorf("entry %s is a sparse file", shown)
		}
	}
	if strings.HasPrefix(h.Name, "/") || strings.Contains(h.Name, `\`) {
		return "", fmt.Errorf("entry %s is not a path inside the tar", shown)
	}
	for part := range strings.SplitSeq(h.Name, "/") {
		if part == ".." {
			return "", fmt.Errorf("entry %s leaves the tar", shown)
		}
	}
	return path.Clean(h.Name), nil
}

func (t *tarFiles) open(name string) (io.ReadCloser, int64, error) {
	s, ok := t.entries[name]
	if !ok {
		return nil, 0, fs.ErrNotExist
	}
	f, err := os.Open(t.path)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	if !os.SameFile(info, t.info) || info.Size() != t.info.Size() {
		return nil, 0, errors.Join(errors.New("the tar was replaced after it was read"), f.Close())
	}
	return struct {
		io.Reader
		io.Closer
	}{io.NewSectionReader(f, s.offset, s.size), f}, s.size, nil
}
