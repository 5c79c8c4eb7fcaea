package nearest_test

import (
	"testing"

	"github.com/taglast/taglast/internal/nearest"
)

func TestWord(t *testing.T) {
	known := []string{"repositories", "platforms", "tags", "flavor", "labels", "name"}
	for name, tc := range map[string]struct{ in, want string }{
		"a singular finds its plural":               {"repository", "repositories"},
		"a missing letter is found":                 {"tag", "tags"},
		"the British spelling is found":             {"flavour", "flavor"},
		"two swapped letters are one edit":          {"tgas", "tags"},
		"a known word is nearest to itself":         {"name", "name"},
		"a far word finds nothing":                  {"entrypoint", ""},
		"a short word does not find any short word": {"xx", ""},
		"an empty word finds nothing":               {"", ""},
		"a very long word finds nothing":            {string(make([]byte, 1<<20)), ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := nearest.Word(tc.in, known); got != tc.want {
				t.Errorf("nearest to %.20q is %q, want %q", tc.in, got, tc.want)
			}
		})
	}
}
