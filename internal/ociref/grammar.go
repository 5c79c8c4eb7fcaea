package ociref

import "regexp"

// The grammars are those of the OCI distribution specification 1.1, "Pulling manifests".
var (
	tagGrammar  = regexp.MustCompile(`^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$`)
	pathGrammar = regexp.MustCompile(`^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$`)
)

// IsTag reports whether text is a tag: 1 to 128 letters, digits, underscores, dots and dashes, of which neither a dot nor
// a dash is the first.
func IsTag(text string) bool { return tagGrammar.MatchString(text) }

// IsPath reports whether text is the name of a repository within its registry, the specification's <name>: lower-case
// letters and digits, with single separators between them. How long it may be is for the registry to say.
func IsPath(text string) bool { return pathGrammar.MatchString(text) }
