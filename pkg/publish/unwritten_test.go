package publish_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/taglast/taglast/internal/sandbox"
	"github.com/taglast/taglast/pkg/publish"
)

// TestWhatCannotBeWrittenIsToldAsWhatItIs has folders where the output directory's files shall be.
func TestWhatCannotBeWrittenIsToldAsWhatItIs(t *testing.T) {
	for _, c := range []struct {
		name, file string
		dry        bool
		exit       int
		outcome    publish.Outcome
	}{
		{"a dry run's trusted root", "trusted_root.json", true, 1, publish.Failed},
		{"a dry run's report", "report.json", true, 1, publish.Failed},
		{"a bundle, before any tag", "app.sigstore.json", false, 1, publish.Failed},
		{"a report, after every tag", "report.json", false, 3, publish.Partial},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t, twoByTwo, sandbox.Options{})
			o := s.options(nil)
			if err := os.MkdirAll(filepath.Join(o.OutputDir, c.file, "taken"), 0o755); err != nil {
				t.Fatal(err)
			}
			var r *publish.Report
			var err error
			if c.dry {
				r, err = publish.DryRun(t.Context(), s.dryRunOptions(nil), false)
			} else {
				r, err = publish.Publish(t.Context(), o)
			}
			if err == nil || publish.ExitCode(r, err) != c.exit || r.Outcome != c.outcome || r.Error == nil {
				t.Errorf("exit %d, %s, %+v: %v", publish.ExitCode(r, err), r.Outcome, r.Error, err)
			}
		})
	}
}

// TestALinkLeadsNothingOutOfTheOutputDirectory has a checkout that comes with an output directory of its own.
func TestALinkLeadsNothingOutOfTheOutputDirectory(t *testing.T) {
	s := newScene(t, twoByTwo, sandbox.Options{})
	o := s.dryRunOptions(nil)
	elsewhere := t.TempDir()
	if err := os.MkdirAll(o.OutputDir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(elsewhere, filepath.Join(o.OutputDir, "oci")); err != nil {
		t.Fatal(err)
	}
	r, err := publish.DryRun(t.Context(), o, false)
	if err == nil || publish.ExitCode(r, err) != 1 {
		t.Errorf("exit %d: %v", publish.ExitCode(r, err), err)
	}
	left, err := os.ReadDir(elsewhere)
	if err != nil || len(left) > 0 {
		t.Errorf("%d files were written elsewhere: %v", len(left), err)
	}
}
