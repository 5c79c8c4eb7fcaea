// Package link reads the Link header, by which GitHub's API and registries name the next page of a list.
package link

import (
	"net/http"
	"net/url"
	"strings"
)

// Next returns the target of the first rel="next" link in the Link header (RFC 8288, section 3), resolved against base;
// nil where there is none. A target that is no URL counts as none. The caller checks whether it may be asked.
func Next(h http.Header, base *url.URL) *url.URL {
	for _, field := range h.Values("Link") {
		for field != "" {
			var target string
			var rels []string
			target, rels, field = cutLink(field)
			for _, rel := range rels {
				if strings.EqualFold(rel, "next") {
					u, err := base.Parse(target)
					if err != nil {
						return nil
					}
					return u
				}
			}
		}
	}
	return nil
}

// cutLink reads one link-value from the start of s: <target> *( ";" parameter ), up to the comma that ends it.
func cutLink(s string) (target string, rels []string, rest string) {
	s = strings.TrimLeft(s, " \t,")
	if !strings.HasPrefix(s, "<") {
		_, rest, _ = strings.Cut(s, ",")
		return "", nil, rest
	}
	target, s, ok := strings.Cut(s[1:], ">")
	if !ok {
		return "", nil, ""
	}
	for {
		s = strings.TrimLeft(s, " \t")
		if !strings.HasPrefix(s, ";") {
			_, rest, _ = strings.Cut(s, ",")
			return target, rels, rest
		}
		var name, value string
		name, value, s = cutParameter(s[1:])
		if strings.EqualFold(name, "rel") && rels == nil {
			rels = strings.Fields(value)
		}
	}
}

// cutParameter reads name[=value], where value is a token or a quoted string.
func cutParameter(s string) (name, value, rest string) {
	end := strings.IndexAny(s, "=;,")
	if end < 0 {
		return strings.TrimSpace(s), "", ""
	}
	name, rest = strings.TrimSpace(s[:end]), s[end:]
	if rest[0] != '=' {
		return name, "", rest
	}
	rest = strings.TrimLeft(rest[1:], " \t")
	if !strings.HasPrefix(rest, `"`) {
		end = strings.IndexAny(rest, ";,")
		if end < 0 {
			return name, strings.TrimSpace(rest), ""
		}
		return name, strings.TrimSpace(rest[:end]), rest[end:]
	}
	var b strings.Builder
	for i := 1; i < len(rest); i++ {
		switch rest[i] {
		case '"':
			return name, b.String(), rest[i+1:]
		case '\\':
			if i++; i < len(rest) {
				b.WriteByte(rest[i])
			}
		default:
			b.WriteByte(rest[i])
		}
	}
	return name, b.String(), ""
}
