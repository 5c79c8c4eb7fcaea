package jobsecret_test

import (
	"testing"

	"github.com/taglast/taglast/internal/jobsecret"
)

func TestIs(t *testing.T) {
	for name, want := range map[string]bool{
		"ACTIONS_ID_TOKEN_REQUEST_TOKEN": true, "actions_id_token_request_url": true, "ACTIONS_RUNTIME_TOKEN": true, "Taglast_Registry_Auth": true,
		"GITHUB_TOKEN": false, "": false, "ACTIONS_RUNTIME_TOKEN2": false,
	} {
		if jobsecret.Is(name) != want {
			t.Errorf("%q: %v", name, !want)
		}
	}
}
