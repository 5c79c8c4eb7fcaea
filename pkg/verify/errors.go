package verify

import (
	"errors"

	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/internal/hint"
	"github.com/taglast/taglast/internal/policy"
)

// The kinds of errors, for errors.Is. What is none of them is trouble of a network, a file or a service.
var (
	ErrUsage         error = policy.ErrUsage // options or a reference make no sense, or do not go together; nothing was sent
	ErrNoAttestation       = errors.New("no attestation")
	ErrNonePasses          = errors.New("no attestation passes")
)

// Hint says what may help against an error of this package, for a line of its own; empty where there is nothing to say.
func Hint(err error) string { return hint.Of(err) }

// printable is foreign text for an error: escaped and of bounded length.
func printable(s string) string { return escape.Bounded(s, 200) }
