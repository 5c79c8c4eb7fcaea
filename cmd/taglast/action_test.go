package main

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/taglast/taglast/internal/actions"
	"github.com/taglast/taglast/internal/inputs"
)

// What is secret among the inputs is hidden before the first other line, in a run that fails at once too.
func TestTheActionHidesSecretsFirst(t *testing.T) {
	for name, c := range map[string]map[string]string{
		"a wrong input":             {"jobs": "x"},
		"secrets that are not read": {"secrets": "\"a=hunter3\nb=hunter4"},
	} {
		env := map[string]string{"GITHUB_ACTIONS": "true", "HOME": t.TempDir(), "DOCKER_CONFIG": t.TempDir()}
		for input, value := range map[string]string{
			"tags": "ghcr.io/acme/app:1", "github-token": "ghs_hunter1", "secrets": "a=hunter3\n\"b=hunter4\nhunter5\"",
			"registry-auth": "- {registry: ghcr.io, username: me, password: hunter2}",
		} {
			env[actions.InputVariable(input)] = value
		}
		for input, value := range c {
			env[actions.InputVariable(input)] = value
		}
		var stdout, stderr bytes.Buffer
		code := run(t.Context(), &globals{
			stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr, workdir: t.TempDir(),
			getenv:    func(key string) string { return env[key] },
			lookupEnv: func(key string) (string, bool) { v, ok := env[key]; return v, ok },
		}, []string{actionName})
		masks, rest, _ := strings.Cut(stderr.String(), "::error ")
		if code != 2 || rest == "" || strings.Contains(rest, "hunter") || strings.Contains(stdout.String(), "hunter") {
			t.Errorf("%s: exit %d\n%s%s", name, code, &stderr, &stdout)
		}
		for line := range strings.Lines(masks) {
			if !strings.HasPrefix(line, "::add-mask::") {
				t.Errorf("%s: before everything is hidden: %s", name, line)
			}
		}
		for _, secret := range []string{"ghs_hunter1", "hunter2", "hunter4"} {
			if !strings.Contains(masks, secret+"\n") {
				t.Errorf("%s: %s is not hidden:\n%s", name, secret, masks)
			}
		}
	}
}

// Every flag of publish is an input of the same name.
func TestEveryFlagOfPublishIsAnInput(t *testing.T) {
	taken := map[string]bool{}
	for _, i := range inputs.All() {
		taken[i.Name] = !i.Refused()
	}
	flags := regexp.MustCompile(`(?m)^ .*--([a-z-]+)`).FindAllStringSubmatch(publishCommand(&globals{}).Flags().FlagUsages(), -1)
	for _, flag := range flags {
		if !taken[flag[1]] {
			t.Errorf("--%s is no input", flag[1])
		}
	}
	if len(flags) < 20 {
		t.Errorf("only %d flags", len(flags))
	}
}
