package fault

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/taglast/taglast/internal/sandbox"
)

func TestKillerActsOnceAfterTheNthWriteAndBeforeItsAnswer(t *testing.T) {
	answered := false
	var s *sandbox.Server
	seen := 0
	killer := &Killer{After: 2, Kill: func() {
		seen++
		if answered {
			t.Error("the client had its answer before the kill")
		}
		if s.World.State().Tags[strings.TrimPrefix(s.URL, "http://")+"/acme/app"]["v2"] == "" {
			t.Error("the server had not acted")
		}
	}}
	s, err := sandbox.Listen(sandbox.Options{Law: func(sandbox.Tag) error { return nil }}, killer.Handler)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	for _, tag := range []string{"v1", "v2", "v3"} {
		req, _ := http.NewRequest(http.MethodPut, s.URL+"/v2/acme/app/manifests/"+tag, strings.NewReader(index))
		req.Header.Set("Content-Type", indexType)
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if resp.StatusCode != http.StatusCreated || resp.Header.Get("Docker-Content-Digest") == "" {
			t.Errorf("%s: status %d", tag, resp.StatusCode)
		}
		answered = tag == "v2"
		get, err := http.Get(s.URL + "/v2/acme/app/manifests/" + tag)
		if err != nil {
			t.Fatal(err)
		}
		get.Body.Close()
	}
	if seen != 1 || killer.Writes() != 3 {
		t.Errorf("killed %d times, %d writes", seen, killer.Writes())
	}
}
