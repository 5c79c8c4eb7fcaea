package actions

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode"

	"github.com/taglast/taglast/internal/bounded"
	"github.com/taglast/taglast/internal/escape"
)

const (
	maxArtifacts    = 1 << 20 // of one step's declarations; the runner fails the step of a longer file
	maxArtifactList = 4 << 20
)

// Artifacts are the artifacts that earlier steps of the job have declared (GITHUB_ARTIFACTS_LIST): digests by their
// names. They are nil where the runner has no list, or one that cannot be read.
func (r *Runner) Artifacts() map[string]string {
	path := r.getenv("GITHUB_ARTIFACTS_LIST")
	if path == "" {
		return nil
	}
	raw, err := bounded.ReadFile(path, maxArtifactList)
	if err != nil {
		return nil
	}
	var list struct {
		Subjects []struct{ Name, Digest string }
	}
	if json.Unmarshal(raw, &list) != nil {
		return nil
	}
	out := map[string]string{}
	for _, s := range list.Subjects {
		out[s.Name] = s.Digest
	}
	return out
}

// Declare declares artifacts of the job, one a line: oci://NAME@sha256:HEX. Without GITHUB_ARTIFACTS it does nothing. The
// runner fails the step of any line that it cannot read, and a line with an equals sign is such a one.
func (r *Runner) Declare(lines []string) error {
	if r.getenv("GITHUB_ARTIFACTS") == "" || len(lines) == 0 {
		return nil
	}
	for _, line := range lines {
		if strings.Contains(line, "=") || strings.ContainsFunc(line, unicode.IsControl) {
			return fmt.Errorf("artifact %s: not a line that the runner reads", escape.Bounded(line, 300))
		}
	}
	if err := r.appendFile("artifacts", strings.Join(lines, "\n"), maxArtifacts); err != nil {
		return fmt.Errorf("artifacts of the job: %w", err)
	}
	return nil
}
