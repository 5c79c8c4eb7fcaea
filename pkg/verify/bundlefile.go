package verify

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/taglast/taglast/internal/bounded"
	"github.com/taglast/taglast/internal/bundle"
)

// Bounds of a file of bundles.
const (
	maxBundleFile = 64 << 20
	maxBundles    = 1000
)

// readBundles reads one bundle from a .json file, or one from each line that is not blank of a .jsonl file. A file that
// holds anything else is not what its owner believes it to be, and an error as a whole. Errors say name for path.
func readBundles(name, path string) ([]candidate, error) {
	raw, err := bounded.ReadFile(path, maxBundleFile)
	if err != nil {
		return nil, fmt.Errorf("--bundle %s: %w", printable(name), bounded.WithoutPath(err))
	}
	candidates, err := splitBundles(raw, filepath.Ext(path) == ".jsonl")
	if err != nil {
		return nil, fmt.Errorf("--bundle %s: %w", printable(name), err)
	}
	for i := range candidates {
		candidates[i].source = printable(filepath.Base(path)) + candidates[i].source
	}
	return candidates, nil
}

// splitBundles names each bundle by its line, ":3"; the one of a .json file by nothing.
func splitBundles(raw []byte, lines bool) ([]candidate, error) {
	if len(bytes.TrimSpace(raw)) == 0 {
		return nil, errors.New("the file is empty")
	}
	if !lines {
		b, err := parseBundle(bytes.TrimSpace(raw))
		if err != nil {
			return nil, err
		}
		return []candidate{{bundle: b}}, nil
	}
	var candidates []candidate
	for n := 1; len(raw) > 0; n++ {
		var line []byte
		line, raw, _ = bytes.Cut(raw, []byte("\n"))
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		if len(candidates) == maxBundles {
			return nil, fmt.Errorf("more than %d bundles", maxBundles)
		}
		b, err := parseBundle(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		candidates = append(candidates, candidate{source: fmt.Sprintf(":%d", n), bundle: b})
	}
	return candidates, nil
}

// parseBundle accepts what a policy can judge.
func parseBundle(raw []byte) (*bundle.Bundle, error) {
	b, err := bundle.Parse(raw)
	if err != nil {
		return nil, err
	}
	_, err = b.Verifiable()
	return b, err
}
