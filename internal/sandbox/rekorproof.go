package sandbox

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
)

// logEntry is one value of Rekor's LogEntry map.
type logEntry struct {
	Body           string       `json:"body"`
	IntegratedTime int64        `json:"integratedTime"`
	LogID          string       `json:"logID"`
	LogIndex       int          `json:"logIndex"`
	Verification   verification `json:"verification"`
}

type verification struct {
	InclusionProof       inclusionProof `json:"inclusionProof"`
	SignedEntryTimestamp []byte         `json:"signedEntryTimestamp"`
}

type inclusionProof struct {
	Checkpoint string   `json:"checkpoint"`
	Hashes     []string `json:"hashes"`
	LogIndex   int      `json:"logIndex"`
	RootHash   string   `json:"rootHash"`
	TreeSize   int      `json:"treeSize"`
}

// answer is an entry as Rekor gives it: with a signed promise, and with a proof against the present tree.
func (l *rekor) answer(index int) (map[string]logEntry, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.entries[index]
	entry := logEntry{
		Body:           base64.StdEncoding.EncodeToString(e.body),
		IntegratedTime: e.time, LogID: hex.EncodeToString(l.id[:]), LogIndex: index,
	}
	promise, err := l.promise(entry)
	if err != nil {
		return nil, err
	}
	root := l.tree.root()
	checkpoint, err := l.checkpoint(len(l.entries), root)
	if err != nil {
		return nil, err
	}
	hashes := []string{}
	for _, h := range l.tree.proof(index) {
		hashes = append(hashes, hex.EncodeToString(h))
	}
	entry.Verification = verification{
		SignedEntryTimestamp: promise,
		InclusionProof: inclusionProof{
			Checkpoint: checkpoint, Hashes: hashes, LogIndex: index,
			RootHash: hex.EncodeToString(root), TreeSize: len(l.entries),
		},
	}
	return map[string]logEntry{l.prefix() + e.uuid: entry}, nil
}

// promise is the signed entry timestamp: a signature over the canonical JSON (RFC 8785) of four members, whose names
// stand in the order of that form already and whose values need no escapes.
func (l *rekor) promise(e logEntry) ([]byte, error) {
	canonical, err := json.Marshal(struct {
		Body           string `json:"body"`
		IntegratedTime int64  `json:"integratedTime"`
		LogID          string `json:"logID"`
		LogIndex       int    `json:"logIndex"`
	}{e.Body, e.IntegratedTime, e.LogID, e.LogIndex})
	if err != nil {
		return nil, fmt.Errorf("encode the entry's promise: %w", err)
	}
	return l.sign(canonical)
}

// checkpoint is the tree head as a signed note: origin, size and root hash, and a signature line that begins with the
// first four bytes of the key's hash (C2SP tlog-checkpoint and signed-note, with Rekor's way to name the key).
func (l *rekor) checkpoint(size int, root []byte) (string, error) {
	note := fmt.Sprintf("%s - %d\n%d\n%s\n", l.origin, l.treeID, size, base64.StdEncoding.EncodeToString(root))
	signature, err := l.sign([]byte(note))
	if err != nil {
		return "", err
	}
	line := binary.BigEndian.AppendUint32(nil, binary.BigEndian.Uint32(l.id[:4]))
	line = append(line, signature...)
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\u2014 %s %s\n", note, l.origin, base64.StdEncoding.EncodeToString(line))
	return b.String(), nil
}
