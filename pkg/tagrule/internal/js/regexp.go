package js

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/dlclark/regexp2/v2"

	"github.com/taglast/taglast/internal/escape"
)

const (
	matchTimeout = time.Second
	// maxSubject bounds the text that is searched, in bytes. No ref comes near it.
	maxSubject = 4096
)

var errSlowMatch = errors.New("the regular expression takes too long on this text: it backtracks without end")

// RegExp is a regular expression of JavaScript with its flags. CompileRegExp makes it; its zero value is not usable.
type RegExp struct {
	re      *regexp2.Regexp
	all     bool // g: the result is the list of all matches
	sticky  bool // y: a match begins where the search begins
	unicode bool // u, v: the text is code points, not UTF-16 units
}

// CompileRegExp compiles a pattern as new RegExp(pattern, flags) does. Errors: a pattern or flag that JavaScript does not
// take, and a character class under flag v, which is not supported.
func CompileRegExp(pattern, flags string) (*RegExp, error) {
	r := &RegExp{}
	options := regexp2.ECMAScript
	for i, flag := range flags {
		if strings.ContainsRune(flags[:i], flag) {
			return nil, fmt.Errorf("flag `%c` is given twice", flag)
		}
		switch flag {
		case 'd': // it adds the positions of matches, which Group does not give
		case 'g':
			r.all = true
		case 'i':
			options |= regexp2.IgnoreCase
		case 'm':
			options |= regexp2.Multiline
		case 's':
			options |= regexp2.Singleline
		case 'u', 'v':
			r.unicode = true
			options |= regexp2.Unicode
		case 'y':
			r.sticky = true
		default:
			return nil, fmt.Errorf("unknown flag `%s`; the flags are d g i m s u v y", escape.Text(string(flag)))
		}
	}
	if strings.Contains(flags, "v") {
		if strings.Contains(flags, "u") {
			return nil, errors.New("flags `u` and `v` exclude each other")
		}
		if strings.Contains(strings.ReplaceAll(pattern, `\[`, ""), "[") || strings.Contains(pattern, `\P`) || strings.Contains(pattern, `\W`) {
			return nil, errors.New("a class under flag `v` is not supported; use flag `u`")
		}
	}
	if err := checkSyntax(pattern, r.unicode); err != nil {
		return nil, err
	}
	if !r.unicode {
		pattern = surrogatePairs(pattern)
	}
	re, err := regexp2.Compile(pattern, options)
	if err != nil {
		return nil, fmt.Errorf("not a regular expression of JavaScript: %s", escape.Bounded(err.Error(), 200))
	}
	re.MatchTimeout = matchTimeout
	r.re = re
	return r, nil
}

// surrogatePairs writes what is outside of the Basic Multilingual Plane as JavaScript sees it without flag u: two units.
func surrogatePairs(pattern string) string {
	if !strings.ContainsFunc(pattern, func(c rune) bool { return c > 0xffff }) {
		return pattern
	}
	var b strings.Builder
	for _, c := range pattern {
		if c <= 0xffff {
			b.WriteRune(c)
			continue
		}
		high, low := utf16.EncodeRune(c)
		fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
	}
	return b.String()
}

// GroupMatch is what one group of an expression matched.
type GroupMatch struct {
	Matched bool   // the expression matches the text
	Present bool   // there is such a group, and it took part in the match
	Text    string // what it matched; empty where it is not present
}

// Group is element n of what text.match(expression) returns: the n-th group of the first match or, with flag g, the n-th
// match of all. Group 0 is the whole match; a negative n names no group. Errors: a text of more than 4096 bytes, and a
// search that takes more than a second.
func (r *RegExp) Group(text string, n int) (GroupMatch, error) {
	if len(text) > maxSubject {
		return GroupMatch{}, fmt.Errorf("a text of %d bytes; at most %d are searched", len(text), maxSubject)
	}
	units := []rune(text)
	if !r.unicode && utf8.RuneCountInString(text) != len(text) {
		units = units[:0:0]
		for _, u := range utf16.Encode([]rune(text)) {
			units = append(units, rune(u))
		}
	}
	deadline := time.Now().Add(matchTimeout) // for all searches of flag g together; it is a timeout, no date
	at := 0
	for count := 0; ; count++ {
		m, err := r.re.FindRunesMatchStartingAt(units, at)
		if err != nil {
			return GroupMatch{}, errSlowMatch
		}
		if m == nil || r.sticky && m.RuneIndex != at {
			return GroupMatch{Matched: count > 0}, nil
		}
		if !r.all {
			g := m.GroupByNumber(n)
			if n < 0 || g == nil || len(g.Captures) == 0 {
				return GroupMatch{Matched: true}, nil
			}
			return GroupMatch{Matched: true, Present: true, Text: r.text(g.Runes())}, nil
		}
		if n < 0 {
			return GroupMatch{Matched: true}, nil
		}
		if count == n {
			return GroupMatch{Matched: true, Present: true, Text: r.text(m.Runes())}, nil
		}
		at = m.RuneIndex + max(m.RuneLength, 1)
		if at > len(units) {
			return GroupMatch{Matched: true}, nil
		}
		if time.Now().After(deadline) {
			return GroupMatch{}, errSlowMatch
		}
	}
}

// text decodes what was searched: code points, or UTF-16 units.
func (r *RegExp) text(units []rune) string {
	if r.unicode {
		return string(units)
	}
	var b strings.Builder
	for i := 0; i < len(units); i++ {
		if i+1 < len(units) && utf16.IsSurrogate(units[i]) {
			if c := utf16.DecodeRune(units[i], units[i+1]); c != utf8.RuneError {
				b.WriteRune(c)
				i++
				continue
			}
		}
		b.WriteRune(units[i])
	}
	return b.String()
}

// HasGroups says whether the expression has a capturing group.
func (r *RegExp) HasGroups() bool { return len(r.re.GetGroupNumbers()) > 1 }
