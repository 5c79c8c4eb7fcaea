package registry_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/taglast/taglast/internal/hint"
	"github.com/taglast/taglast/internal/registry"
)

// counts answers as Docker Hub does: each GET of a manifest takes one pull, a HEAD none, and both tell what is left.
type counts struct {
	http.RoundTripper
	left int
}

func (c *counts) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := c.RoundTripper.RoundTrip(req)
	if err == nil && strings.Contains(req.URL.Path, "/manifests/") {
		if req.Method == http.MethodGet {
			c.left--
		}
		resp.Header.Set("ratelimit-limit", "100;w=21600")
		resp.Header.Set("ratelimit-remaining", fmt.Sprintf("%d;w=21600", c.left))
	}
	return resp, err
}

func TestTheLatestWordOnTheQuotaIsKept(t *testing.T) {
	flights := &flightCounter{}
	clients, world := inSandbox(t, 0, flights)
	flights.base = &counts{RoundTripper: world, left: 77}
	raw, h := indexBy(t, "a quota")
	for _, host := range []string{"index.docker.io", "quay.io"} {
		if _, err := world.SeedManifest(host, "acme/app", "", string(types.OCIImageIndex), raw); err != nil {
			t.Fatal(err)
		}
	}
	client := clients.Repository(repo(t, "docker.io/acme/app"))
	if _, _, known := clients.PullsRemaining("docker.io"); known {
		t.Error("known before anything was asked")
	}
	if !client.CountsPulls() || clients.Repository(repo(t, "ghcr.io/acme/app")).CountsPulls() {
		t.Error("Docker Hub counts pulls, GHCR does not")
	}
	for _, c := range []struct {
		ask  func() error
		want int
	}{
		{func() error { _, err := client.Head(t.Context(), h.String()); return err }, 77},
		{func() error { _, err := client.Get(t.Context(), h.String()); return err }, 76},
		{func() error { _, err := client.Head(t.Context(), h.String()); return err }, 76},
		{func() error { _, err := client.GetOnce(t.Context(), h); return err }, 75},
		{func() error { _, err := client.GetOnce(t.Context(), h); return err }, 75},
	} {
		if err := c.ask(); err != nil {
			t.Fatal(err)
		}
		for _, host := range []string{"docker.io", "index.docker.io", "Docker.io"} {
			if remaining, window, known := clients.PullsRemaining(host); !known || remaining != c.want || window != 6*time.Hour {
				t.Errorf("%s: %d within %s, %v; want %d", host, remaining, window, known, c.want)
			}
		}
	}
	other := clients.Repository(repo(t, "quay.io/acme/app"))
	if other.CountsPulls() {
		t.Error("quay.io has said nothing of a quota")
	}
	if _, err := other.Head(t.Context(), h.String()); err != nil || !other.CountsPulls() {
		t.Errorf("quay.io told of a quota: %v", err)
	}
}

func TestQuota(t *testing.T) {
	need := registry.Need{Sources: 6, Roots: 2, Looks: 2}
	for _, c := range []struct {
		name      string
		host      string
		need      registry.Need
		remaining int
		window    time.Duration
		warning   string
		err, todo string
	}{
		{name: "twice the need is enough", host: "docker.io", need: need, remaining: 20, window: 6 * time.Hour},
		{name: "nothing needed is enough", host: "docker.io", remaining: 0, window: 6 * time.Hour},
		{
			name: "less than twice is told", host: "index.docker.io", need: need, remaining: 19, window: 6 * time.Hour,
			warning: "docker.io gives 19 manifests more within 6 hours; this release reads 10",
		},
		{
			name: "just enough is told", host: "docker.io", need: need, remaining: 10, window: time.Hour,
			warning: "docker.io gives 10 manifests more within 60 minutes; this release reads 10",
		},
		{
			name: "less than the need stops", host: "docker.io", need: need, remaining: 9, window: 6 * time.Hour,
			err:  "pull quota: docker.io gives 9 manifests more within 6 hours; this release reads 10",
			todo: "log in to docker.io (docker login, or TAGLAST_REGISTRY_AUTH) with an account that may pull more; or wait 6 hours; or name another registry as the source",
		},
		{
			name: "a registry that names no window", host: "registry.example", need: registry.Need{Looks: 2}, remaining: 1,
			err:  "pull quota: registry.example gives 1 manifest more; this release reads 2",
			todo: "log in to registry.example (docker login, or TAGLAST_REGISTRY_AUTH) with an account that may pull more; or wait until the quota is full again; or name another registry as the source",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			warning, err := registry.Quota(c.host, c.need, c.remaining, c.window)
			text := ""
			if err != nil {
				text = err.Error()
			}
			if warning != c.warning || text != c.err || hint.Of(err) != c.todo {
				t.Errorf("%q, %q, %q", warning, text, hint.Of(err))
			}
		})
	}
}
