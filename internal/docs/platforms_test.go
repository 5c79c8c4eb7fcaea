package docs

import (
	"strings"
	"testing"

	"github.com/taglast/taglast/pkg/release"
)

// TestPlatformsAreNormalisedAsDocumented reads every platform of the table, and compares it with what the table says.
func TestPlatformsAreNormalisedAsDocumented(t *testing.T) {
	const doc = "docs/release-file.md"
	_, table, ok := strings.Cut(documents(t)[doc], "\n### Platforms\n")
	if !ok {
		t.Fatalf("%s has no such heading", doc)
	}
	table, _, _ = strings.Cut(table, "\n#")
	checked := 0
	for line := range strings.SplitSeq(table, "\n") {
		cells := strings.Split(line, "|")
		if len(cells) != 4 {
			continue
		}
		written, is := span.FindAllStringSubmatch(cells[1], -1), span.FindAllStringSubmatch(cells[2], -1)
		for i, m := range written {
			want := is[min(i, len(is)-1)][1]
			checked++
			if p, err := release.ParsePlatform(m[1]); err != nil || p.String() != want {
				t.Errorf("%s is %s, %v; %s says %s", m[1], p, err, doc, want)
			}
		}
	}
	if checked < 15 {
		t.Errorf("only %d platforms were found", checked)
	}
}
