// Package store holds the stores that bundles are kept in: today GitHub's API.
package store

import (
	"context"

	"github.com/taglast/taglast/internal/bundle"
)

// Stored is a bundle as a store gave it back.
type Stored struct {
	Bundle *bundle.Bundle
	ID     string // the store's own name of it; empty where it has none
	URL    string // a page about it; empty where there is none
}

// Receipt is a store's answer to Put. The fields are those of Stored.
type Receipt struct{ ID, URL string }

// Store keeps bundles by the digests of their subjects. Every implementation passes the suite in package storetest.
type Store interface {
	// Name is what the user calls the store: "github".
	Name() string
	// Preflight is nil if Put may succeed. It stores nothing.
	Preflight(ctx context.Context) error
	// Put stores a bundle. It may be called again with the same bundle; duplicates are harmless. nil and a bundle
	// without a sha256 subject are errors.
	Put(ctx context.Context, b *bundle.Bundle) (Receipt, error)
	// List returns every bundle with that subject digest (sha256:hex) and predicate type, of all pages; an empty type means
	// any, and an empty list is not an error. Bundles that cannot be read are errors in the joined error, beside the list of those that can.
	List(ctx context.Context, digest, predicateType string) ([]Stored, error)
}
