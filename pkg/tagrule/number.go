package tagrule

import (
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"
)

// decimal is ECMA-262's StrDecimalLiteral.
var decimal = regexp.MustCompile(`^[+-]?(Infinity|([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?)$`)

// parseNumber reads a text as JavaScript's Number does, which priorities, groups and the local parts of PEP 440 versions
// go through in the original. ok is false for NaN.
func parseNumber(s string) (n float64, ok bool) {
	s = trim(s)
	if s == "" {
		return 0, true
	}
	if len(s) > 2 && s[0] == '0' {
		base := map[byte]int{'x': 16, 'o': 8, 'b': 2}[s[1]|0x20]
		if base != 0 {
			if strings.ContainsAny(s[2:3], "+-") {
				return 0, false
			}
			i, ok := new(big.Int).SetString(s[2:], base)
			if !ok {
				return 0, false
			}
			n, _ = new(big.Float).SetInt(i).Float64()
			return n, true
		}
	}
	if !decimal.MatchString(s) {
		return 0, false
	}
	n, _ = strconv.ParseFloat(s, 64) // out of range is infinite, there as here
	return n, true
}

// formatNumber is JavaScript's Number::toString for numbers that are whole or infinite.
func formatNumber(n float64) string {
	switch {
	case math.IsInf(n, 1):
		return "Infinity"
	case math.Abs(n) >= 1e21:
		return strconv.FormatFloat(n, 'e', -1, 64)
	}
	return strconv.FormatFloat(n, 'f', -1, 64)
}
