package registry

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/taglast/taglast/internal/hint"
	"github.com/taglast/taglast/internal/ociref"
)

// The headers with which Docker Hub tells its quota beside every HEAD and GET of a manifest; a HEAD does not count.
const (
	limitHeader     = "RateLimit-Limit"     // 100;w=21600
	remainingHeader = "RateLimit-Remaining" // 76;w=21600
)

// pullQuota is what a registry last said of its quota.
type pullQuota struct {
	remaining int
	window    time.Duration
}

// CountsPulls says whether the registry counts the GETs of manifests against a quota: Docker Hub, and whoever says so as
// it does. Then a HEAD is asked where a digest suffices.
func (c *Client) CountsPulls() bool {
	_, _, known := c.p.host.pullsRemaining()
	return known || ociref.IsHub(c.p.endpoint.host)
}

// PullsRemaining is how many manifests a host still gives within the window, as it last said to this run; known is false
// where it has not said so. The host is spelled as in references (docker.io is Docker Hub's too).
func (c *Clients) PullsRemaining(host string) (remaining int, window time.Duration, known bool) {
	c.p.mu.Lock()
	state := c.p.hosts[ociref.WireHost(host)]
	c.p.mu.Unlock()
	if state == nil {
		return 0, 0, false
	}
	return state.pullsRemaining()
}

func (h *hostState) pullsRemaining() (remaining int, window time.Duration, known bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.quota == nil {
		return 0, 0, false
	}
	return h.quota.remaining, h.quota.window, true
}

// recordQuota keeps what an answer says of the quota; what cannot be read says nothing.
func (h *hostState) recordQuota(answer http.Header) {
	remaining, window, ok := parseRateLimit(answer.Get(remainingHeader))
	if !ok {
		return
	}
	if window == 0 { // the other header may have it
		_, window, _ = parseRateLimit(answer.Get(limitHeader))
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.quota = &pullQuota{remaining, window}
}

// parseRateLimit reads `100;w=21600`: a number, and perhaps a window in seconds, of a year at most.
func parseRateLimit(value string) (n int, window time.Duration, ok bool) {
	if len(value) > 64 {
		return 0, 0, false
	}
	first, parameters, _ := strings.Cut(value, ";")
	n, err := strconv.Atoi(strings.TrimSpace(first))
	if err != nil || n < 0 || n > 1<<30 {
		return 0, 0, false
	}
	for p := range strings.SplitSeq(parameters, ";") {
		text, found := strings.CutPrefix(strings.TrimSpace(p), "w=")
		seconds, err := strconv.Atoi(text)
		if found && err == nil && seconds >= 0 && seconds <= 366*24*60*60 {
			window = time.Duration(seconds) * time.Second
		}
	}
	return n, window, true
}

// Need is what a release reads of the manifests at one host that counts pulls.
type Need struct {
	Sources int // manifests of sources and bases: each index and image manifest once in a run
	Roots   int // an image's index in a repository, read back once; none where the source is that very repository
	Looks   int // tags whose last look is a GET: one of each image in each repository that gets a tag
}

// Pulls is the number of GETs.
func (n Need) Pulls() int { return n.Sources + n.Roots + n.Looks }

// Quota compares what a host still gives (PullsRemaining) with what the release needs there. The error stops a run
// before anything is sent: it could not finish. The warning is for less than twice the need: a retry or another job
// would use it up. Both give the figures, and the error what to do. Nothing needed is always enough.
func Quota(host string, need Need, remaining int, window time.Duration) (warning string, err error) {
	n := need.Pulls()
	figures := fmt.Sprintf("%s gives %s more%s; this release reads %d", ociref.Host(host), plural(remaining, "manifest"), within(window), n)
	switch {
	case n == 0 || remaining >= 2*n:
		return "", nil
	case remaining >= n:
		return figures, nil
	}
	wait := "wait until the quota is full again"
	if window > 0 {
		wait = "wait " + inWords(window)
	}
	return "", hint.With(fmt.Errorf("pull quota: %s", figures),
		fmt.Sprintf("log in to %s (docker login, or TAGLAST_REGISTRY_AUTH) with an account that may pull more; or %s; or name another registry as the source", ociref.Host(host), wait))
}

func within(window time.Duration) string {
	if window <= 0 {
		return ""
	}
	return " within " + inWords(window)
}

// inWords is a window in words, rounded up.
func inWords(d time.Duration) string {
	if d <= time.Hour {
		return plural(int((d+time.Minute-1)/time.Minute), "minute")
	}
	return plural(int((d+time.Hour-1)/time.Hour), "hour")
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
