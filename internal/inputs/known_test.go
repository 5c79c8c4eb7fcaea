package inputs_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/taglast/taglast/internal/hint"
	"github.com/taglast/taglast/internal/inputs"
)

// of are the inputs of a list in testdata.
func of(t *testing.T, file string) []string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for line := range strings.Lines(string(raw)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			out = append(out, line)
		}
	}
	if len(out) < 10 {
		t.Fatalf("%s: only %d inputs", file, len(out))
	}
	return out
}

// Every input of the actions that this one takes the place of is taken or refused, and none is refused that none of them
// has.
func TestTheOtherActionsInputsAreKnown(t *testing.T) {
	known := map[string]inputs.Input{}
	for _, i := range inputs.All() {
		if _, twice := known[i.Name]; twice {
			t.Errorf("%s stands twice", i.Name)
		}
		if i.Description == "" {
			t.Errorf("%s has no description", i.Name)
		}
		known[i.Name] = i
	}
	theirs := map[string][]string{
		"docker/build-push-action": of(t, "build-push-action.txt"),
		"docker/metadata-action":   of(t, "metadata-action.txt"),
		"actions/attest":           of(t, "attest.txt"),
	}
	for action, names := range theirs {
		for _, name := range names {
			if _, ok := known[name]; !ok {
				t.Errorf("%s of %s is neither taken nor refused", name, action)
			}
		}
	}
	for name, i := range known {
		if i.Refused() && !slices.Contains(theirs[i.Of], name) {
			t.Errorf("%s is refused as an input of %s, which has none of that name", name, i.Of)
		}
	}
}

func TestARefusedInputSaysWhatToUseInstead(t *testing.T) {
	refused := 0
	for _, i := range inputs.All() {
		if !i.Refused() {
			continue
		}
		refused++
		_, err := inputs.Parse(get(map[string]string{"images": "ghcr.io/acme/app", i.Name: "x"}), inputs.Job{})
		if want := "input `" + i.Name + "` of " + i.Of + " is not taken here"; err == nil || err.Error() != want || hint.Of(err) != i.Description {
			t.Errorf("%s: %v, hint %s", i.Name, err, hint.Of(err))
		}
	}
	if refused < 20 {
		t.Errorf("only %d inputs are refused", refused)
	}
}

// get gives inputs of a map.
func get(values map[string]string) func(string) string {
	return func(name string) string { return values[name] }
}
