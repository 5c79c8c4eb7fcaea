package sandbox

import (
	"crypto"
	"encoding/asn1"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"time"

	"github.com/digitorus/timestamp"
)

const timestampPath = "/api/v1/timestamp"

// tsaPolicy is the default policy of sigstore's timestamp-authority.
var tsaPolicy = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 2}

// tsa is an RFC 3161 timestamp authority: POST /api/v1/timestamp with a DER query, or the JSON form that sigstore's
// timestamp-authority takes too.
type tsa struct{ chain chain }

func (t *tsa) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != timestampPath {
		writeJSON(w, http.StatusNotFound, message{Message: "path " + r.URL.Path + " was not found"})
		return
	}
	if !allow(w, r, http.MethodPost) {
		return
	}
	query, err := timestampQuery(r)
	if err != nil {
		writeJSON(w, http.StatusBadRequest, message{Code: http.StatusBadRequest, Message: err.Error()})
		return
	}
	answer, err := (&timestamp.Timestamp{
		HashAlgorithm:     query.HashAlgorithm,
		HashedMessage:     query.HashedMessage,
		Time:              time.Now().UTC(),
		Nonce:             query.Nonce,
		Policy:            tsaPolicy,
		Accuracy:          time.Second,
		AddTSACertificate: query.Certificates,
	}).CreateResponseWithOpts(t.chain.leaf.cert, t.chain.leaf.key, crypto.SHA256)
	if err != nil {
		writeJSON(w, http.StatusInternalServerError, message{Message: err.Error()})
		return
	}
	writeBytes(w, http.StatusCreated, "application/timestamp-reply", answer)
}

// timestampQuery reads either form of a request.
func timestampQuery(r *http.Request) (*timestamp.Request, error) {
	body, err := readBody(r, 64<<10)
	if err != nil {
		return nil, err
	}
	mediaType, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	var query *timestamp.Request
	switch mediaType {
	case "application/timestamp-query":
		if query, err = timestamp.ParseRequest(body); err != nil {
			return nil, fmt.Errorf("parse the timestamp query: %w", err)
		}
	case "application/json":
		if query, err = jsonTimestampQuery(body); err != nil {
			return nil, err
		}
	default:
		return nil, fmt.Errorf("unsupported content type %q", mediaType)
	}
	if !query.HashAlgorithm.Available() || query.HashAlgorithm.Size() < crypto.SHA256.Size() {
		return nil, errors.New("weak or unknown hash algorithm")
	}
	if len(query.HashedMessage) != query.HashAlgorithm.Size() {
		return nil, errors.New("digest length does not fit the hash algorithm")
	}
	return query, nil
}

func jsonTimestampQuery(body []byte) (*timestamp.Request, error) {
	var form struct {
		ArtifactHash  []byte   `json:"artifactHash"`
		HashAlgorithm string   `json:"hashAlgorithm"`
		Certificates  bool     `json:"certificates"`
		Nonce         *big.Int `json:"nonce"`
	}
	if err := json.Unmarshal(body, &form); err != nil {
		return nil, fmt.Errorf("parse the timestamp request: %w", err)
	}
	hashes := map[string]crypto.Hash{"sha256": crypto.SHA256, "sha384": crypto.SHA384, "sha512": crypto.SHA512}
	return &timestamp.Request{
		HashAlgorithm: hashes[strings.ToLower(form.HashAlgorithm)], HashedMessage: form.ArtifactHash,
		Certificates: form.Certificates, Nonce: form.Nonce,
	}, nil
}
