package bounded

import (
	"errors"
	"io/fs"
	"os"
)

// The errors of files, in a *fs.PathError as the errors of package os are.
var (
	ErrNotRegular = errors.New("not a regular file")
	ErrReplaced   = errors.New("the file was replaced while it was opened")
)

// ReadFile reads what is at path whole, at most limit bytes: a file, a pipe, whatever can be opened. What is longer is a
// *TooLargeError; other errors are those of package os.
func ReadFile(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() // it is only read
	return Read(f, limit)
}

// ReadRootFile reads the regular file at a path within root whole, at most limit bytes. The path's last part must not be a
// symbolic link. Every error is a *fs.PathError, whose cause is ErrNotRegular for a link, a directory, a pipe or a device
// (none of which is opened), and a *TooLargeError for a file that is longer.
func ReadRootFile(root *os.Root, path string, limit int64) ([]byte, error) {
	info, err := root.Lstat(path)
	return read(path, limit, info, err, root.Open)
}

// read opens and reads the file that info is of. A pipe would block whoever opens it, so info comes from before.
func read(path string, limit int64, info fs.FileInfo, err error, open func(string) (*os.File, error)) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "read", Path: path, Err: ErrNotRegular}
	}
	f, err := open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() // it is only read
	opened, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !os.SameFile(info, opened) {
		return nil, &fs.PathError{Op: "read", Path: path, Err: ErrReplaced}
	}
	b, err := Read(f, limit)
	if err != nil {
		if errors.As(err, new(*fs.PathError)) {
			return nil, err
		}
		return nil, &fs.PathError{Op: "read", Path: path, Err: err}
	}
	return b, nil
}
