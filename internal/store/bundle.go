package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/taglast/taglast/internal/policy"
)

// payloadType is the DSSE payload type of an in-toto statement (in-toto attestation framework, "Envelope layer").
const payloadType = "application/vnd.in-toto+json"

// maxSubjects is how many subjects a statement may have: what sigstore-go's verifier takes.
const maxSubjects = 1024

// Description is what a bundle says of itself. Nothing of it is verified: it finds bundles, and package policy judges
// them.
type Description struct {
	PredicateType string
	Digests       []string // of the subjects, algorithm:hex, sha256 only, in the statement's order
}

// Has says whether digest (sha256:hex) is one of the subjects.
func (d Description) Has(digest string) bool {
	for _, have := range d.Digests {
		if have == digest {
			return true
		}
	}
	return false
}

// Describe reads the in-toto statement in a bundle's DSSE envelope without verifying anything.
func Describe(bundle []byte) (Description, error) {
	b, err := parse(bundle)
	if err != nil {
		return Description{}, err
	}
	return describe(b)
}

// Equal says whether a and b are the same bundle: equal as Sigstore Bundle messages, however their JSON is written. What
// does not parse equals nothing.
func Equal(a, b []byte) bool {
	x, err := parse(a)
	if err != nil {
		return false
	}
	y, err := parse(b)
	return err == nil && proto.Equal(x, y)
}

// parse reads the protobuf JSON of a Sigstore bundle. An empty timestampVerificationData means the same as none, and is
// removed: clients differ in whether they write it.
func parse(bundle []byte) (*protobundle.Bundle, error) {
	if len(bundle) > policy.MaxBundle {
		return nil, fmt.Errorf("bundle of %d bytes: more than %d", len(bundle), policy.MaxBundle)
	}
	var b protobundle.Bundle
	if err := protojson.Unmarshal(bundle, &b); err != nil {
		return nil, errors.New("not the JSON of a Sigstore bundle")
	}
	if vm := b.GetVerificationMaterial(); vm != nil && len(vm.GetTimestampVerificationData().GetRfc3161Timestamps()) == 0 {
		vm.TimestampVerificationData = nil
	}
	return &b, nil
}

func describe(b *protobundle.Bundle) (Description, error) {
	e := b.GetDsseEnvelope()
	if e == nil {
		return Description{}, errors.New("bundle has no DSSE envelope")
	}
	if e.GetPayloadType() != payloadType {
		return Description{}, fmt.Errorf("bundle's payload is not %s", payloadType)
	}
	var s struct {
		PredicateType string `json:"predicateType"`
		Subject       []struct {
			Digest map[string]string `json:"digest"`
		} `json:"subject"`
	}
	if err := json.Unmarshal(e.GetPayload(), &s); err != nil {
		return Description{}, errors.New("bundle's payload is not the JSON of an in-toto statement")
	}
	if len(s.Subject) > maxSubjects {
		return Description{}, fmt.Errorf("statement has %d subjects: more than %d", len(s.Subject), maxSubjects)
	}
	d := Description{PredicateType: s.PredicateType}
	for _, sub := range s.Subject {
		if hex, ok := sub.Digest["sha256"]; ok {
			d.Digests = append(d.Digests, "sha256:"+strings.ToLower(hex))
		}
	}
	return d, nil
}
