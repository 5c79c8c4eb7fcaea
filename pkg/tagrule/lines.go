package tagrule

import "strings"

// Lines are the records of multi-line values: without the blanks around them, empty lines, and lines that begin with #.
func Lines(values []string) []string {
	var out []string
	for _, value := range values {
		for line := range strings.SplitSeq(value, "\n") {
			if line = trim(line); line != "" && line[0] != '#' {
				out = append(out, line)
			}
		}
	}
	return out
}

// trim is JavaScript's: the blanks of ECMA-262's WhiteSpace and LineTerminator, which are not quite Go's.
func trim(s string) string { return strings.TrimFunc(s, blank) }

func blank(c rune) bool {
	switch c {
	case '\t', '\n', '\v', '\f', '\r', ' ', 0xa0, 0x1680, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000, 0xfeff:
		return true
	}
	return c >= 0x2000 && c <= 0x200a
}
