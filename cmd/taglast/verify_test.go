package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/taglast/taglast/internal/provenance"
	"github.com/taglast/taglast/internal/sandbox"
	"github.com/taglast/taglast/internal/testkit/golden"
	"github.com/taglast/taglast/internal/testkit/verifytest"
)

// consumer is a terminal in a folder with a trusted root, before a world in which acme/app:1.2.3 is attested twice: by its
// own workflow, and with a type that is not asked for; acme/app:bare is not attested.
type consumer struct {
	world *verifytest.World
	dir   string
	env   map[string]string
	sent  []*http.Request
}

func newConsumer(t *testing.T) *consumer {
	t.Helper()
	c := &consumer{world: verifytest.New(t, sandbox.Options{}), dir: t.TempDir()}
	c.env = map[string]string{"GITHUB_TOKEN": c.world.Env()["GITHUB_TOKEN"], "DOCKER_CONFIG": c.dir}
	digest, raw := c.world.Image(t, "1.2.3")
	c.world.Image(t, "bare")
	good := c.world.Sign(t, provenance.PredicateType, digest)
	c.world.Store(t, good)
	c.world.Store(t, c.world.Sign(t, "https://spdx.dev/Document/v2.3", digest))
	c.write(t, "root.jsonl", c.world.TrustedRoot())
	c.write(t, "index", raw)
	c.write(t, "good.sigstore.json", good)
	c.write(t, "two.jsonl", append(append(c.world.Sign(t, provenance.PredicateType, verifytest.Digest(nil)), '\n'), good...))
	c.write(t, "none.json", []byte("{}"))
	return c
}

func (c *consumer) write(t *testing.T, name string, content []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(c.dir, name), content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func (c *consumer) RoundTrip(r *http.Request) (*http.Response, error) {
	c.sent = append(c.sent, r)
	return c.world.RoundTrip(r)
}

// verify runs the command line.
func (c *consumer) verify(ctx context.Context, args ...string) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	c.sent = nil
	code = run(ctx, &globals{
		stdin: strings.NewReader(""), stdout: &out, stderr: &err, transport: c, workdir: c.dir,
		getenv:    func(key string) string { return c.env[key] },
		lookupEnv: func(key string) (string, bool) { v, ok := c.env[key]; return v, ok },
	}, append([]string{"verify", "--custom-trusted-root", "root.jsonl"}, args...))
	return code, out.String(), err.String()
}

// What a person sees, in a fake time and with a fake world so that it is always the same.
func TestVerifyShows(t *testing.T) {
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	synctest.Test(t, func(t *testing.T) {
		c := newConsumer(t)
		var got strings.Builder
		for _, line := range []string{
			"ghcr.io/acme/app:1.2.3 -R acme/app",
			"oci://ghcr.io/acme/app:1.2.3 ./index -o acme --deny-self-hosted-runners",
			"ghcr.io/acme/app:1.2.3 -R acme/app -b two.jsonl",
			"ghcr.io/acme/app:1.2.3 --cert-identity-regex ^https://github\\.com/acme/ -b good.sigstore.json",
			"ghcr.io/acme/app:bare -R acme/app",
			"ghcr.io/acme/app:1.2.3 ghcr.io/acme/app:bare -R acme/app",
			"ghcr.io/acme/app:bare -R acme/app -b good.sigstore.json",
			"ghcr.io/acme/app:bare ./index ./none -R acme/app --source-ref refs/heads/main",
			"ghcr.io/acme/app:1.2.3 -R acme/app --predicate-type https://example.com/none -b good.sigstore.json",
			"ghcr.io/acme/app:1.2.3 -R acme/app --bundle-from-oci",
			"ghcr.io/acme/app:1.2.3 -R acme/app -b none.json",
			"ghcr.io/acme/app:9 -R acme/app",
			"ghcr.io/acme/app:1.2.3",
			"ghcr.io/acme/app:1.2.3 -R acme/app --limit 0",
			"ghcr.io/acme/app:1.2.3 -R acme/app --format yaml",
			"ghcr.io/acme/app:1.2.3 -R acme/app --hostname github.example.com",
			"ghcr.io/acme/app:1.2.3 -R acme/app --no-such-flag",
			"-R acme/app",
		} {
			code, stdout, stderr := c.verify(t.Context(), strings.Fields(line)...)
			fmt.Fprintf(&got, "$ taglast verify %s\n%s", line, stdout)
			for s := range strings.Lines(stderr) {
				got.WriteString("2> " + s)
			}
			fmt.Fprintf(&got, "exit %d\n\n", code)
		}
		golden.Compare(t, filepath.Join("testdata", "verify.golden"), got.String())
	})
}

