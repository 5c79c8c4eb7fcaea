package keyless

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"

	commonpb "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	rekorpb "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"

	"github.com/taglast/taglast/internal/retry"
)

// logEntry is one value of Rekor's LogEntry map.
type logEntry struct {
	Body           []byte `json:"body"`
	IntegratedTime int64  `json:"integratedTime"`
	LogID          string `json:"logID"`
	LogIndex       int64  `json:"logIndex"`
	Verification   struct {
		SignedEntryTimestamp []byte `json:"signedEntryTimestamp"`
		InclusionProof       *struct {
			LogIndex   int64    `json:"logIndex"`
			TreeSize   int64    `json:"treeSize"`
			RootHash   string   `json:"rootHash"`
			Hashes     []string `json:"hashes"`
			Checkpoint string   `json:"checkpoint"`
		} `json:"inclusionProof"`
	} `json:"verification"`
}

// maxHashes is the height of the highest tree whose leaves an index of 64 bits can name.
const maxHashes = 64

// parseEntry reads Rekor's answer: exactly one entry, for our signature, with a signed time and a proof of inclusion.
func parseEntry(answer []byte, d *draft) (*rekorpb.TransparencyLogEntry, error) {
	var entries map[string]logEntry
	if err := decode(answer, &entries); err != nil {
		return nil, err
	}
	if len(entries) != 1 {
		return nil, garbled(fmt.Errorf("%d log entries in the answer, not one", len(entries)))
	}
	for _, e := range entries {
		if err := checkEntry(e.Body, d); err != nil {
			return nil, err
		}
		return e.proto()
	}
	return nil, errors.New("no log entry") // not reached: there is exactly one
}

// checkEntry refuses an entry for another signature: it would be valid by itself and prove nothing about this one
// (CVE-2026-22703).
func checkEntry(body []byte, d *draft) error {
	var got struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
		Spec       struct {
			PayloadHash struct {
				Algorithm string `json:"algorithm"`
				Value     string `json:"value"`
			} `json:"payloadHash"`
			Signatures []struct {
				Signature []byte `json:"signature"`
				Verifier  []byte `json:"verifier"`
			} `json:"signatures"`
		} `json:"spec"`
	}
	if err := decode(body, &got); err != nil {
		return err
	}
	hash := d.payloadHash()
	switch {
	case got.Kind != "dsse" || got.APIVersion != "0.0.1":
		return retry.Permanent(errors.New("the log's entry is of another kind than dsse 0.0.1"))
	case got.Spec.PayloadHash.Algorithm != "sha256" || got.Spec.PayloadHash.Value != hex.EncodeToString(hash[:]):
		return retry.Permanent(errors.New("the log's entry is for another statement"))
	case len(got.Spec.Signatures) != 1 || !bytes.Equal(got.Spec.Signatures[0].Signature, d.signature):
		return retry.Permanent(errors.New("the log's entry is for another signature"))
	case !bytes.Equal(bytes.TrimSpace(got.Spec.Signatures[0].Verifier), bytes.TrimSpace(d.credential.pem())):
		return retry.Permanent(errors.New("the log's entry is for another certificate"))
	}
	return nil
}

// proto returns the entry in the form that bundles carry: what Rekor writes in hex is bytes there. The entry's index is
// that in the whole log, the proof's index that in a shard.
func (e logEntry) proto() (*rekorpb.TransparencyLogEntry, error) {
	proof := e.Verification.InclusionProof
	switch {
	case len(e.Verification.SignedEntryTimestamp) == 0:
		return nil, garbled(errors.New("the log's entry has no signed timestamp"))
	case proof == nil || proof.Checkpoint == "":
		return nil, garbled(errors.New("the log's entry has no proof of inclusion"))
	case len(proof.Hashes) > maxHashes:
		return nil, retry.Permanent(fmt.Errorf("the log's proof has %d hashes, more than %d", len(proof.Hashes), maxHashes))
	}
	decoded, err := decodeHex(append([]string{e.LogID, proof.RootHash}, proof.Hashes...))
	if err != nil {
		return nil, err
	}
	return &rekorpb.TransparencyLogEntry{
		LogIndex:         e.LogIndex,
		LogId:            &commonpb.LogId{KeyId: decoded[0]},
		KindVersion:      &rekorpb.KindVersion{Kind: "dsse", Version: "0.0.1"},
		IntegratedTime:   e.IntegratedTime,
		InclusionPromise: &rekorpb.InclusionPromise{SignedEntryTimestamp: e.Verification.SignedEntryTimestamp},
		InclusionProof: &rekorpb.InclusionProof{
			LogIndex: proof.LogIndex, TreeSize: proof.TreeSize,
			RootHash: decoded[1], Hashes: decoded[2:],
			Checkpoint: &rekorpb.Checkpoint{Envelope: proof.Checkpoint},
		},
		CanonicalizedBody: e.Body,
	}, nil
}

func decodeHex(texts []string) ([][]byte, error) {
	out := make([][]byte, 0, len(texts))
	for _, s := range texts {
		raw, err := hex.DecodeString(s)
		if err != nil || len(raw) == 0 {
			return nil, garbled(errors.New("the log's entry holds what is not hexadecimal"))
		}
		out = append(out, raw)
	}
	return out, nil
}
