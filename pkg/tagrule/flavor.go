package tagrule

import (
	"fmt"
	"strings"

	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/internal/nearest"
	"github.com/taglast/taglast/pkg/tagrule/internal/js"
)

// Flavor is what all rules of an image have in common. Its zero value is latest=auto without prefix and suffix. Prefix
// and Suffix are templates as in a rule; before latest they stand as they are, as in the original.
type Flavor struct {
	Latest       string // auto, true or false; empty is auto
	Prefix       string
	PrefixLatest bool // the prefix holds for latest too
	Suffix       string
	SuffixLatest bool // the suffix holds for latest too

	prefix, suffix js.Template // Prefix and Suffix, parsed by withTemplates
}

var flavorKeys = []string{"latest", "prefix", "suffix", "onlatest"}

// ParseFlavor reads flavor lines: CSV records of latest=auto|true|false, prefix=, suffix=, and onlatest=true|false, which
// is about the prefix or suffix before it on the same line. A later line overrides an earlier one.
func ParseFlavor(lines []string) (Flavor, error) {
	f := Flavor{Latest: "auto"}
	for _, line := range lines {
		if err := f.parseLine(line); err != nil {
			return Flavor{}, err
		}
	}
	return f.withTemplates()
}

// withTemplates is the flavor with the templates of its prefix and suffix parsed.
func (f Flavor) withTemplates() (_ Flavor, err error) {
	if f.prefix.Source() != f.Prefix {
		if f.prefix, err = js.ParseTemplate("prefix", f.Prefix, eventExpressions); err != nil {
			return Flavor{}, err
		}
	}
	if f.suffix.Source() != f.Suffix {
		if f.suffix, err = js.ParseTemplate("suffix", f.Suffix, eventExpressions); err != nil {
			return Flavor{}, err
		}
	}
	return f, nil
}

// parseLine reads one line over what earlier lines said.
func (f *Flavor) parseLine(line string) error {
	fields, err := parseRecord(line)
	if err != nil {
		return err
	}
	var onlatest *bool
	for _, field := range fields {
		key, value, found := strings.Cut(field, "=")
		key, value = strings.ToLower(js.Trim(key)), js.Trim(value)
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

// affixTemplates are the prefix and suffix of a rule: its own, even if empty, else the flavor's.
func (f Flavor) affixTemplates(r Rule) (prefix, suffix js.Template) {
	prefix, suffix = f.prefix, f.suffix
	if _, ok := r.attributes["prefix"]; ok {
		prefix = r.prefix
	}
	if _, ok := r.attributes["suffix"]; ok {
		suffix = r.suffix
	}
	return prefix, suffix
}

// hasLatest says whether the flavor gives a latest tag; auto is what the first rule that gave a tag says for latest=auto.
func (f Flavor) hasLatest(auto bool) bool {
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
