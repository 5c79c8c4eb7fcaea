package js

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/taglast/taglast/internal/escape"
)

var (
	groupStart = regexp.MustCompile(`^\(\?(:|=|!|<=|<!|<[^0-9])`)
	quantifier = regexp.MustCompile(`^\{[0-9]+(,[0-9]*)?\}`)
	// bracedEscape is an escape with braces of its own.
	bracedEscape = regexp.MustCompile(`^\\[upP]\{[^}]*\}`)
)

// escapes are the characters that may follow a backslash under flag u (ECMA-262 22.2.1: SyntaxCharacter, "/" and the
// letters and digits that mean something).
const escapes = `^$\.*+?()[]{}|/dDsSwWbBfnrtvcxukpP0123456789`

// checkSyntax refuses what regexp2 takes and JavaScript does not: groups of .NET and, under flag u, escapes that mean
// nothing and brackets that stand alone. regexp2 checks the rest.
func checkSyntax(pattern string, unicode bool) error {
	class := false
	for rest := pattern; rest != ""; {
		n := 1
		switch c := rest[0]; {
		case c == '\\' && len(rest) > 1:
			_, size := utf8.DecodeRuneInString(rest[1:])
			n = 1 + size
			if !unicode {
				break
			}
			if !strings.Contains(escapes, rest[1:n]) && (!class || rest[1] != '-') {
				return fmt.Errorf("`%s` means nothing under flag `u`", escape.Bounded(rest[:n], 16))
			}
			n = max(n, len(bracedEscape.FindString(rest)))
		case class:
			class = c != ']'
		case c == '[':
			class = true
		case strings.HasPrefix(rest, "(?"):
			if !groupStart.MatchString(rest) {
				return fmt.Errorf("JavaScript has no group `%s`", escape.Bounded(rest[:min(3, len(rest))], 16))
			}
		case unicode && strings.IndexByte("]{}", c) >= 0:
			q := quantifier.FindString(rest)
			if q == "" {
				return fmt.Errorf("`%c` stands alone under flag `u`", c)
			}
			n = len(q)
		}
		rest = rest[n:]
	}
	return nil
}
