package trust

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// maxRoots is how many documents a file of trusted roots may hold.
const maxRoots = 32

// ReadRoots reads a consumer's trusted roots: one JSON document, on one line or several, or JSON lines as
// `gh attestation trusted-root` prints them. The result has at least one.
func ReadRoots(path string) ([]Material, error) {
	raw, err := ReadFile(path)
	if err != nil {
		return nil, err
	}
	roots, err := ParseRoots(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return roots, nil
}

// ParseRoots is ReadRoots on the file's content.
func ParseRoots(raw []byte) ([]Material, error) {
	if len(raw) > maxFile {
		return nil, fmt.Errorf("larger than %d bytes", maxFile)
	}
	var out []Material
	dec := json.NewDecoder(bytes.NewReader(raw))
	for {
		var doc json.RawMessage
		err := dec.Decode(&doc)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("document %d: %w", len(out)+1, oneLine(err))
		}
		if len(out) == maxRoots {
			return nil, fmt.Errorf("more than %d trusted roots", maxRoots)
		}
		m, err := parseRoot(doc)
		if err != nil {
			return nil, fmt.Errorf("document %d: %w", len(out)+1, err)
		}
		out = append(out, m)
	}
	if len(out) == 0 {
		return nil, errors.New("no trusted root in it")
	}
	return out, nil
}
