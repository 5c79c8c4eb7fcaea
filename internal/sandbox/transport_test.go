package sandbox

import (
	"errors"
	"io"
	"net/http"
	"testing"
)

func TestAnswersHaveTheLengthThatIsAnnounced(t *testing.T) {
	for title, c := range map[string]struct {
		method, announced, body string
		length                  int64
		err                     error // of reading the body
	}{
		"an announced length":           {"GET", "4", "body", 4, nil},
		"nothing is announced":          {"GET", "", "body", -1, nil},
		"nothing is there":              {"GET", "", "", 0, nil},
		"a body that is cut":            {"GET", "5", "body", 5, io.ErrUnexpectedEOF},
		"a HEAD of an announced length": {"HEAD", "4", "", 4, nil},
		"a HEAD that says no length":    {"HEAD", "", "", -1, nil},
	} {
		t.Run(title, func(t *testing.T) {
			rt := InProcess(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if c.announced != "" {
					w.Header().Set("Content-Length", c.announced)
				}
				_, _ = io.WriteString(w, c.body)
			}))
			req, err := http.NewRequest(c.method, repoURL, nil)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := rt.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			if resp.ContentLength != c.length || string(body) != c.body || !errors.Is(err, c.err) {
				t.Errorf("length %d, body %q, %v", resp.ContentLength, body, err)
			}
		})
	}
}
