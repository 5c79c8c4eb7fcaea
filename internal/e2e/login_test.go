//go:build e2e

package e2e

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// masks are the commands by which the runner learns what to hide.
var masks = regexp.MustCompile(`(?m)^::add-mask::.*$`)

// Logins are found where other tools keep them; each registry gets its own and no other's.
func TestLoginsAreFoundWhereOtherToolsKeepThem(t *testing.T) {
	s, j, dir := servers(t), release(), t.TempDir()
	path := "acme/" + secret("login-")
	passwords := map[string]string{}
	for _, kind := range []string{"given", "docker", "helper", "podman"} {
		passwords[kind] = secret("pw-")
		s.gateway.route(kind+".example.com", basic("robot", passwords[kind], forward(s.ports.olareg)))
	}
	auth := func(kind string) map[string]any {
		return map[string]any{"auth": base64.StdEncoding.EncodeToString([]byte("robot:" + passwords[kind]))}
	}
	file := func(name string, mode os.FileMode, content string) string {
		full := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(content), mode); err != nil {
			t.Fatal(err)
		}
		return full
	}
	document := func(v any) string {
		raw, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	docker := file("docker/config.json", 0o600, document(map[string]any{
		"auths":       map[string]any{"docker.example.com": auth("docker")},
		"credHelpers": map[string]any{"helper.example.com": "e2e"},
	}))
	podman := file("podman/auth.json", 0o600, document(map[string]any{"auths": map[string]any{"podman.example.com": auth("podman")}}))
	helper := file("bin/docker-credential-e2e", 0o755, "#!/bin/sh\ncat >/dev/null\n"+
		`printf '{"ServerURL":"helper.example.com","Username":"robot","Secret":"`+passwords["helper"]+`"}'`+"\n")

	var repositories []string
	for kind := range passwords {
		repositories = append(repositories, kind+".example.com/"+path)
	}
	newImage(t, 64).layout(t, filepath.Join(dir, "dist", "app"))
	config := releaseFile(t, dir, place{repositories: repositories})
	program, err := program()
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	mark := s.gateway.mark()
	out, err := run(ctx, dir, program, append(j.environ(t, s),
		"TAGLAST_REGISTRY_AUTH=- {registry: given.example.com, username: robot, password: "+passwords["given"]+"}",
		"DOCKER_CONFIG="+filepath.Dir(docker), "REGISTRY_AUTH_FILE="+podman,
		"PATH="+filepath.Dir(helper)+string(os.PathListSeparator)+os.Getenv("PATH"),
	), "publish", "-f", config, "--signing-config", s.signingConfig, "--trusted-root", s.trustedRoot)
	if err != nil || out.code != 0 {
		t.Fatalf("publish: %v %s", err, out)
	}
	for _, e := range s.gateway.since(mark) {
		raw, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(e.Authorization, "Basic "))
		for kind, password := range passwords {
			if strings.Contains(string(raw), password) && e.Host != kind+".example.com" {
				t.Errorf("the password of %s.example.com went to %s", kind, e.Host)
			}
		}
	}
	said := masks.ReplaceAllString(fmt.Sprint(out), "")
	for kind, password := range passwords {
		if strings.Contains(said, password) {
			t.Errorf("the password of %s.example.com is in the output", kind)
		}
	}
	if digest, _ := resolve(t, "127.0.0.1:"+s.ports.olareg+"/"+path+":1.2.3"); digest == "" {
		t.Error("nothing was published")
	}
}

// A plan reads, and says what a publication would do.
func TestAPlanOnlyReads(t *testing.T) {
	s, j, dir := servers(t), release(), t.TempDir()
	p := s.public("acme/" + secret("plan-"))
	newImage(t, 64).layout(t, filepath.Join(dir, "dist", "app"))
	program, err := program()
	if err != nil {
		t.Fatal(err)
	}
	mark := s.gateway.mark()
	out, err := run(t.Context(), dir, program, j.environ(t, s), "plan", "-f", releaseFile(t, dir, p), "--format", "json")
	if err != nil || out.code != 0 {
		t.Fatalf("plan: %v %s", err, out)
	}
	var r report
	if err := json.Unmarshal([]byte(out.stdout), &r); err != nil {
		t.Fatal(err)
	}
	if r.Outcome != "planned" || len(r.Images) != 1 || len(r.Images[0].Tags) != 6 {
		t.Errorf("plan: %+v", r)
	}
	for _, e := range s.gateway.since(mark) {
		if e.writes() || strings.Contains(e.Query, "push") {
			t.Errorf("a plan asked: %s?%s", e, e.Query)
		}
	}
}
