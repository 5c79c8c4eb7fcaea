package actions

import (
	"bytes"
	"path/filepath"
	"testing"
)

func TestOutputRefusesAValueThatHoldsItsDelimiter(t *testing.T) {
	file := filepath.Join(t.TempDir(), "output")
	r := New(func(string) string { return file }, &bytes.Buffer{})
	if err := r.output("a", "x\nDELIMITER\nb=c", "DELIMITER"); err == nil {
		t.Error("no error")
	}
}
