package trust_test

import (
	"testing"

	"github.com/taglast/taglast/internal/trust"
)

func TestInstancesAskForTheirWitnesses(t *testing.T) {
	all := trust.Requirements{SCT: true, Log: true, IntegratedTime: true, Timestamp: true}
	withoutTSA := all
	withoutTSA.Timestamp = false
	for name, c := range map[string]struct {
		got, want trust.Requirements
	}{
		"public good":                 {trust.PublicGood(trust.Services{}, trust.Material{}).Requires, all},
		"given, with an authority":    {trust.Custom(trust.Services{TSA: "https://tsa.example"}, trust.Material{}).Requires, all},
		"given, without an authority": {trust.Custom(trust.Services{}, trust.Material{}).Requires, withoutTSA},
	} {
		if c.got != c.want || !c.got.NeedsTime() {
			t.Errorf("%s: %+v", name, c.got)
		}
	}
	if (trust.Requirements{SCT: true, Log: true}).NeedsTime() {
		t.Error("a log entry without its time is a witness of time")
	}
}
