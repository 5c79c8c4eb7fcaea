package fault

import (
	"net/http"
	"sync"
)

// Killer calls a function once, after the server has acted on the n-th write (any method but GET and HEAD) and before
// the client can see its answer.
type Killer struct {
	After int    // 0 only counts
	Kill  func() // called in the handler's goroutine: it may signal a process and wait for its end

	mu     sync.Mutex
	writes int
}

// Writes are those that were acted on so far.
func (k *Killer) Writes() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.writes
}

func (k *Killer) wrote(method string) {
	if method == http.MethodGet || method == http.MethodHead {
		return
	}
	k.mu.Lock()
	k.writes++
	now := k.After > 0 && k.writes == k.After
	k.mu.Unlock()
	if now {
		k.Kill()
	}
}

// Handler is the killer around a server. Answers to writes are held back until Kill has returned.
func (k *Killer) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			next.ServeHTTP(w, r)
			return
		}
		held := &heldAnswer{to: w}
		next.ServeHTTP(held, r)
		k.wrote(r.Method)
		held.release()
	})
}

// heldAnswer keeps an answer until it may go; answers to writes are short.
type heldAnswer struct {
	to     http.ResponseWriter
	status int
	body   []byte
}

func (h *heldAnswer) Header() http.Header { return h.to.Header() }

func (h *heldAnswer) WriteHeader(status int) {
	if h.status == 0 {
		h.status = status
	}
}

func (h *heldAnswer) Write(p []byte) (int, error) {
	h.WriteHeader(http.StatusOK)
	h.body = append(h.body, p...)
	return len(p), nil
}

func (h *heldAnswer) release() {
	if h.status != 0 {
		h.to.WriteHeader(h.status)
	}
	_, _ = h.to.Write(h.body) // the client may be dead: that is the purpose
}
