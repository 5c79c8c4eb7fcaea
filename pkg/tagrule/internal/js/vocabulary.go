package js

import (
	"fmt"
	"slices"
	"strings"

	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/internal/nearest"
)

// Vocabulary lists the names that may stand in {{ }} of a template. With its zero value a template takes no expression.
type Vocabulary struct {
	Variables   []string // take no argument
	DateHelpers []string // take one format of moment.js, and tz='…' behind it
}

func (v Vocabulary) names() []string { return slices.Concat(v.Variables, v.DateHelpers) }

// expression checks a call against the vocabulary. attribute is whose text the template is, for errors.
func (v Vocabulary) expression(attribute string, c call) (*Expression, error) {
	x := &Expression{Name: c.name}
	switch {
	case slices.Contains(v.DateHelpers, c.name):
		return x, v.dateArguments(x, c)
	case !slices.Contains(v.Variables, c.name):
		return nil, v.unknown(attribute, c.name)
	case len(c.params) > 0 || len(c.hash) > 0:
		return nil, fmt.Errorf("`{{%s}}` takes no argument", c.name)
	}
	return x, nil
}

// dateArguments reads the format and the time zone of a date helper.
func (v Vocabulary) dateArguments(x *Expression, c call) (err error) {
	hint := fmt.Sprintf("write {{%s 'YYYYMMDD'}} or {{%s 'YYYYMMDD' tz='Asia/Tokyo'}}", c.name, c.name)
	for _, h := range c.hash {
		if h.key != "tz" || !h.value.quoted {
			return fmt.Errorf("`{{%s}}` has an argument `%s` that is not tz='…'; %s", c.name, escape.Bounded(h.key, 80), hint)
		}
		if x.Location, err = LoadZone(h.value.text); err != nil {
			return fmt.Errorf("`{{%s}}`: %w", c.name, err)
		}
	}
	if len(c.params) != 1 {
		return fmt.Errorf("`{{%s}}` needs one format; %s", c.name, hint)
	}
	format := c.params[0]
	switch {
	case format.quoted:
		x.Format = ParseDateFormat(format.text)
	case !format.undefined || slices.Contains(v.names(), format.text):
		return fmt.Errorf("`%s` is not a format; %s", escape.Bounded(format.text, 80), hint)
	}
	return nil
}

func (v Vocabulary) unknown(attribute, name string) error {
	names := v.names()
	takes := "takes no expression"
	if len(names) > 0 {
		takes = "takes {{" + strings.Join(names, "}}, {{") + "}}"
	}
	shown := escape.Bounded(name, 80)
	if near := nearest.Word(name, names); near != "" {
		return fmt.Errorf("unknown expression `{{%s}}`; did you mean `{{%s}}`?", shown, near)
	}
	return fmt.Errorf("unknown expression `{{%s}}`: `%s` %s", shown, attribute, takes)
}
