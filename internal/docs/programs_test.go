package docs

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const libraryDoc = "docs/library.md"

// TestProgramsOfTheLibraryCompile takes the complete programs out of the document and checks their types as those of a
// stranger's: outside of this module's folders, where nothing internal may be imported.
func TestProgramsOfTheLibraryCompile(t *testing.T) {
	programs := map[string]string{} // by the package that a program shows
	for _, m := range block.FindAllStringSubmatch(documents(t)[libraryDoc], -1) {
		if m[1] != "go" || !strings.Contains("\n"+m[2], "\npackage main\n") {
			continue
		}
		for _, name := range []string{"publish", "verify"} {
			if strings.Contains(m[2], "github.com/taglast/taglast/pkg/"+name+`"`) {
				programs[name] = m[2]
			}
		}
	}
	for _, name := range []string{"publish", "verify"} {
		if programs[name] == "" {
			t.Errorf("%s has no program that uses pkg/%s", libraryDoc, name)
			continue
		}
		if out, err := vet(t, programs[name]); err != nil {
			t.Errorf("%s: the program of pkg/%s: %v\n%s", libraryDoc, name, err, out)
		}
	}
	for name, wrong := range map[string]string{
		"a wrong type":        strings.Replace(programs["verify"], `Repo: "acme/app"`, `Repo: 1`, 1),
		"an internal package": strings.Replace(programs["verify"], `taglast/pkg/verify"`, "taglast/pkg/verify\"\n\t_ \"github.com/taglast/taglast/internal/trust\"", 1),
	} {
		if _, err := vet(t, wrong); err == nil {
			t.Errorf("a program with %s is accepted", name)
		}
	}
}

// vet checks a program as `go vet` does, with the dependencies of this module.
func vet(t *testing.T, program string) (output string, err error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(file, []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", "vet", file)
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	return string(out), err
}
