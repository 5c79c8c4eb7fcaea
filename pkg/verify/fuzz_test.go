package verify

import (
	"bytes"
	"testing"
)

func FuzzBundleFile(f *testing.F) {
	f.Add([]byte("{}\n\n{}"), true)
	f.Add([]byte("{}"), false)
	f.Add([]byte("\n"), true)
	f.Fuzz(func(t *testing.T, raw []byte, lines bool) {
		found, err := splitBundles(raw, lines)
		if err == nil && len(found) == 0 || err != nil && found != nil {
			t.Errorf("%d bundles beside the error %v", len(found), err)
		}
		for _, c := range found {
			if !bytes.Contains(raw, c.bundle.Raw()) {
				t.Error("a bundle that is not in the file")
			}
			if _, err := c.bundle.Verifiable(); err != nil {
				t.Error(err)
			}
		}
	})
}
