package policy_test

import (
	"bytes"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/taglast/taglast/internal/bundle"
	"github.com/taglast/taglast/internal/sandbox"
)

// FuzzCheck holds that whatever parses is judged without a panic, and that only the honest statement passes. It needs
// -fuzzminimizetime=10x: bundles are long and no two runs of a signature check cover the same code, so that Go's fuzzer
// would spend its time in making inputs shorter.
func FuzzCheck(f *testing.F) {
	s := newSigned(f, sandbox.Identity{})
	f.Add(encode(f, s.bundle))
	for _, tt := range attacks {
		b := proto.CloneOf(s.bundle)
		tt.change(b, proto.CloneOf(s.bundle), proto.CloneOf(s.bundle))
		f.Add(encode(f, b))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		b, err := bundle.Parse(raw)
		if err != nil {
			return
		}
		v, err := s.exact.Check(b)
		if err == nil && !bytes.Equal(v.Statement, s.exact.Statement) {
			t.Error("another statement passed")
		}
		if err != nil && !refusal(err) && err.Error() != "statement: not the one that this run signed" {
			t.Errorf("error %v", err)
		}
	})
}
