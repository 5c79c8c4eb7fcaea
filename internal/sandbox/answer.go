package sandbox

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/taglast/taglast/internal/bounded"
)

// maxBody bounds every request body that is read whole.
const maxBody = 32 << 20

// writeJSON answers with one JSON document.
func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		http.Error(w, "encode the answer: "+err.Error(), http.StatusInternalServerError)
		return
	}
	writeBytes(w, status, "application/json; charset=utf-8", body)
}

// writeBytes answers with a body of a known length; the length is told to HEAD requests too.
func writeBytes(w http.ResponseWriter, status int, mediaType string, body []byte) {
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Content-Length", fmt.Sprint(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) //nolint:gosec // no browser reads this; an error means that the client is gone
}

// readBody reads a request's body whole, bounded by limit.
func readBody(r *http.Request, limit int64) ([]byte, error) {
	body, err := bounded.Read(r.Body, limit)
	if err != nil {
		return nil, fmt.Errorf("read the request: %w", err)
	}
	return body, nil
}

// allow answers 405 unless the method is one of those.
func allow(w http.ResponseWriter, r *http.Request, methods ...string) bool {
	for _, m := range methods {
		if r.Method == m {
			return true
		}
		w.Header().Add("Allow", m)
	}
	writeJSON(w, http.StatusMethodNotAllowed, message{Message: r.Method + " is not supported here"})
	return false
}

// message is the error body of Fulcio, Rekor, the timestamp authority and GitHub's API alike.
type message struct {
	Code    int    `json:"code,omitempty"`
	Message string `json:"message"`
	Docs    string `json:"documentation_url,omitempty"`
}
