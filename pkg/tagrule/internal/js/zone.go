package js

import (
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // runners for Windows and bare containers have no zones of their own

	"github.com/taglast/taglast/internal/escape"
)

// LoadZone finds a time zone of the IANA database by its name. As in moment-timezone the case of its letters does not
// matter. An unknown name is an error; so are the empty one and "Local".
func LoadZone(name string) (*time.Location, error) {
	for _, spelling := range []string{name, strings.ToUpper(name), titleCase(name)} {
		if spelling == "" || strings.EqualFold(spelling, "local") || len(spelling) > 64 {
			continue
		}
		if l, err := time.LoadLocation(spelling); err == nil {
			return l, nil
		}
	}
	return nil, fmt.Errorf("unknown time zone tz='%s'; it is a name such as Asia/Tokyo", escape.Bounded(name, 80))
}

// titleCase writes america/new_york as America/New_York.
func titleCase(name string) string {
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
