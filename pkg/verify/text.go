package verify

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/taglast/taglast/internal/escape"
)

// WriteText writes what the attestations of a reference that passed prove, under a line with a ✓. Everything that others
// wrote is escaped.
func (r Result) WriteText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "✓ %s  %s\n", escape.Text(r.Ref), r.Digest)
	for _, a := range r.Verified {
		a.describe(&b)
	}
	for _, line := range r.Refusals() {
		fmt.Fprintf(&b, "  did not pass: %s\n", line)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Refusals says of each attestation that did not pass which one it is and why, a line each, escaped.
func (r Result) Refusals() []string {
	lines := make([]string, len(r.Refused))
	for i, f := range r.Refused {
		lines[i] = escape.Text(f.Source + ": " + f.Err.Error())
	}
	return lines
}

func (a Attestation) describe(b *strings.Builder) {
	c := a.Certificate
	signed := ""
	if len(a.Times) > 0 {
		signed = a.Times[0].UTC().Format(time.RFC3339)
	}
	log := "none"
	if a.LogIndex >= 0 {
		log = fmt.Sprint(a.LogIndex)
	}
	for _, row := range [][2]string{
		{"type", a.PredicateType},
		{"signer", c.Identity},
		{"source", strings.TrimSpace(c.SourceRepository + "  " + c.SourceDigest + "  " + c.SourceRef)},
		{"run", c.Run},
		{"log", log},
		{"signed", signed},
	} {
		if row[1] != "" {
			fmt.Fprintf(b, "  %-7s %s\n", row[0], escape.Text(row[1]))
		}
	}
}
