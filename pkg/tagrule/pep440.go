package tagrule

import (
	"fmt"
	"strings"

	version "github.com/aquasecurity/go-pep440-version"

	"github.com/taglast/taglast/internal/escape"
)

type pythonVersion struct{ version.Version }

// parsePEP440 reads a version in any spelling that PEP 440 allows.
func parsePEP440(s string) (pythonVersion, bool) {
	v, err := version.Parse(s)
	return pythonVersion{v}, err == nil
}

// text is the version in PEP 440's normal form. The library leaves the local part's separators and leading zeros.
func (v pythonVersion) text() string {
	if v.Local() == "" {
		return v.String()
	}
	parts := strings.FieldsFunc(v.Local(), func(c rune) bool { return c == '-' || c == '_' || c == '.' })
	for i, p := range parts {
		if strings.Trim(p, "0123456789") == "" {
			parts[i] = strings.TrimLeft(p[:len(p)-1], "0") + p[len(p)-1:]
		}
	}
	return v.Public() + "+" + strings.Join(parts, ".")
}

// release are the numbers of the release segment.
func (v pythonVersion) release() []string {
	base := v.BaseVersion()
	return strings.Split(base[strings.IndexByte(base, '!')+1:], ".")
}

// special tells of a pre-, post- or development release.
func (v pythonVersion) special() bool { return v.IsPreRelease() || v.IsPostRelease() }

// pep440Value is type=pep440: the pattern over a version; of a pre-, post- or development release the version alone,
// whatever the pattern.
func pep440Value(r Rule, e Event) (made, string) {
	text, reason := r.source(e)
	if reason != "" {
		return made{}, reason
	}
	v, ok := parsePEP440(text)
	if !ok {
		return made{}, fmt.Sprintf("%s is not a PEP 440 version", escape.Bounded(text, 128))
	}
	if v.special() {
		return made{text: v.text()}, ""
	}
	numbers := append(v.release(), "0", "0") // a number that is not written is 0
	return made{
		text: r.pattern.render(map[string]string{
			"version": v.text(), "major": numbers[0], "minor": numbers[1], "patch": numbers[2],
		}),
		latest: true,
		alias:  r.pattern.alias(),
	}, ""
}
