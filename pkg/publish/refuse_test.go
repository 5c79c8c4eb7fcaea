package publish_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/taglast/taglast/internal/sandbox"
	"github.com/taglast/taglast/pkg/publish"
)

// payload writes the event of a scene.
func (s *scene) payload(tb testing.TB, v any) {
	tb.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(s.event, raw, 0o600); err != nil {
		tb.Fatal(err)
	}
}

type object = map[string]any

// repository is the event's word on the repository.
func repository(visibility, ownerType string) object {
	return object{"full_name": "acme/app", "visibility": visibility, "owner": object{"login": "acme", "type": ownerType}}
}

// publicGood leaves out the instance that a test signs with: refusals must come before anything of TUF is asked.
func publicGood(o *publish.Options) { o.SigningConfig, o.TrustedRoot = nil, nil }

func setenv(key, value string) func(*publish.Options) {
	return func(o *publish.Options) {
		under := o.Getenv
		o.Getenv = func(k string) string {
			if k == key {
				return value
			}
			return under(k)
		}
	}
}

// TestARunThatMayNotPublishSendsNothing has everything that the plan must find.
func TestARunThatMayNotPublishSendsNothing(t *testing.T) {
	fork := object{"head": object{"repo": object{"full_name": "mallory/app"}}}
	for _, c := range []struct {
		name    string
		world   sandbox.Options
		payload object // nil: the world's own event
		change  func(*publish.Options)
		want    string
		hint    string
		exit    int // zero is 1
	}{
		{
			"a private repository and the public-good instance",
			sandbox.Options{Identity: sandbox.Identity{RepositoryVisibility: "private"}},
			nil, publicGood,
			`acme/app is not public for certain (token: "private", event: "private")`, "--signing-config FILE --trusted-root FILE", 0,
		},
		{
			"an internal repository",
			sandbox.Options{Identity: sandbox.Identity{RepositoryVisibility: "internal"}},
			nil, publicGood,
			`not public for certain (token: "internal"`, "--signing-config", 0,
		},
		{
			"a token that says public, and an event that says private",
			sandbox.Options{},
			object{"repository": repository("private", "Organization")},
			publicGood,
			`(token: "public", event: "private")`, "--signing-config", 0,
		},
		{
			"a token that says public, and an event that says nothing",
			sandbox.Options{},
			object{},
			publicGood,
			`(token: "public", event: "")`, "--signing-config", 0,
		},
		{
			"a token that says private, and an event that says public",
			sandbox.Options{Identity: sandbox.Identity{RepositoryVisibility: "private"}},
			object{"repository": repository("public", "Organization")},
			publicGood,
			`(token: "private", event: "public")`, "--signing-config", 0,
		},
		{
			"no event payload",
			sandbox.Options{},
			nil, func(o *publish.Options) { publicGood(o); setenv("GITHUB_EVENT_PATH", "")(o) },
			`(token: "public", event: "")`, "--signing-config", 0,
		},
		{
			"a private repository of a user, with an instance of one's own too",
			sandbox.Options{Identity: sandbox.Identity{RepositoryVisibility: "private", OwnerType: "User"}},
			nil, nil,
			"private repository of a user account: GitHub keeps no attestations for it", "make the repository public", 0,
		},
		{
			"pull_request_target",
			sandbox.Options{Identity: sandbox.Identity{EventName: "pull_request_target", Ref: "refs/heads/main"}},
			nil, nil,
			"`pull_request_target` runs with write permissions on a stranger's pull request", "--dry-run", 0,
		},
		{
			"a pull request of a fork",
			sandbox.Options{Identity: sandbox.Identity{EventName: "pull_request", Ref: "refs/pull/1/merge"}},
			object{"repository": repository("public", "Organization"), "pull_request": fork},
			nil,
			"comes from mallory/app, not from acme/app", "--dry-run", 0,
		},
		{
			"a pull request of a fork that is gone",
			sandbox.Options{Identity: sandbox.Identity{EventName: "pull_request", Ref: "refs/pull/1/merge"}},
			object{"repository": repository("public", "Organization"), "pull_request": object{"head": object{"repo": nil}}},
			nil,
			"comes from a deleted fork", "--dry-run", 0,
		},
		{
			"a workflow_run of a fork",
			sandbox.Options{Identity: sandbox.Identity{EventName: "workflow_run", Ref: "refs/heads/main"}},
			object{"repository": repository("public", "Organization"), "workflow_run": object{"head_repository": object{"full_name": "mallory/app"}}},
			nil,
			"comes from mallory/app", "--dry-run", 0,
		},
		{
			"a workflow_run of a fork that is gone",
			sandbox.Options{Identity: sandbox.Identity{EventName: "workflow_run", Ref: "refs/heads/main"}},
			object{"repository": repository("public", "Organization"), "workflow_run": object{"head_repository": nil}},
			nil,
			"comes from a deleted fork", "--dry-run", 0,
		},
		{
			"a pull request that the event does not tell of",
			sandbox.Options{Identity: sandbox.Identity{EventName: "pull_request", Ref: "refs/pull/1/merge"}},
			object{"repository": repository("public", "Organization")},
			nil,
			"comes from a repository that the event payload does not name", "--dry-run", 0,
		},
		{
			"an environment of another commit",
			sandbox.Options{},
			nil, setenv("GITHUB_SHA", strings.Repeat("c", 40)),
			"ID token and environment disagree: GITHUB_SHA is cccc", "", 0,
		},
		{
			"an environment of another repository",
			sandbox.Options{},
			nil, setenv("GITHUB_REPOSITORY", "acme/other"),
			"GITHUB_REPOSITORY is acme/other, the token says acme/app", "", 0,
		},
		{
			"an environment of another event",
			sandbox.Options{},
			nil, setenv("GITHUB_EVENT_NAME", "schedule"),
			"GITHUB_EVENT_NAME is schedule, the token says push", "", 0,
		},
		{
			"no GITHUB_TOKEN",
			sandbox.Options{},
			nil, setenv("GITHUB_TOKEN", ""),
			"there is no GITHUB_TOKEN to store attestations with", "GITHUB_TOKEN: \"${{ github.token }}\"", 0,
		},
		{
			"no id-token: write",
			sandbox.Options{NoIDToken: true},
			nil, nil,
			"this job may not ask GitHub for an ID token", "id-token: write", 0,
		},
		{
			"no attestations: write",
			sandbox.Options{NoAttestations: true},
			nil, nil,
			"store github: ", "attestations: write", 0,
		},
		{
			"a registry that denies push",
			sandbox.Options{Registries: map[string]sandbox.RegistryOptions{
				"index.docker.io": {},
				"ghcr.io":         {Auth: sandbox.Auth{Scheme: "bearer", Password: "ghs_taglastdryrun"}, DenyPush: []string{"acme/app"}},
			}},
			nil, nil,
			"ghcr.io/acme/app: this token may not push", "packages: write", 0,
		},
		{
			"a login that a registry refuses, for reads as well",
			sandbox.Options{Registries: map[string]sandbox.RegistryOptions{
				"index.docker.io": {Auth: sandbox.Auth{Scheme: "basic", Password: "another"}}, "ghcr.io": {},
			}},
			nil, nil,
			"docker.io/acme/app: this token may not push", "docker login, or TAGLAST_REGISTRY_AUTH", 0,
		},
		{
			"a signing config that is none",
			sandbox.Options{},
			nil, func(o *publish.Options) { o.SigningConfig = []byte("{}") },
			"signing config", "", 2,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t, twoByTwo, c.world)
			if c.payload != nil {
				s.payload(t, c.payload)
			}
			o := s.options(nil)
			if c.change != nil {
				c.change(&o)
			}
			r, err := publish.Publish(t.Context(), o)
			if code := publish.ExitCode(r, err); code != max(c.exit, 1) {
				t.Fatalf("exit %d: %v", code, err)
			}
			if stage := r.Error.Stage; r.Outcome != publish.Failed || stage != "plan" && stage != "sign" || !strings.Contains(r.Error.Message, c.want) {
				t.Errorf("%s, %+v\nwant %s", r.Outcome, r.Error, c.want)
			}
			if (c.hint == "") != (r.Error.Hint == "") || !strings.Contains(r.Error.Hint, c.hint) {
				t.Errorf("hint %q, want %q", r.Error.Hint, c.hint)
			}
			requests := s.world.Requests()
			if got := withoutProbes(writes(requests)); len(got) > 0 {
				t.Errorf("sent %v", got)
			}
			if certificates, stored := posts(requests); certificates+stored > 0 || len(s.world.State().Manifests) > 0 {
				t.Errorf("%d certificates, %d stored, manifests %v", certificates, stored, s.world.State().Manifests)
			}
			for _, q := range requests {
				if strings.Contains(q.Host, "sigstore") {
					t.Errorf("asked %s%s", q.Host, q.Path)
				}
			}
		})
	}
}

