package release

import "strings"

// PathFor is the path of p's SBOM: Path with its placeholders replaced, {{platform}} (linux/arm/v7), {{os}}, {{arch}} and
// {{arch-variant}} (v7, and nothing for an architecture without a variant). Blanks within the braces do not matter.
func (s SBOM) PathFor(p Platform) string {
	values := map[string]string{"platform": p.String(), "os": p.OS, "arch": p.Architecture, "arch-variant": p.Variant}
	var out strings.Builder
	for rest := s.Path; ; {
		before, after, opened := strings.Cut(rest, "{{")
		name, tail, closed := strings.Cut(after, "}}")
		value, known := values[strings.TrimSpace(name)]
		out.WriteString(before)
		switch {
		case !opened:
			return out.String()
		case closed && known:
			out.WriteString(value)
			rest = tail
		default:
			out.WriteString("{{")
			rest = after
		}
	}
}
