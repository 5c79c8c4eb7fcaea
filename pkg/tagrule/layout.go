package tagrule

import (
	"errors"
	"strings"
	"time"
)

// layout is a format of moment.js with the English locale, as tokens and texts. nil is its format for none.
type layout []token

// token is a token of moment.js, or text.
type token struct {
	text string
	show func(time.Time) string // nil for text
}

// longFormats are moment's names for whole formats (English).
var longFormats = map[string]string{
	"LTS": "h:mm:ss A", "LT": "h:mm A",
	"L": "MM/DD/YYYY", "LL": "MMMM D, YYYY", "LLL": "MMMM D, YYYY h:mm A", "LLLL": "dddd, MMMM D, YYYY h:mm A",
	"l": "M/D/YYYY", "ll": "MMM D, YYYY", "lll": "MMM D, YYYY h:mm A", "llll": "ddd, MMM D, YYYY h:mm A",
}

// maxToken is the length of the longest token, SSSSSSSSS.
const maxToken = 9

// parseLayout reads a format. Every format is one: what is no token is text. An empty one is moment's format for none.
func parseLayout(format string) layout {
	var out layout
	for s := expanded(format); s != ""; {
		if n := bracketed(s); n > 0 {
			out, s = append(out, token{text: s[1 : n-1]}), s[n:]
			continue
		}
		escaped := s[0] == '\\' && len(s) > 1 && !lineEnd(s[1:])
		if escaped {
			s = s[1:]
		}
		n := tokenLength(s)
		switch word := s[:n]; {
		case escaped:
			out = append(out, token{text: strings.ReplaceAll(word, `\`, "")})
		case tokens[word] != nil:
			out = append(out, token{show: tokens[word]})
		case word != `\` && !lineEnd(word): // moment loses both
			out = append(out, token{text: word})
		}
		s = s[n:]
	}
	if out == nil && format != "" {
		out = layout{}
	}
	return out
}

// expanded puts the long formats in the place of their names, but for those in brackets or behind a backslash.
func expanded(format string) string {
	var b strings.Builder
	for s := format; s != ""; {
		n := bracketed(s)
		if n == 0 {
			escape := 0
			if s[0] == '\\' {
				escape = 1
			}
			if word := longest(s[escape:], 4, func(w string) bool { return longFormats[w] != "" }); word != "" {
				if escape == 0 {
					b.WriteString(longFormats[word])
					s = s[len(word):]
					continue
				}
				n = 1 + len(word)
			}
		}
		n = max(n, 1)
		b.WriteString(s[:n])
		s = s[n:]
	}
	return b.String()
}

// bracketed is the length of the [text] that s begins with: to the last "]" before another "[". 0 if there is none.
func bracketed(s string) int {
	if s[0] != '[' {
		return 0
	}
	inside := s[1:]
	if i := strings.IndexByte(inside, '['); i >= 0 {
		inside = inside[:i]
	}
	if end := strings.LastIndexByte(inside, ']'); end >= 0 {
		return end + 2
	}
	return 0
}

// longest is the longest word of at most limit bytes that s begins with and is accepts.
func longest(s string, limit int, is func(string) bool) string {
	for n := min(limit, len(s)); n > 0; n-- {
		if is(s[:n]) {
			return s[:n]
		}
	}
	return ""
}

// tokenLength is the length of the token or character that s begins with.
func tokenLength(s string) int {
	if strings.HasPrefix(s, "w|") || strings.HasPrefix(s, "W|") { // an oddity of moment's: text, "w" and all
		return 2
	}
	if word := longest(s, maxToken, func(w string) bool { return tokens[w] != nil }); word != "" {
		return len(word)
	}
	for i := range s {
		if i > 0 {
			return i
		}
	}
	return len(s)
}

// lineEnd says whether s begins with what "." in JavaScript does not match.
func lineEnd(s string) bool {
	for _, c := range s {
		return c == '\n' || c == '\r' || c == 0x2028 || c == 0x2029
	}
	return false
}

// maxInstant is JavaScript's last date, in milliseconds.
const maxInstant = 8_640_000_000_000_000

// format tells a moment in a zone.
func (l layout) format(t time.Time, z zone) (string, error) {
	if t.Unix() > maxInstant/1000 || t.Unix() < -maxInstant/1000 {
		return "", errors.New("the date is outside of what can be told")
	}
	t = t.In(z.location())
	if l == nil {
		l = isoLayout
		if _, offset := t.Zone(); offset == 0 {
			l = isoLayoutUTC
		}
	}
	var b strings.Builder
	for _, k := range l {
		if k.show == nil {
			b.WriteString(k.text)
			continue
		}
		b.WriteString(k.show(t))
	}
	return b.String(), nil
}
