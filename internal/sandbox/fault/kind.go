package fault

import (
	"net/http"
	"strings"
)

// Kind is a way in which a request goes wrong.
type Kind int

// The kinds. Reset, Unauthorized, Forbidden, TooMany and ServerError keep the request from the server; with the others
// the server acts.
const (
	ServerError  Kind = iota + 1 // 500, now and for every later request of the same method, host and path
	Reset                        // the connection breaks before the server reads
	Truncated                    // the answer's body breaks off
	Garbage                      // the answer's body is no JSON
	Unauthorized                 // 401 once
	Forbidden                    // 403 with Retry-After once, as GitHub's secondary limits answer
	TooMany                      // 429 with Retry-After once
	LostAnswer                   // the server acts, the client gets an error
	StaleReads                   // the server acts and says so, but reads show the old state for five seconds
)

// Kinds lists every kind.
func Kinds() []Kind {
	return []Kind{ServerError, Reset, Truncated, Garbage, Unauthorized, Forbidden, TooMany, LostAnswer, StaleReads}
}

// String is the kind in words.
func (k Kind) String() string {
	names := [...]string{
		"no fault", "500 for good", "reset", "truncated body", "garbage JSON", "401", "403 with Retry-After",
		"429 with Retry-After", "lost answer", "stale reads",
	}
	if k < 0 || int(k) >= len(names) {
		return "unknown fault"
	}
	return names[k]
}

// Applies says whether a fault of this kind can show at that request. A HEAD's answer has no body to break; only a write
// that makes something readable can be followed by stale reads.
func (k Kind) Applies(key Key) bool {
	switch k {
	case Truncated, Garbage:
		return key.Method != http.MethodHead
	case StaleReads:
		return makesReadable(key)
	default:
		return true
	}
}

// makesReadable says whether a write makes something that reads can miss: a manifest, a blob, a stored attestation.
func makesReadable(key Key) bool {
	path, query, _ := strings.Cut(key.Path, "?")
	switch key.Method {
	case http.MethodPut:
		return strings.Contains(path, "/manifests/") || strings.Contains(path, "/blobs/uploads/")
	case http.MethodPost:
		return strings.HasSuffix(path, "/attestations") || strings.HasSuffix(path, "/log/entries") ||
			strings.Contains(path, "/blobs/uploads/") && (strings.Contains(query, "mount=") || strings.Contains(query, "digest="))
	default:
		return false
	}
}
