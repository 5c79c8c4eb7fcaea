package js

import (
	"errors"
	"strings"
	"time"
)

// DateFormat is a format of moment.js with the English locale, as tokens and texts. nil is moment's default format,
// ISO 8601.
type DateFormat []token

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

// ParseDateFormat reads a format. It accepts every text, since what is no token is text. The empty text gives nil, moment's
// default format.
func ParseDateFormat(format string) DateFormat {
	var out DateFormat
	for s := expandLongFormats(format); s != ""; {
		if n := bracketedLength(s); n > 0 {
			out, s = append(out, token{text: s[1 : n-1]}), s[n:]
			continue
		}
		escaped := s[0] == '\\' && len(s) > 1 && !startsWithLineEnd(s[1:])
		if escaped {
			s = s[1:]
		}
		n := tokenLength(s)
		switch word := s[:n]; {
		case escaped:
			out = append(out, token{text: strings.ReplaceAll(word, `\`, "")})
		case tokens[word] != nil:
			out = append(out, token{show: tokens[word]})
		case word != `\` && !startsWithLineEnd(word): // moment drops both
			out = append(out, token{text: word})
		}
		s = s[n:]
	}
	if out == nil && format != "" {
		out = DateFormat{}
	}
	return out
}

// expandLongFormats puts the long formats in the place of their names, but for those in brackets or behind a backslash.
func expandLongFormats(format string) string {
	var b strings.Builder
	for s := format; s != ""; {
		n := bracketedLength(s)
		if n == 0 {
			escape := 0
			if s[0] == '\\' {
				escape = 1
			}
			if word := longestPrefix(s[escape:], 4, func(w string) bool { return longFormats[w] != "" }); word != "" {
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

// bracketedLength is the length of the [text] that s begins with: up to the last "]" before another "[". It is 0 where s
// begins with none.
func bracketedLength(s string) int {
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

// longestPrefix is the longest prefix of s that accepts takes, of at most limit bytes; empty where it takes none.
func longestPrefix(s string, limit int, accepts func(string) bool) string {
	for n := min(limit, len(s)); n > 0; n-- {
		if accepts(s[:n]) {
			return s[:n]
		}
	}
	return ""
}

// tokenLength is the length of the token or character that s begins with.
func tokenLength(s string) int {
	// moment's regular expression for tokens has w| and W| in it by mistake, so that it takes these two for text.
	if strings.HasPrefix(s, "w|") || strings.HasPrefix(s, "W|") {
		return 2
	}
	if word := longestPrefix(s, maxToken, func(w string) bool { return tokens[w] != nil }); word != "" {
		return len(word)
	}
	for i := range s {
		if i > 0 {
			return i
		}
	}
	return len(s)
}

// startsWithLineEnd says whether s begins with what "." in JavaScript does not match.
func startsWithLineEnd(s string) bool {
	for _, c := range s {
		return c == '\n' || c == '\r' || c == 0x2028 || c == 0x2029
	}
	return false
}

// maxInstant is JavaScript's last date, in milliseconds.
const maxInstant = 8_640_000_000_000_000

// Format writes a time as it is told in a location; nil is UTC. A time beyond JavaScript's dates is an error.
func (f DateFormat) Format(t time.Time, in *time.Location) (string, error) {
	if t.Unix() > maxInstant/1000 || t.Unix() < -maxInstant/1000 {
		return "", errors.New("the date is outside of what can be told")
	}
	if in == nil {
		in = time.UTC
	}
	t = t.In(in)
	if f == nil {
		f = isoFormat
		if _, offset := t.Zone(); offset == 0 {
			f = isoFormatUTC
		}
	}
	var b strings.Builder
	for _, k := range f {
		if k.show == nil {
			b.WriteString(k.text)
			continue
		}
		b.WriteString(k.show(t))
	}
	return b.String(), nil
}
