package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/taglast/taglast/internal/sandbox"
)

// TestErrorTexts has those that need hosts or bytes which a script cannot give: the error and hint as they are shown.
func TestErrorTexts(t *testing.T) {
	bearer := sandbox.RegistryOptions{Auth: sandbox.Auth{Scheme: "bearer", Password: "ghs_taglastdryrun"}, DenyPush: []string{"*"}}
	for name, c := range map[string]struct {
		world sandbox.Options
		args  []string
		exit  int
		want  string
	}{
		"GHCR refuses the push": {
			sandbox.Options{Registries: map[string]sandbox.RegistryOptions{"ghcr.io": bearer}},
			nil, 1,
			"error: no tag was changed. plan: ghcr.io/acme/app: this token may not push (403 denied)\n" +
				"       the registry says: permission_denied: write_package: acme/app\n" +
				"hint:  add `packages: write` to the job's permissions. If it is there, the package belongs to another repository:\n" +
				"       github.com/orgs/acme/packages/container/app/settings → Manage Actions access → add acme/app, role Write\n",
		},
		"a private repository and the public-good instance": {
			sandbox.Options{Identity: sandbox.Identity{RepositoryVisibility: "private"}},
			[]string{"--signing-config=", "--trusted-root="},
			1,
			"error: no tag was changed. plan: acme/app is not public for certain (token: \"private\", event: \"private\"): " +
				"the public-good Sigstore instance would publish its name, workflow and commit for ever\n" +
				"hint:  give the instance to sign with: --signing-config FILE --trusted-root FILE\n",
		},
		"an annotation that is no text": {
			sandbox.Options{},
			[]string{"--annotation", "org.opencontainers.image.title=\xff"},
			2,
			"error: nothing was sent. --annotation: the value is not valid UTF-8 once its placeholders are replaced\n",
		},
		"an annotation with a control character": {
			sandbox.Options{},
			[]string{"--annotation", "title=\x1b[31m"},
			2,
			"error: nothing was sent. --annotation: annotation `title` has a control character in its value\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			w, err := sandbox.New(c.world)
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			event, err := w.Event()
			if err != nil {
				t.Fatal(err)
			}
			for name, content := range map[string][]byte{"event.json": event, "config.json": w.SigningConfig(), "root.json": w.TrustedRoot()} {
				if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			source, err := filepath.Abs(quickstart)
			if err != nil {
				t.Fatal(err)
			}
			env := w.Env()
			env["GITHUB_ACTIONS"], env["DOCKER_CONFIG"], env["GITHUB_EVENT_PATH"] = "", dir, filepath.Join(dir, "event.json")
			var stderr bytes.Buffer
			code := run(t.Context(), &globals{
				stdin: strings.NewReader(""), stdout: &bytes.Buffer{}, stderr: &stderr, transport: w, workdir: dir,
				getenv:    func(key string) string { return env[key] },
				lookupEnv: func(key string) (string, bool) { v, ok := env[key]; return v, ok },
			}, append([]string{
				"publish", "--repository", "ghcr.io/acme/app", "--source", "oci=" + source, "--tag", "1.2.3", "--output-dir", dir,
				"--signing-config", filepath.Join(dir, "config.json"), "--trusted-root", filepath.Join(dir, "root.json"),
			}, c.args...))
			_, got, _ := strings.Cut("\n"+stderr.String(), "\nerror: ")
			if got = "error: " + got; code != c.exit || got != c.want {
				t.Errorf("exit %d, want %d; got\n%s\nwant\n%s", code, c.exit, got, c.want)
			}
			if state := w.State(); len(state.Manifests) > 0 {
				t.Errorf("manifests were sent: %v", state.Manifests)
			}
		})
	}
}
