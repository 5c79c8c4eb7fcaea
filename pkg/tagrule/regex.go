package tagrule

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
	// maxSubject bounds the text that is searched: far above any ref.
	maxSubject = 4096
)

var errSlowMatch = errors.New("the regular expression takes too long on this text: it backtracks without end")

// regex is a regular expression of JavaScript with its flags.
type regex struct {
	re      *regexp2.Regexp
	all     bool // g: the result is the list of all matches
	sticky  bool // y: a match begins where the search begins
	unicode bool // u, v: the text is code points, not UTF-16 units
}

// compileRegex reads a pattern as JavaScript's RegExp does.
func compileRegex(pattern, flags string) (*regex, error) {
	r := &regex{}
	options := regexp2.ECMAScript
	for i, flag := range flags {
		if strings.ContainsRune(flags[:i], flag) {
			return nil, fmt.Errorf("flag `%c` is given twice", flag)
		}
		switch flag {
		case 'd': // positions, which nobody asks for
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
		pattern = surrogates(pattern)
	}
	re, err := regexp2.Compile(pattern, options)
	if err != nil {
		return nil, fmt.Errorf("not a regular expression of JavaScript: %s", escape.Bounded(err.Error(), 200))
	}
	re.MatchTimeout = matchTimeout
	r.re = re
	return r, nil
}

// surrogates writes what is outside of the Basic Multilingual Plane as JavaScript sees it without flag u: two units.
func surrogates(pattern string) string {
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

// group is String.prototype.match: the n-th group of the first match or, with flag g, the n-th match of all. matched is
// false where nothing matches, ok where there is no such group or it took no part.
func (r *regex) group(text string, n int) (found string, matched, ok bool, err error) {
	if len(text) > maxSubject {
		return "", false, false, fmt.Errorf("a text of %d bytes; at most %d are searched", len(text), maxSubject)
	}
	units := []rune(text)
	if !r.unicode && utf8.RuneCountInString(text) != len(text) {
		units = units[:0:0]
		for _, u := range utf16.Encode([]rune(text)) {
			units = append(units, rune(u))
		}
	}
	deadline := time.Now().Add(matchTimeout) // of all searches of flag g together; a timeout, not a date
	at := 0
	for count := 0; ; count++ {
		m, err := r.re.FindRunesMatchStartingAt(units, at)
		if err != nil {
			return "", false, false, errSlowMatch
		}
		if m == nil || r.sticky && m.RuneIndex != at {
			return "", count > 0, false, nil
		}
		if !r.all {
			g := m.GroupByNumber(n)
			if n < 0 || g == nil || len(g.Captures) == 0 {
				return "", true, false, nil
			}
			return r.text(g.Runes()), true, true, nil
		}
		if n < 0 || count == n {
			return r.text(m.Runes()), true, n >= 0, nil
		}
		at = m.RuneIndex + max(m.RuneLength, 1)
		if at > len(units) {
			return "", true, false, nil
		}
		if time.Now().After(deadline) {
			return "", false, false, errSlowMatch
		}
	}
}

func (r *regex) text(units []rune) string {
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

// captures says whether the expression has a group beside the whole match.
func (r *regex) captures() bool { return len(r.re.GetGroupNumbers()) > 1 }
