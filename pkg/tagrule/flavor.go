package tagrule

import (
	"fmt"
	"strings"

	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/internal/nearest"
)

// Flavor is what all rules of an image have in common. Its zero value is latest=auto without prefix and suffix. Prefix
// and Suffix are templates as in a rule; before latest they stand as they are, as in the original.
type Flavor struct {
	Latest       string // auto, true or false; empty is auto
	Prefix       string
	PrefixLatest bool // the prefix holds for latest too
	Suffix       string
	SuffixLatest bool // the suffix holds for latest too

	prefix, suffix template // as parsed from Prefix and Suffix
}

var flavorKeys = []string{"latest", "prefix", "suffix", "onlatest"}

// ParseFlavor reads flavor lines: CSV records of latest=auto|true|false, prefix=, suffix=, and onlatest=true|false, which
// is about the prefix or suffix before it on the same line. A later line overrides an earlier one.
func ParseFlavor(lines []string) (Flavor, error) {
	f := Flavor{Latest: "auto"}
	for _, line := range lines {
		if err := f.line(line); err != nil {
			return Flavor{}, err
		}
	}
	return f.parsed()
}

// parsed is the flavor with its templates.
func (f Flavor) parsed() (_ Flavor, err error) {
	if f.prefix.source != f.Prefix {
		if f.prefix, err = parseTemplate("prefix", f.Prefix, globalExpressions); err != nil {
			return Flavor{}, err
		}
	}
	if f.suffix.source != f.Suffix {
		if f.suffix, err = parseTemplate("suffix", f.Suffix, globalExpressions); err != nil {
			return Flavor{}, err
		}
	}
	return f, nil
}

func (f *Flavor) line(line string) error {
	fields, err := record(line)
	if err != nil {
		return err
	}
	var onlatest *bool
	for _, field := range fields {
		key, value, found := strings.Cut(field, "=")
		key, value = strings.ToLower(trim(key)), trim(value)
		if !found {
			return fmt.Errorf("flavor `%s` has no value: it is latest=, prefix=, suffix= or onlatest=", escape.Bounded(field, 80))
		}
		if strings.Contains(value, "=") {
			return fmt.Errorf("flavor `%s` has a second `=`", escape.Bounded(field, 80))
		}
		switch key {
		case "latest":
			if value != "auto" && value != "true" && value != "false" {
				return fmt.Errorf("flavor latest=%s: it is `auto`, `true` or `false`", escape.Bounded(value, 80))
			}
			f.Latest = value
		case "prefix":
			f.Prefix, onlatest = value, &f.PrefixLatest
		case "suffix":
			f.Suffix, onlatest = value, &f.SuffixLatest
		case "onlatest":
			if onlatest == nil {
				return fmt.Errorf("flavor onlatest=%s needs a prefix= or suffix= before it on its line", escape.Bounded(value, 80))
			}
			if value != "true" && value != "false" {
				return fmt.Errorf("flavor onlatest=%s: it is `true` or `false`", escape.Bounded(value, 80))
			}
			*onlatest = value == "true"
		default:
			if near := nearest.Word(key, flavorKeys); near != "" {
				return fmt.Errorf("unknown flavor `%s`; did you mean `%s`?", escape.Bounded(key, 80), near)
			}
			return fmt.Errorf("unknown flavor `%s`; it is %s", escape.Bounded(key, 80), strings.Join(flavorKeys, ", "))
		}
	}
	return nil
}

// affixes are the prefix and suffix of a rule: its own, even if empty, else the flavor's.
func (f Flavor) affixes(r Rule, on *facts) (prefix, suffix string, err error) {
	before, behind := f.templates(r)
	if prefix, err = before.render(on.global); err == nil {
		suffix, err = behind.render(on.global)
	}
	return prefix, suffix, err
}

func (f Flavor) templates(r Rule) (prefix, suffix template) {
	prefix, suffix = f.prefix, f.suffix
	if _, ok := r.attrs["prefix"]; ok {
		prefix = r.prefix
	}
	if _, ok := r.attrs["suffix"]; ok {
		suffix = r.suffix
	}
	return prefix, suffix
}

// latest says whether there is a latest tag, given what the first rule that gave a tag says for auto.
func (f Flavor) latest(auto bool) bool {
	if f.Latest == "" || f.Latest == "auto" {
		return auto
	}
	return f.Latest == "true"
}

// latestAffixes are the prefix and suffix of latest.
func (f Flavor) latestAffixes() (prefix, suffix string) {
	if f.PrefixLatest {
		prefix = f.Prefix
	}
	if f.SuffixLatest {
		suffix = f.Suffix
	}
	return prefix, suffix
}