// TestARunThatMayPublishIsNotRefused is the other half: what looks like the above and is fine.
func TestARunThatMayPublishIsNotRefused(t *testing.T) {
	for _, c := range []struct {
		name    string
		world   sandbox.Options
		payload object
		change  func(*publish.Options)
	}{
		{
			"a pull request of a branch",
			sandbox.Options{Identity: sandbox.Identity{EventName: "pull_request", Ref: "refs/pull/1/merge"}},
			object{"repository": repository("public", "Organization"), "pull_request": object{"head": object{"repo": object{"full_name": "Acme/App"}}}},
			nil,
		},
		{
			"a workflow_run of a branch",
			sandbox.Options{Identity: sandbox.Identity{EventName: "workflow_run", Ref: "refs/heads/main"}},
			object{"repository": repository("public", "Organization"), "workflow_run": object{"head_repository": object{"full_name": "acme/app"}}},
			nil,
		},
		{"a public repository of a user", sandbox.Options{Identity: sandbox.Identity{OwnerType: "User"}}, nil, nil},
		{"GH_TOKEN in GITHUB_TOKEN's place", sandbox.Options{}, nil, func(o *publish.Options) {
			token := o.Getenv("GITHUB_TOKEN")
			setenv("GITHUB_TOKEN", "")(o)
			setenv("GH_TOKEN", token)(o)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t, twoByTwo, c.world)
			if c.payload != nil {
				s.payload(t, c.payload)
			}
			must(t, s, c.change)
		})
	}
}
