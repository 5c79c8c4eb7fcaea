package docs

import (
	"slices"
	"strings"
	"testing"
)

const threatDoc = "docs/threat-model.md"

// threatRow is one row of the table of threats.
type threatRow struct {
	text            string
	packages, tests []string
}

func threatRows(text string) []threatRow {
	var rows []threatRow
	for line := range strings.SplitSeq(text, "\n") {
		cells := strings.Split(line, "|")
		if len(cells) != 6 || strings.HasPrefix(line, "|---") || strings.HasPrefix(line, "| threat") {
			continue
		}
		row := threatRow{text: strings.TrimSpace(cells[1]), tests: testName.FindAllString(cells[4], -1)}
		for _, m := range span.FindAllStringSubmatch(cells[3], -1) {
			row.packages = append(row.packages, m[1])
		}
		rows = append(rows, row)
	}
	return rows
}

// TestThreatsHaveTheirTestsInThePackagesThatTheyName: each test of a row is in a package of the row, and each package
// exists.
func TestThreatsHaveTheirTestsInThePackagesThatTheyName(t *testing.T) {
	rows := threatRows(documents(t)[threatDoc])
	if len(rows) < 30 {
		t.Fatalf("only %d threats were found", len(rows))
	}
	for _, row := range rows {
		if len(row.tests) == 0 || len(row.packages) == 0 {
			t.Errorf("%s: a control without a test or a package", row.text)
		}
		var have []string
		for _, dir := range row.packages {
			if len(goFiles(t, dir)) == 0 {
				t.Errorf("%s: there is no package %s", row.text, dir)
			}
			have = append(have, testsIn(t, dir)...)
		}
		for _, name := range row.tests {
			if !slices.Contains(have, name) {
				t.Errorf("%s: %s is in none of %v", row.text, name, row.packages)
			}
		}
	}
}
