package retry

import (
	"net/http"
	"strings"
	"time"
)

// maxAfter is the longest wait that a server can ask for; a longer one is cut to it.
const maxAfter = time.Hour

// parseRetryAfter reads the value of a Retry-After header: seconds or an HTTP date (RFC 9110, section 10.2.3), or a Go
// duration, which GHCR was seen to send ("12.5ms"). A time in the past is 0, more than an hour is an hour. It is false
// where the value is none of the three.
func parseRetryAfter(value string, now time.Time) (time.Duration, bool) {
	value = strings.TrimSpace(value)
	if value == "" || len(value) > 64 {
		return 0, false
	}
	if d, err := time.ParseDuration(value); err == nil && !isNumber(value) {
		return clamp(d), true
	}
	if isNumber(value) {
		d, err := time.ParseDuration(value + "s")
		if err != nil { // more than a Duration holds
			d = maxAfter
			if value[0] == '-' {
				d = 0
			}
		}
		return clamp(d), true
	}
	if date, err := http.ParseTime(value); err == nil {
		return clamp(date.Sub(now)), true
	}
	return 0, false
}

// isNumber reports whether s is a decimal number, perhaps with a sign and a fraction.
func isNumber(s string) bool {
	if s[0] == '-' || s[0] == '+' {
		s = s[1:]
	}
	whole, fraction, dot := strings.Cut(s, ".")
	return isDigits(whole) && (!dot || isDigits(fraction))
}

func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

func clamp(d time.Duration) time.Duration {
	return min(max(d, 0), maxAfter)
}
