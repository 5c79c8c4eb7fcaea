package tagrule

import (
	"strings"

	"github.com/taglast/taglast/pkg/tagrule/internal/js"
)

// Lines splits multi-line values into lines. It drops the blanks around each, empty lines, and lines that begin with #.
func Lines(values []string) []string {
	var out []string
	for _, value := range values {
		for line := range strings.SplitSeq(value, "\n") {
			if line = js.Trim(line); line != "" && line[0] != '#' {
				out = append(out, line)
			}
		}
	}
	return out
}
