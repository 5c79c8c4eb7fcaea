package sandbox

import (
	"math/bits"

	"github.com/transparency-dev/merkle/rfc6962"
)

// merkleTree is an append-only tree of RFC 6962 §2.1 over leaf hashes.
type merkleTree struct{ leaves [][]byte }

// append adds an entry and gives its leaf hash.
func (t *merkleTree) append(entry []byte) []byte {
	leaf := rfc6962.DefaultHasher.HashLeaf(entry)
	t.leaves = append(t.leaves, leaf)
	return leaf
}

func (t *merkleTree) root() []byte { return subtree(t.leaves) }

// proof is the audit path of a leaf in the tree as it is now (RFC 6962 §2.1.1), lowest sibling first.
func (t *merkleTree) proof(index int) [][]byte { return path(index, t.leaves) }

func subtree(leaves [][]byte) []byte {
	switch len(leaves) {
	case 0:
		return rfc6962.DefaultHasher.EmptyRoot()
	case 1:
		return leaves[0]
	}
	k := split(len(leaves))
	return rfc6962.DefaultHasher.HashChildren(subtree(leaves[:k]), subtree(leaves[k:]))
}

func path(index int, leaves [][]byte) [][]byte {
	if len(leaves) <= 1 {
		return nil
	}
	k := split(len(leaves))
	if index < k {
		return append(path(index, leaves[:k]), subtree(leaves[k:]))
	}
	return append(path(index-k, leaves[k:]), subtree(leaves[:k]))
}

// split is the largest power of two that is smaller than n.
func split(n int) int { return 1 << (bits.Len(uint(n-1)) - 1) }
