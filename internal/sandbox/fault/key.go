package fault

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Key names a request: what it asks, with digests and ids blanked, and which of its kind it is.
type Key struct {
	Method string
	Host   string
	Path   string // with the query's stable part
	N      int    // 1 is the first
}

// String is "PUT ghcr.io/v2/acme/app/manifests/{digest} #2".
func (k Key) String() string { return fmt.Sprintf("%s %s%s #%d", k.Method, k.Host, k.Path, k.N) }

// kind is the key without its number.
func (k Key) kind() Key {
	k.N = 0
	return k
}

// keyOf names a request, all but its number.
func keyOf(req *http.Request) Key {
	host := req.URL.Host
	if host == "" {
		host = req.Host
	}
	path := blank(req.URL.Path)
	if query := blankQuery(req.URL.Query()); query != "" {
		path += "?" + query
	}
	return Key{Method: req.Method, Host: host, Path: path}
}

var (
	digestText = regexp.MustCompile(`sha256:[0-9a-f]{64}`)
	digestTag  = regexp.MustCompile(`sha256-[0-9a-f]{64}`)
	// A segment that is an id: a number, a UUID with or without dashes, a date's part, a log entry's 80 hex digits.
	idSegment = regexp.MustCompile(`^([0-9]+|[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{32,})$`)
	idFile    = regexp.MustCompile(`^[0-9]+(\.json\.sn)$`)
)

func blank(path string) string {
	path = digestText.ReplaceAllString(path, "{digest}")
	path = digestTag.ReplaceAllString(path, "sha256-{digest}")
	segments := strings.Split(path, "/")
	for i, s := range segments {
		isTag := i > 0 && segments[i-1] == "manifests"
		if !isTag && idSegment.MatchString(s) {
			segments[i] = "{id}"
		}
		segments[i] = idFile.ReplaceAllString(segments[i], "{id}$1")
	}
	return strings.Join(segments, "/")
}

// blankQuery keeps the query's names in order, and the values that do not change from run to run.
func blankQuery(query url.Values) string {
	var out []string
	for name, values := range query {
		for _, v := range values {
			switch name {
			case "se", "sig", "after", "before", "last", "state", "_state", "upload_id":
				v = "{id}"
			default:
				v = digestText.ReplaceAllString(v, "{digest}")
			}
			out = append(out, name+"="+v)
		}
	}
	slices.Sort(out)
	return strings.Join(out, "&")
}
