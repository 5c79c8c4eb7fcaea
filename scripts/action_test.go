// Package scripts holds action.yml and the scripts to what they promise.
package scripts

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// An action is action.yml, as far as it is checked.
type action struct {
	Name, Description string
	Branding          struct{ Icon, Color string }
	Inputs            map[string]struct {
		Description string
		Required    bool
	}
	Outputs map[string]struct{ Description string }
	Runs    struct {
		Using string
		Steps []struct {
			Shell, Run string
			Env        map[string]string
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

// What is passed on is declared, values come by the environment alone, and the program takes the shell's place. That every
// input and output of the program is declared is held in internal/inputs and cmd/taglast/view.
func TestTheActionIsOneStepThatBecomesTheProgram(t *testing.T) {
	a := readAction(t)
	if len(a.Runs.Steps) != 1 || a.Runs.Using != "composite" {
		t.Fatalf("%+v", a.Runs)
	}
	step := a.Runs.Steps[0]
	for variable, value := range step.Env {
		name := strings.TrimSuffix(strings.TrimPrefix(value, "${{ inputs."), " }}")
		if _, declared := a.Inputs[name]; !declared || variable != "INPUT_"+strings.ToUpper(strings.ReplaceAll(name, "-", "_")) {
			t.Errorf("%s: %s is no input", variable, value)
		}
	}
	if step.Shell != "bash" || step.Run != `exec bash "$GITHUB_ACTION_PATH/scripts/action.sh"` {
		t.Errorf("the step runs %q with %s", step.Run, step.Shell)
	}
}

// GitHub's marketplace cuts a longer description.
func TestTheActionIsFitForTheMarketplace(t *testing.T) {
	a := readAction(t)
	if a.Name != "taglast" || a.Description == "" || len(a.Description) > 125 || a.Branding.Icon == "" || a.Branding.Color == "" {
		t.Errorf("%+v, description of %d characters", a.Branding, len(a.Description))
	}
	for name, input := range a.Inputs {
		if input.Required || input.Description == "" {
			t.Errorf("%s: required %v, description %q", name, input.Required, input.Description)
		}
	}
	for name, output := range a.Outputs {
		if output.Description == "" {
			t.Errorf("output %s has no description", name)
		}
	}
}
