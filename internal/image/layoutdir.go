package image

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// dirFiles is a layout that lies in a directory. os.Root keeps every path inside; links are refused even where they
// stay inside, because what a layout's name says must be what is there.
type dirFiles string

func (dir dirFiles) open(path string) (io.ReadCloser, int64, error) {
	root, err := os.OpenRoot(string(dir))
	if err != nil {
		return nil, 0, err
	}
	defer root.Close()
	for i, c := range path {
		if c != '/' {
			continue
		}
		info, err := root.Lstat(path[:i])
		if err != nil {
			return nil, 0, err
		}
		if !info.IsDir() {
			return nil, 0, fmt.Errorf("%s is %s, not a directory", path[:i], fileKind(info))
		}
	}
	info, err := root.Lstat(path)
	if err != nil {
		return nil, 0, err
	}
	if !info.Mode().IsRegular() {
		return nil, 0, fmt.Errorf("%s, not a regular file", fileKind(info))
	}
	f, err := root.Open(path)
	if err != nil {
		return nil, 0, err
	}
	opened, err := f.Stat()
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	if !os.SameFile(info, opened) {
		return nil, 0, errors.Join(errors.New("the file was replaced while it was opened"), f.Close())
	}
	return f, opened.Size(), nil
}

// fileKind names what a file is instead.
func fileKind(info os.FileInfo) string {
	switch mode := info.Mode(); {
	case mode&os.ModeSymlink != 0:
		return "a symbolic link"
	case mode.IsDir():
		return "a directory"
	case mode.IsRegular():
		return "a file"
	default:
		return "a special file (" + strings.TrimRight(mode.Type().String(), "-") + ")"
	}
}
