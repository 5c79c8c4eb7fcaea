package sbom

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/taglast/taglast/internal/escape"
)

// checkValue refuses a JSON value that readers would understand differently, or not at all. It goes over the bytes once:
// a document may have millions of values.
func checkValue(raw []byte) error {
	if !json.Valid(raw) {
		return errors.New("not JSON, or too many levels deep for any reader")
	}
	var open []keys // of each value that is open
	key := false    // the next text is a key
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case c == '{' || c == '[':
			if open = append(open, keys{isObject: c == '{'}); len(open) > maxDepth {
				return fmt.Errorf("it is more than %d levels deep", maxDepth)
			}
			key = c == '{'
		case c == '}' || c == ']':
			open = open[:len(open)-1]
		case c == ',':
			key = open[len(open)-1].isObject
		case c == '"':
			text := raw[i+1 : i+1+textLength(raw[i+1:])]
			i += len(text) + 1
			if err := checkSurrogates(text); err != nil {
				return err
			}
			if key && !open[len(open)-1].add(text) {
				return fmt.Errorf(`key "%s" is there twice in one object`, escape.Bounded(string(text), 100))
			}
			key = false
		case c == '-' || c >= '0' && c <= '9':
			number := raw[i : i+numberLength(raw[i:])]
			i += len(number) - 1
			if _, err := strconv.ParseFloat(string(number), 64); err != nil {
				return fmt.Errorf("the number %s is larger than readers can hold", escape.Bounded(string(number), 60))
			}
		}
	}
	return nil
}

// keys are those of an object that is open; none of an array.
type keys struct {
	isObject bool
	few      [][]byte // as long as they are few, they are compared one by one
	many     map[string]bool
}

// maxFew is how many keys are compared one by one.
const maxFew = 16

// add adds the key that is written text, and reports whether it is new.
func (k *keys) add(text []byte) bool {
	if bytes.IndexByte(text, '\\') >= 0 {
		var unescaped string
		if json.Unmarshal(bytes.Join([][]byte{{'"'}, text, {'"'}}, nil), &unescaped) == nil {
			text = []byte(unescaped)
		}
	}
	if k.many != nil {
		n := len(k.many)
		k.many[string(text)] = true
		return len(k.many) > n
	}
	for _, other := range k.few {
		if bytes.Equal(other, text) {
			return false
		}
	}
	if k.few = append(k.few, text); len(k.few) > maxFew {
		k.many = make(map[string]bool)
		for _, one := range k.few {
			k.many[string(one)] = true
		}
	}
	return true
}

// textLength is how many bytes of well-formed JSON stand before the quotation mark that ends a text.
func textLength(raw []byte) int {
	for i := 0; ; i++ {
		switch raw[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
}

// numberLength is how many bytes raw begins with that a number is made of.
func numberLength(raw []byte) int {
	for i, c := range raw {
		if (c < '0' || c > '9') && bytes.IndexByte([]byte("+-.eE"), c) < 0 {
			return i
		}
	}
	return len(raw)
}

// checkSurrogates refuses half a surrogate pair in the text of well-formed JSON (RFC 8259, section 8.2): readers put
// different characters in its place.
func checkSurrogates(text []byte) error {
	for i := 0; ; {
		next := bytes.IndexByte(text[i:], '\\')
		if next < 0 {
			return nil
		}
		i += next
		u, ok := escapedUnit(text[i:])
		if !ok {
			i += 2
			continue
		}
		low, paired := escapedUnit(text[i+6:])
		switch {
		case u >= 0xd800 && u < 0xdc00 && paired && low >= 0xdc00 && low < 0xe000:
			i += 12
		case u >= 0xd800 && u < 0xe000:
			return fmt.Errorf(`%s is half a surrogate pair`, text[i:i+6])
		default:
			i += 6
		}
	}
}

// escapedUnit is the UTF-16 unit of the \uXXXX that raw begins with.
func escapedUnit(raw []byte) (uint64, bool) {
	if len(raw) < 6 || raw[0] != '\\' || raw[1] != 'u' {
		return 0, false
	}
	u, err := strconv.ParseUint(string(raw[2:6]), 16, 16)
	return u, err == nil
}
