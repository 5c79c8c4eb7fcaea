package js

import "strings"

// Trim is String.prototype.trim: it takes the blanks of ECMA-262's WhiteSpace and LineTerminator off both ends of s. They
// are not quite those of strings.TrimSpace.
func Trim(s string) string { return strings.TrimFunc(s, isBlank) }

func isBlank(c rune) bool {
	switch c {
	case '\t', '\n', '\v', '\f', '\r', ' ', 0xa0, 0x1680, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000, 0xfeff:
		return true
	}
	return c >= 0x2000 && c <= 0x200a
}
