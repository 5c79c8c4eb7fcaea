//go:build e2e

package e2e

import "testing"

func TestEveryServerAnswers(t *testing.T) {
	s := servers(t)
	for _, url := range []string{
		"http://127.0.0.1:" + s.ports.fulcio + "/api/v2/trustBundle",
		"http://127.0.0.1:" + s.ports.rekor + "/api/v1/log",
	} {
		if _, err := fetch(url); err != nil {
			t.Error(err)
		}
	}
}
