package escape

import (
	"strings"
)

// markup replaces the characters that mean something to GitHub Flavored Markdown within a line, to HTML, or to GitHub's
// own additions (mentions, issue references, math), by character references, which Markdown reads as plain text.
var markup = strings.NewReplacer(
	"&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;",
	"|", "&#124;", "`", "&#96;", "*", "&#42;", "_", "&#95;", "[", "&#91;", "]", "&#93;", `\`, "&#92;",
	"~", "&#126;", "$", "&#36;", "@", "&#64;", "#", "&#35;", "!", "&#33;", "{", "&#123;", "}", "&#125;", "^", "&#94;",
	"://", "&#58;//", "www.", "www&#46;", "WWW.", "WWW&#46;",
)

// Markdown returns s as literal text for a table cell of a job summary or for an HTML element or quoted attribute in it.
// It is one line, opens no markup, ends no cell, makes no link. Inside a Markdown code span the references would be
// shown as written: use <code> instead.
func Markdown(s string) string {
	return markup.Replace(Text(s))
}
