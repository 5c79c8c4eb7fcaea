package js

import (
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"
)

// MaxSafeInteger is Number.MAX_SAFE_INTEGER: the highest integer that is not confused with another when it is rounded.
const MaxSafeInteger = 1<<53 - 1

// decimal is ECMA-262's StrDecimalLiteral.
var decimal = regexp.MustCompile(`^[+-]?(Infinity|([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?)$`)

// ParseNumber converts a text as Number(s) does: an empty text is 0, and 0x, 0o and 0b begin other bases. ok is false
// where JavaScript gives NaN. A number out of range is infinite.
func ParseNumber(s string) (n float64, ok bool) {
	s = Trim(s)
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
	n, _ = strconv.ParseFloat(s, 64) // its error says that the number is out of range; it is infinite then
	return n, true
}

// FormatNumber is Number.prototype.toString for numbers that are whole or infinite.
func FormatNumber(n float64) string {
	switch {
	case math.IsInf(n, 1):
		return "Infinity"
	case math.Abs(n) >= 1e21:
		return strconv.FormatFloat(n, 'e', -1, 64)
	}
	return strconv.FormatFloat(n, 'f', -1, 64)
}

// arrayIndex is a canonical numeric string: of 1 and 01 only the first names an element of an array.
var arrayIndex = regexp.MustCompile(`^(0|[1-9][0-9]*)$`)

// ArrayIndex is the index of the element that the property name s names in an array, and -1 where it names none.
func ArrayIndex(s string) int {
	if !arrayIndex.MatchString(s) {
		return -1
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		return -1 // no array is that long
	}
	return n
}
