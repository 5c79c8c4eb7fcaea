package inputs_test

import (
	"os"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/taglast/taglast/internal/actions"
	"github.com/taglast/taglast/internal/inputs"
)

// action.yml declares the inputs that the program knows, with their defaults, and hands each of them over.
func TestTheActionDeclaresWhatTheProgramKnows(t *testing.T) {
	raw, err := os.ReadFile("../../action.yml")
	if err != nil {
		t.Fatal(err)
	}
	var action struct {
		Inputs map[string]struct {
			Description string `yaml:"description"`
			Default     string `yaml:"default"`
		} `yaml:"inputs"`
		Runs struct {
			Steps []struct {
				Env map[string]string `yaml:"env"`
			} `yaml:"steps"`
		} `yaml:"runs"`
	}
	if err := yaml.Unmarshal(raw, &action); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{}
	for _, step := range action.Runs.Steps {
		for name, value := range step.Env {
			env[name] = value
		}
	}
	for _, want := range inputs.All() {
		got, ok := action.Inputs[want.Name]
		description := want.Description
		if want.Refused() {
			description = "Refused: " + description
		}
		switch variable := actions.InputVariable(want.Name); {
		case !ok:
			t.Errorf("%s is not declared", want.Name)
		case got.Default != want.Default:
			t.Errorf("%s: default %q, want %q", want.Name, got.Default, want.Default)
		case got.Description != description:
			t.Errorf("%s: description\n%s\nwant\n%s", want.Name, got.Description, description)
		case env[variable] != "${{ inputs."+want.Name+" }}":
			t.Errorf("%s is handed over as %q", variable, env[variable])
		}
		delete(action.Inputs, want.Name)
	}
	for name := range action.Inputs {
		t.Errorf("%s is declared, and the program does not know it", name)
	}
}
