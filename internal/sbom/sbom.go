// Package sbom recognises a software bill of materials by its content: SPDX 2.x, SPDX 3.0 (JSON-LD) or CycloneDX, as
// JSON. A document is checked as far as those need it who read an attestation of it; what it says of the software is not
// looked at.
package sbom

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/taglast/taglast/internal/bounded"
	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/internal/hint"
	"github.com/taglast/taglast/internal/strictjson"
)

const (
	// MaxSize is the largest document that Parse reads: 16 MiB, as GitHub's attest action.
	MaxSize = 16 << 20

	maxDepth = 100 // of arrays and objects in each other
)

// Predicate types of statements with an SBOM, as GitHub's attest action and cosign use them. That of SPDX ends in the
// version, https://spdx.dev/Document/v2.3.
const (
	spdxType      = "https://spdx.dev/Document"
	cycloneDXType = "https://cyclonedx.org/bom"
)

// Document is an SBOM as it can be attested.
type Document struct {
	PredicateType string
	Raw           []byte // the JSON without white space between its tokens; nothing else of it is changed
}

// IsType reports whether statements of that predicate type hold an SBOM: any version of SPDX, and SPDX without a
// version, as BuildKit writes it; CycloneDX with a version or without.
func IsType(predicateType string) bool {
	for _, t := range []string{spdxType, cycloneDXType} {
		if predicateType == t || strings.HasPrefix(predicateType, t+"/v") {
			return true
		}
	}
	return false
}

// Parse recognises and checks a document of at most MaxSize bytes; more are an error that bounded.ErrTooLarge is of.
//
// It must be an object in JSON and UTF-8 that every reader understands alike. gh and cosign read a statement with
// protobuf's JSON reader, so what that refuses is refused here: a key that is there twice in one object, half a surrogate
// pair, a number that no float64 holds; and more than 100 levels.
//
// SPDX 2.x needs spdxVersion and SPDXID. SPDX 3.0 needs the @context of a version 3.0.x, and in its @graph a specVersion
// 3.0.x and no other. CycloneDX needs bomFormat and specVersion; a serialNumber, which GitHub's action asks for, is
// optional in its specification, left out by generators whose output is reproducible, and read by no consumer of the
// attestation.
func Parse(raw []byte) (*Document, error) {
	if err := CheckSize(int64(len(raw))); err != nil {
		return nil, err
	}
	if !utf8.Valid(raw) {
		return nil, errors.New("not UTF-8")
	}
	top, err := strictjson.Object(raw)
	if err != nil {
		return nil, explain(raw, err)
	}
	if err := checkValue(raw); err != nil {
		return nil, err
	}
	predicateType, err := recognise(top)
	if err != nil {
		return nil, err
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, raw); err != nil {
		return nil, errors.New(escape.Text(err.Error()))
	}
	return &Document{PredicateType: predicateType, Raw: compact.Bytes()}, nil
}

// ReadFile reads and parses the file at path. A document that is not one has no path in its error.
func ReadFile(path string) (*Document, error) {
	raw, err := bounded.ReadFile(path, MaxSize)
	if errors.Is(err, bounded.ErrTooLarge) {
		return nil, CheckSize(MaxSize + 1)
	}
	if err != nil {
		return nil, err
	}
	return Parse(raw)
}

// CheckSize is the error of a document that has size bytes, where these are more than MaxSize.
func CheckSize(size int64) error {
	if size <= MaxSize {
		return nil
	}
	return hint.With(fmt.Errorf("the SBOM has %w, the most that an attestation may hold", &bounded.TooLargeError{Limit: MaxSize}),
		"leave the list of files out of it (syft: --select-catalogers -file), or what it lists twice")
}

// explain says what a document is that is no JSON object.
func explain(raw []byte, err error) error {
	text := strings.TrimSpace(string(raw[:min(len(raw), 200)]))
	switch {
	case text == "":
		return errors.New("it is empty")
	case strings.HasPrefix(text, "<"):
		return hint.With(errors.New("it is XML; SPDX and CycloneDX are read as JSON"), jsonHint)
	case strings.HasPrefix(text, "SPDXVersion:"):
		return hint.With(errors.New("it is SPDX in tag-value form; it is read as JSON"), jsonHint)
	}
	return fmt.Errorf("not an SBOM in JSON: %w", err)
}

const jsonHint = "let the generator write JSON: `spdx-json` or `cyclonedx-json` in syft, `spdx-json` or `cyclonedx` in trivy"
