package attest

import (
	"slices"

	"github.com/taglast/taglast/internal/bundle"
	"github.com/taglast/taglast/internal/provenance"
	"github.com/taglast/taglast/internal/stage/push"
	"github.com/taglast/taglast/internal/store"
)

// Attested is a pushed image with its attestations. Attest alone returns one; the zero value must not be used.
type Attested struct{ p *attested }

type attested struct {
	pushed       push.Pushed
	attestations []Attestation
}

// Ok reports whether a is a result of Attest.
func (a Attested) Ok() bool { return a.p != nil }

// Pushed is the image as the push stage left it.
func (a Attested) Pushed() push.Pushed { return a.p.pushed }

// Attestations are those of the image, in the order of Job.Wanted.
func (a Attested) Attestations() []Attestation { return slices.Clone(a.p.attestations) }

// Attestation is one bundle of an image, as each store gave it back. Attest alone returns one; the zero value must not
// be used.
type Attestation struct{ p *attestation }

type attestation struct {
	predicateType string
	subjects      []provenance.Subject
	statement     []byte
	bundle        *bundle.Bundle
	readBack      []ReadBack
	receipts      map[string]store.Receipt
	reused        bool
}

// ReadBack is the bundle as one store gave it back.
type ReadBack struct {
	Store  string
	Bundle *bundle.Bundle
}

// PredicateType is the one that was wanted.
func (a Attestation) PredicateType() string { return a.p.predicateType }

// Subjects are those that the statement must name.
func (a Attestation) Subjects() []provenance.Subject { return slices.Clone(a.p.subjects) }

// Digest is what the attestation is about: that of the first subject, sha256:hex.
func (a Attestation) Digest() string { return a.p.subjects[0].Digest }

// Statement is the in-toto statement that this run signed; nil where the bundle is reused.
func (a Attestation) Statement() []byte { return slices.Clone(a.p.statement) }

// Bundle is the bundle as it was signed, or as a store listed it where it is reused.
func (a Attestation) Bundle() *bundle.Bundle { return a.p.bundle }

// ReadBack is the bundle as each store gave it back, in the order of the stores; it is empty while Keep is called.
func (a Attestation) ReadBack() []ReadBack { return slices.Clone(a.p.readBack) }

// Receipt is the answer of a store to this run; a zero Receipt where it gave none.
func (a Attestation) Receipt(name string) store.Receipt { return a.p.receipts[name] }

// Reused reports whether the bundle is of an earlier run.
func (a Attestation) Reused() bool { return a.p.reused }
