package keyless

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	rekorpb "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"

	"github.com/taglast/taglast/internal/bundle"
	"github.com/taglast/taglast/internal/retry"
)

const entriesPath = "/api/v1/log/entries"

// entryUUID matches the name of a Rekor v1 entry: the hash of its leaf, with or without the tree's id in front.
var entryUUID = regexp.MustCompile(`^[0-9a-f]{64}([0-9a-f]{16})?$`)

// rekor is the transparency log's API v1.
type rekor struct {
	serviceClient
	url string
}

// addEntry logs d's envelope as a dsse entry. A 409 says that the entry is there already, because the answer to an
// earlier attempt was lost: that entry is read.
func (r rekor) addEntry(ctx context.Context, d *draft) (*rekorpb.TransparencyLogEntry, error) {
	body, err := proposedEntry(d)
	if err != nil {
		return nil, retry.Permanent(err)
	}
	answer, header, err := r.do(ctx, request{
		method: http.MethodPost, url: r.url + entriesPath,
		mediaType: "application/json", accept: "application/json", body: body,
	}, http.StatusCreated, http.StatusOK)
	var status *retry.StatusError
	if errors.As(err, &status) && status.Status == http.StatusConflict {
		answer, err = r.existing(ctx, header.Get("Location"))
	}
	if err != nil {
		return nil, err
	}
	return parseEntry(answer, d)
}

// errUnresolved is for a 409 that does not say which entry it means. A new signature is then logged as a new entry.
var errUnresolved = errors.New("the entry is logged already, but the answer does not say where")

// existing reads the entry that a 409 points to. Only the entry's name is taken from the answer, never the host.
func (r rekor) existing(ctx context.Context, location string) ([]byte, error) {
	uuid := location[strings.LastIndex(location, "/")+1:]
	if !entryUUID.MatchString(uuid) {
		return nil, garbled(errUnresolved)
	}
	answer, _, err := r.do(ctx, request{
		method: http.MethodGet, url: r.url + entriesPath + "/" + uuid, accept: "application/json",
	}, http.StatusOK)
	var status *retry.StatusError
	if errors.As(err, &status) && status.Status == http.StatusNotFound {
		return nil, retry.Transient(err, 0) // the replica that answered has not seen it yet
	}
	return answer, err
}

// proposedEntry returns Rekor's proposed entry: dsse 0.0.1 with the envelope as a text and the certificate as verifier.
func proposedEntry(d *draft) ([]byte, error) {
	envelope, err := json.Marshal(struct {
		Payload     []byte              `json:"payload"`
		PayloadType string              `json:"payloadType"`
		Signatures  []map[string][]byte `json:"signatures"`
	}{d.statement, bundle.PayloadType, []map[string][]byte{{"sig": d.signature}}})
	if err != nil {
		return nil, fmt.Errorf("encode the envelope: %w", err)
	}
	return json.Marshal(map[string]any{
		"apiVersion": "0.0.1", "kind": "dsse",
		"spec": map[string]any{"proposedContent": map[string]any{
			"envelope": string(envelope), "verifiers": [][]byte{d.credential.pem()},
		}},
	})
}
