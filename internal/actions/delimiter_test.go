package actions

import (
	"bytes"
	"path/filepath"
	"testing"
)

func TestOutputRefusesAValueThatHoldsItsDelimiter(t *testing.T) {
	r := New(func(string) string { return "" }, &bytes.Buffer{})
	if err := r.output(filepath.Join(t.TempDir(), "output"), "a", "x\nDELIMITER\nb=c", "DELIMITER"); err == nil {
		t.Error("no error")
	}
}
