package tagrule

import (
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // runners for Windows and bare containers have no zones of their own

	"github.com/taglast/taglast/internal/escape"
)

// zone is where a date is told; its zero value is UTC.
type zone struct{ *time.Location }

// loadZone finds a zone of the IANA database. As in moment-timezone the case of its letters does not matter.
func loadZone(name string) (zone, error) {
	for _, spelling := range []string{name, strings.ToUpper(name), titled(name)} {
		if spelling == "" || strings.EqualFold(spelling, "local") || len(spelling) > 64 {
			continue
		}
		if l, err := time.LoadLocation(spelling); err == nil {
			return zone{l}, nil
		}
	}
	return zone{}, fmt.Errorf("unknown time zone tz='%s'; it is a name such as Asia/Tokyo", escape.Bounded(name, 80))
}

// titled writes america/new_york as America/New_York.
func titled(name string) string {
	up := true
	return strings.Map(func(c rune) rune {
		switch {
		case c < 'A' || c > 'z' || c == '_':
			up = true
			return c
		case up:
			up = false
			return c &^ 0x20
		}
		return c | 0x20
	}, name)
}

func (z zone) location() *time.Location {
	if z.Location == nil {
		return time.UTC
	}
	return z.Location
}