func TestVerifyPrintsOneDocument(t *testing.T) {
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	c := newConsumer(t)
	for _, x := range []struct {
		name string
		refs []string
		code int
		want int
	}{
		{"one reference", []string{"ghcr.io/acme/app:1.2.3"}, 0, 1},
		{"two references", []string{"ghcr.io/acme/app:1.2.3", "./index"}, 0, 2},
		{"one of two references", []string{"ghcr.io/acme/app:bare", "ghcr.io/acme/app:1.2.3"}, 1, 1},
		{"none", []string{"ghcr.io/acme/app:bare"}, 1, 0},
	} {
		t.Run(x.name, func(t *testing.T) {
			code, stdout, stderr := c.verify(t.Context(), append(x.refs, "-R", "acme/app", "--format", "json")...)
			var all []struct {
				VerificationResult struct {
					Statement struct{ PredicateType string }
				}
			}
			if err := json.Unmarshal([]byte(stdout), &all); err != nil || all == nil {
				t.Fatalf("%v: %s%s", err, stdout, stderr)
			}
			if code != x.code || len(all) != x.want {
				t.Errorf("exit %d with %d results: %s", code, len(all), stderr)
			}
			for _, v := range all {
				if v.VerificationResult.Statement.PredicateType != provenance.PredicateType {
					t.Errorf("predicate type %q", v.VerificationResult.Statement.PredicateType)
				}
			}
		})
	}
}

func TestVerifySendsTheTokenToItsOwnServerAlone(t *testing.T) {
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	for _, x := range []struct {
		name string
		env  map[string]string
		args []string
		want string // the host of the API and the token that it was sent
	}{
		{"github.com by default", nil, nil, "api.github.com job"},
		{"a user's own token comes first", map[string]string{"GH_TOKEN": "own"}, nil, "api.github.com own"},
		{"another host than the job's gets none", nil, []string{"--hostname", "acme.ghe.com"}, "api.acme.ghe.com "},
		{"another host by GH_HOST gets none", map[string]string{"GH_HOST": "acme.ghe.com"}, nil, "api.acme.ghe.com "},
		{"a job of a tenant asks there", map[string]string{
			"GITHUB_SERVER_URL": "https://acme.ghe.com", "GITHUB_API_URL": "https://api.acme.ghe.com",
		}, nil, "api.acme.ghe.com job"},
		{"a job of a tenant that asks github.com sends none", map[string]string{
			"GITHUB_SERVER_URL": "https://acme.ghe.com", "GITHUB_API_URL": "https://api.acme.ghe.com",
		}, []string{"--hostname", "github.com"}, "api.github.com "},
	} {
		t.Run(x.name, func(t *testing.T) {
			c := newConsumer(t)
			c.env["GITHUB_TOKEN"] = "job"
			for k, v := range x.env {
				c.env[k] = v
			}
			c.verify(t.Context(), append([]string{"./index", "-R", "acme/app"}, x.args...)...)
			var got []string
			for _, r := range c.sent {
				got = append(got, r.URL.Host+" "+strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
			}
			if len(got) == 0 || got[0] != x.want {
				t.Errorf("sent %q, want %q first", got, x.want)
			}
		})
	}
}
