package js_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/taglast/taglast/pkg/tagrule/internal/js"
)

// TestMoment holds formats to moment.js: testdata/moment.json has format, zone, milliseconds since 1970, and what
// moment-timezone 0.6 with moment 2.31 gives for them.
func TestMoment(t *testing.T) {
	b, err := os.ReadFile("testdata/moment.json")
	if err != nil {
		t.Fatal(err)
	}
	var rows [][4]any
	if err := json.Unmarshal(b, &rows); err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		format, name, milliseconds, want := row[0].(string), row[1].(string), row[2].(float64), row[3].(string)
		z, err := js.LoadZone(name)
		if err != nil {
			t.Errorf("zone %s: %v", name, err)
			continue
		}
		got, err := js.ParseDateFormat(format).Format(time.UnixMilli(int64(milliseconds)), z)
		if err != nil || got != want {
			t.Errorf("%q of %.0f in %s is %q, %v; want %q", format, milliseconds, name, got, err, want)
		}
	}
}

func TestZones(t *testing.T) {
	for name, ok := range map[string]bool{
		"Asia/Tokyo": true, "asia/tokyo": true, "ASIA/TOKYO": true, "utc": true, "america/argentina/buenos_aires": true,
		"Etc/GMT+5": true, "est5edt": true, "": false, "Local": false, "local": false, "../etc/passwd": false,
		"Asia/Tokio": false, "/etc/localtime": false,
	} {
		if _, err := js.LoadZone(name); (err == nil) != ok {
			t.Errorf("zone %q: error is %v, want ok=%t", name, err, ok)
		}
	}
}

func FuzzMoment(f *testing.F) {
	for _, format := range []string{"", "YYYYMMDD-HHmmss", "[a] b]", `\YYYY\[`, "LLLL llll", "w|W|", "gggg-[W]ww", "é😀\u2028"} {
		f.Add(format, int64(1578616200000))
	}
	f.Fuzz(func(t *testing.T, format string, milliseconds int64) {
		if len(format) > 4096 {
			return
		}
		l := js.ParseDateFormat(format)
		got, err := l.Format(time.UnixMilli(milliseconds), nil)
		if err != nil {
			return
		}
		if again, err := l.Format(time.UnixMilli(milliseconds), nil); err != nil || again != got {
			t.Errorf("%q gives %q, then %q, %v", format, got, again, err)
		}
		if len(got) > 64*len(format)+64 {
			t.Errorf("%q gives %d bytes", format, len(got))
		}
		text := "[" + strings.NewReplacer("[", "", "]", "").Replace(format) + "]"
		if got, err := js.ParseDateFormat(text).Format(time.UnixMilli(milliseconds), nil); err != nil || "["+got+"]" != text {
			t.Errorf("%q is not literal: %q, %v", text, got, err)
		}
	})
}
