package storetest

import (
	"context"
	"errors"
	"strconv"
	"sync"

	"github.com/taglast/taglast/internal/bundle"
	"github.com/taglast/taglast/internal/ociref"
	"github.com/taglast/taglast/internal/store"
)

// Memory is a store of its own, for tests that need a second one. It keeps the bytes of bundles and parses them for each
// list, as a store behind a network does.
type Memory struct {
	name string

	mu      sync.Mutex
	bundles [][]byte
}

// NewMemory is an empty store of that name.
func NewMemory(name string) *Memory { return &Memory{name: name} }

// Name is what NewMemory was given.
func (m *Memory) Name() string { return m.name }

// Preflight passes until ctx ends.
func (m *Memory) Preflight(ctx context.Context) error { return ctx.Err() }

// Put keeps the canonical form of b, again where it is there. Its receipt has an id and no URL.
func (m *Memory) Put(ctx context.Context, b *bundle.Bundle) (store.Receipt, error) {
	if err := ctx.Err(); err != nil {
		return store.Receipt{}, err
	}
	if b == nil || len(b.Digests()) == 0 {
		return store.Receipt{}, errors.New("the bundle has no sha256 subject")
	}
	raw, err := b.Canonical()
	if err != nil {
		return store.Receipt{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.bundles = append(m.bundles, raw)
	return store.Receipt{ID: m.name + "-" + strconv.Itoa(len(m.bundles))}, nil
}

// List gives the bundles with that subject and predicate type, or of any type, in the order of their Put.
func (m *Memory) List(ctx context.Context, digest, predicateType string) ([]store.Stored, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := ociref.CheckDigest(digest); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []store.Stored
	for i, raw := range m.bundles {
		b, err := bundle.Parse(raw)
		if err != nil {
			return nil, err
		}
		if b.HasSubject(digest) && (predicateType == "" || b.PredicateType() == predicateType) {
			found = append(found, store.Stored{Bundle: b, ID: m.name + "-" + strconv.Itoa(i+1)})
		}
	}
	return found, nil
}
