package js_test

import (
	"math"
	"testing"

	"github.com/taglast/taglast/pkg/tagrule/internal/js"
)

func TestNumbers(t *testing.T) {
	for s, want := range map[string]float64{
		"": 0, "\t7\n": 7, "1e3": 1000, "0x1F": 31, "0b11": 3, "0o17": 15, "-1": -1, "+1.5": 1.5, ".5": .5, "5.": 5, "Infinity": math.Inf(1),
		"-Infinity": math.Inf(-1), "1e400": math.Inf(1), "0x20000000000001": 9007199254740992, "007": 7, "\ufeff2\u00a0": 2,
	} {
		if got, ok := js.ParseNumber(s); !ok || got != want {
			t.Errorf("%q is %g, %t; want %g", s, got, ok, want)
		}
	}
	for _, s := range []string{"foo", "1_0", "infinity", "inf", "nan", "0x", "0x-1", "-0x1", "1e", ".", "0b2", "0x1p4", "1 2", "1,5", "٣"} {
		if got, ok := js.ParseNumber(s); ok {
			t.Errorf("%q is %g", s, got)
		}
	}
	for n, want := range map[float64]string{5000: "5000", 1e21: "1e+21", 123456789012345680000: "123456789012345680000", math.Inf(1): "Infinity"} {
		if got := js.FormatNumber(n); got != want {
			t.Errorf("%g is %s, want %s", n, got, want)
		}
	}
}

func TestArrayIndex(t *testing.T) {
	for s, want := range map[string]int{
		"0": 0, "12": 12, "01": -1, "": -1, "-1": -1, "+1": -1, "1.0": -1, "1e1": -1, "\t1": -1, "99999999999999999999": -1,
	} {
		if got := js.ArrayIndex(s); got != want {
			t.Errorf("%q is %d, want %d", s, got, want)
		}
	}
}

func TestTrim(t *testing.T) {
	if got := js.Trim("\ufeff\u2029\v x\u0085 \u200b y\u3000\u00a0"); got != "x\u0085 \u200b y" {
		t.Errorf("got %q", got)
	}
	if got := js.Trim("\u0085x\u200b"); got != "\u0085x\u200b" {
		t.Errorf("what is no blank in JavaScript was taken away: %q", got)
	}
}
