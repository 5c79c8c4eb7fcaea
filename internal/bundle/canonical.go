package bundle

import (
	"bytes"
	"encoding/json"
	"fmt"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	"google.golang.org/protobuf/encoding/protojson"
)

// Canonical returns taglast's one serialisation of a bundle, the same bytes for a file, a store and a registry layer:
// the JSON mapping of the message in the order of its fields, without white space.
func (b *Bundle) Canonical() ([]byte, error) { return canonical(b.message) }

// canonical compacts what protojson writes, whose spaces differ from build to build.
func canonical(message *protobundle.Bundle) ([]byte, error) {
	spaced, err := protojson.Marshal(message)
	if err != nil {
		return nil, fmt.Errorf("encode the bundle: %w", err)
	}
	var out bytes.Buffer
	if err := json.Compact(&out, spaced); err != nil {
		return nil, fmt.Errorf("encode the bundle: %w", err)
	}
	return out.Bytes(), nil
}
