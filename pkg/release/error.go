package release

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/internal/hint"
)

// Error is a mistake in a release file, in the flags that take its place, or in what its rules give.
type Error struct {
	File         string // path, or the flag; empty where the mistake is in no single place
	Line, Column int    // from 1, in characters; 0 where unknown
	Msg          string
	Snippet      string // further lines, indented; empty for most errors
	Hint         string // what to do; hint.Of finds it too. Not part of Error()
}

// Error is "file:line:column: message", and the snippet on lines of its own.
func (e *Error) Error() string {
	var b strings.Builder
	if e.File != "" {
		b.WriteString(escape.Text(filepath.ToSlash(e.File)))
		if e.Line > 0 {
			fmt.Fprintf(&b, ":%d", e.Line)
			if e.Column > 0 {
				fmt.Fprintf(&b, ":%d", e.Column)
			}
		}
		b.WriteString(": ")
	}
	b.WriteString(e.Msg)
	if e.Snippet != "" {
		b.WriteString("\n" + e.Snippet)
	}
	return b.String()
}

// Unwrap gives the hint to those who look for one with hint.Of.
func (e *Error) Unwrap() error {
	if e.Hint == "" {
		return nil
	}
	return hint.With(errors.New(e.Msg), e.Hint)
}

// position is where a value stands.
type position struct {
	file         string
	line, column int
}

func (p position) errorf(format string, args ...any) *Error {
	return &Error{File: p.file, Line: p.line, Column: p.column, Msg: fmt.Sprintf(format, args...)}
}

func (e *Error) withHint(format string, args ...any) *Error {
	e.Hint = fmt.Sprintf(format, args...)
	return e
}

// quote is foreign text for a message.
func quote(s string) string { return "`" + escape.Bounded(s, 120) + "`" }
