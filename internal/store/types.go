// Package store holds the stores that bundles are kept in: today GitHub's API.
package store

import (
	"context"

	"github.com/taglast/taglast/internal/bundle"
)

// Stored is a bundle as a store gave it back.
type Stored struct {
	Bundle *bundle.Bundle
	ID     string // the store's; empty where it has none
	URL    string
}

// Receipt is a store's answer to Put.
type Receipt struct{ ID, URL string }

// Store keeps bundles by the digests of their subjects. Every implementation passes the suite in package storetest.
type Store interface {
	// Name is what the user calls the store: "github".
	Name() string
	// Preflight proves that Put may succeed, without storing anything.
	Preflight(ctx context.Context) error
	// Put keeps a bundle. It may be called again with the same bundle; duplicates are harmless. nil and a
	// bundle without a sha256 subject are errors.
	Put(ctx context.Context, b *bundle.Bundle) (Receipt, error)
	// List gives every bundle with that subject digest (sha256:hex) and predicate type, all pages; an empty list where
	// there is none. Bundles that cannot be read are errors in the joined error beside what could.
	List(ctx context.Context, digest, predicateType string) ([]Stored, error)
}
