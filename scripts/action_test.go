// Package scripts holds action.yml and the scripts to what they promise.
package scripts

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// An action is action.yml, as far as it is checked.
type action struct {
	Name, Description, Author string
	Branding                  struct{ Icon, Color string }
	Inputs                    map[string]struct {
		Description, Default string
		Required             bool
	}
	Outputs map[string]struct{ Description, Value string }
	Runs    struct {
		Using string
		Steps []struct {
			ID, Shell, Run, Uses string
			Env                  map[string]string
		}
	}
}

func readAction(t *testing.T) action {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "action.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var a action
	if err := yaml.Unmarshal(raw, &a); err != nil {
		t.Fatal(err)
	}
	return a
}

// An input that is declared and not passed on would be ignored without a word; values come by the environment alone.
func TestEveryInputReachesTheProgramByTheEnvironment(t *testing.T) {
	a := readAction(t)
	if len(a.Runs.Steps) != 1 || a.Runs.Using != "composite" {
		t.Fatalf("%+v", a.Runs)
	}
	step, want := a.Runs.Steps[0], map[string]string{}
	for name := range a.Inputs {
		want["INPUT_"+strings.ToUpper(strings.ReplaceAll(name, "-", "_"))] = "${{ inputs." + name + " }}"
	}
	if !maps.Equal(step.Env, want) {
		for _, name := range slices.Sorted(maps.Keys(want)) {
			if step.Env[name] != want[name] {
				t.Errorf("%s is %q, want %q", name, step.Env[name], want[name])
			}
		}
		for name := range step.Env {
			if want[name] == "" {
				t.Errorf("%s is no input", name)
			}
		}
	}
	if step.Shell != "bash" || step.Run != `exec bash "$GITHUB_ACTION_PATH/scripts/action.sh"` {
		t.Errorf("the step runs %q with %s", step.Run, step.Shell)
	}
	for name, output := range a.Outputs {
		if output.Value != "${{ steps."+step.ID+".outputs."+name+" }}" || output.Description == "" {
			t.Errorf("output %s: %+v", name, output)
		}
	}
}

func TestTheInputsAndOutputsArePromised(t *testing.T) {
	a := readAction(t)
	outputs := "attestation-id attestation-url bundle-path digest digests dry-run imageid json metadata report tags version"
	if got := strings.Join(slices.Sorted(maps.Keys(a.Outputs)), " "); got != outputs {
		t.Errorf("outputs: %s", got)
	}
	defaults := map[string]string{"dry-run": "auto", "github-token": "${{ github.token }}", "show-summary": "true"}
	refused := 0
	for name, input := range a.Inputs {
		if input.Required || input.Default != defaults[name] {
			t.Errorf("%s: default %q, required %v", name, input.Default, input.Required)
		}
		if strings.HasPrefix(input.Description, "Refused: ") {
			refused++
		}
		if input.Description == "" || len(input.Description) > 250 {
			t.Errorf("%s: description %q", name, input.Description)
		}
	}
	if refused < 25 {
		t.Errorf("only %d inputs are refused", refused)
	}
	// GitHub's marketplace cuts a longer description.
	if len(a.Description) == 0 || len(a.Description) > 125 || a.Branding.Icon == "" || a.Branding.Color == "" || a.Name != "taglast" {
		t.Errorf("for the marketplace: %+v, description of %d characters", a.Branding, len(a.Description))
	}
}
