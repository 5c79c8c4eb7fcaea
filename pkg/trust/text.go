package trust

import "github.com/taglast/taglast/internal/escape"

// escapeText makes foreign text fit for an error.
func escapeText(s string) string { return escape.Text(s) }
