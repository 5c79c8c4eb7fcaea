package sandbox

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/sigstore/rekor/pkg/generated/models"
	"github.com/sigstore/rekor/pkg/types"
	dssetype "github.com/sigstore/rekor/pkg/types/dsse/v0.0.1"
)

const entriesPath = "/api/v1/log/entries"

// rekor is a transparency log with Rekor's v1 API, for entries of kind dsse 0.0.1. It keeps a Merkle tree of all entries
// and proves each against the tree as it stands.
type rekor struct {
	key    *ecdsa.PrivateKey
	id     [sha256.Size]byte
	origin string // of the checkpoints
	treeID int64

	mu      sync.Mutex
	tree    merkleTree
	entries []rekorEntry
	byUUID  map[string]int
}

type rekorEntry struct {
	uuid string
	body []byte // canonical
	time int64
}

func (l *rekor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	uuid, one := strings.CutPrefix(r.URL.Path, entriesPath+"/")
	switch {
	case one:
		if allow(w, r, http.MethodGet) {
			l.get(w, uuid)
		}
	case r.URL.Path == entriesPath:
		if allow(w, r, http.MethodPost) {
			l.create(w, r)
		}
	default:
		writeJSON(w, http.StatusNotFound, message{Code: http.StatusNotFound, Message: "path " + r.URL.Path + " was not found"})
	}
}

// create adds an entry: 201 with the entry, or 409 with its place if it is there already.
func (l *rekor) create(w http.ResponseWriter, r *http.Request) {
	body, err := readBody(r, maxBody)
	if err != nil {
		writeJSON(w, http.StatusBadRequest, message{Code: http.StatusBadRequest, Message: err.Error()})
		return
	}
	canonical, err := canonicalEntry(r.Context(), body)
	if err != nil {
		writeJSON(w, http.StatusBadRequest, message{Code: http.StatusBadRequest, Message: "error processing entry: " + err.Error()})
		return
	}
	index, added := l.add(canonical)
	answer, err := l.answer(index)
	if err != nil {
		writeJSON(w, http.StatusInternalServerError, message{Code: http.StatusInternalServerError, Message: err.Error()})
		return
	}
	uuid := l.uuid(index)
	w.Header().Set("Location", entriesPath+"/"+uuid)
	if !added {
		writeJSON(w, http.StatusConflict, message{
			Code: http.StatusConflict, Message: "an equivalent entry already exists in the transparency log with UUID " + uuid,
		})
		return
	}
	w.Header().Set("ETag", uuid)
	writeJSON(w, http.StatusCreated, answer)
}

// get gives an entry by its UUID, with or without the tree's id in front.
func (l *rekor) get(w http.ResponseWriter, uuid string) {
	l.mu.Lock()
	index, ok := l.byUUID[strings.TrimPrefix(uuid, l.prefix())]
	l.mu.Unlock()
	if !ok {
		writeJSON(w, http.StatusNotFound, message{Code: http.StatusNotFound, Message: "entry " + uuid + " was not found"})
		return
	}
	answer, err := l.answer(index)
	if err != nil {
		writeJSON(w, http.StatusInternalServerError, message{Code: http.StatusInternalServerError, Message: err.Error()})
		return
	}
	writeJSON(w, http.StatusOK, answer)
}

// canonicalEntry checks a proposed entry (Rekor's own code verifies the envelope's signature) and gives the form that is
// logged.
func canonicalEntry(ctx context.Context, body []byte) ([]byte, error) {
	var proposed models.DSSE
	if err := json.Unmarshal(body, &proposed); err != nil {
		return nil, err
	}
	if v := proposed.APIVersion; v == nil || *v != dssetype.APIVERSION {
		return nil, fmt.Errorf("only dsse entries of version %s are taken here", dssetype.APIVERSION)
	}
	entry := dssetype.NewEntry()
	if err := entry.Unmarshal(&proposed); err != nil {
		return nil, err
	}
	if insertable, err := entry.Insertable(); err != nil || !insertable {
		return nil, fmt.Errorf("entry is not insertable: %w", err)
	}
	return types.CanonicalizeEntry(ctx, entry)
}

// add appends an entry, unless an equal one is there.
func (l *rekor) add(canonical []byte) (index int, added bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, e := range l.entries {
		if bytes.Equal(e.body, canonical) {
			return i, false
		}
	}
	leaf := hex.EncodeToString(l.tree.append(canonical))
	index = len(l.entries)
	l.entries = append(l.entries, rekorEntry{uuid: leaf, body: canonical, time: time.Now().Unix()})
	l.byUUID[leaf] = index
	return index, true
}

func (l *rekor) prefix() string { return fmt.Sprintf("%016x", l.treeID) }

func (l *rekor) uuid(index int) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.prefix() + l.entries[index].uuid
}

// sign hashes and signs what the log promises.
func (l *rekor) sign(message []byte) ([]byte, error) {
	hash := sha256.Sum256(message)
	signature, err := l.key.Sign(rand.Reader, hash[:], crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("sign with the log's key: %w", err)
	}
	return signature, nil
}
