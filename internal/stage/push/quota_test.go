package push_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/taglast/taglast/internal/image"
	"github.com/taglast/taglast/internal/registry"
	"github.com/taglast/taglast/internal/sandbox"
	"github.com/taglast/taglast/internal/stage/push"
	"github.com/taglast/taglast/pkg/release"
)

// pulls counts the GETs of manifests, as Docker Hub does.
type pulls struct {
	http.RoundTripper
	n atomic.Int64
}

func (p *pulls) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method == http.MethodGet && strings.Contains(req.URL.Path, "/manifests/") {
		p.n.Add(1)
	}
	return p.RoundTripper.RoundTrip(req)
}

// TestAPushReadsOneManifestWherePullsAreCounted: the root is read back once, whether it had to be written or was there.
func TestAPushReadsOneManifestWherePullsAreCounted(t *testing.T) {
	w, err := sandbox.New(sandbox.Options{GitHubToken: "ghs_test"})
	if err != nil {
		t.Fatal(err)
	}
	count := &pulls{RoundTripper: w}
	repo, err := name.NewRepository("docker.io/acme/app")
	if err != nil {
		t.Fatal(err)
	}
	dir := layout(t)
	source, err := image.SourceOf(release.OCISource{Paths: []string{"."}})
	if err != nil {
		t.Fatal(err)
	}
	for _, run := range []string{"the first run", "a run that finds everything there"} {
		count.n.Store(0)
		clients := registry.NewClients(registry.Options{Transport: count})
		b, err := image.Build(t.Context(), image.Request{
			Name: "app", Source: source,
			Env: image.Env{Registry: clients, Dir: dir, Platforms: []release.Platform{{OS: "linux", Architecture: "amd64"}, {OS: "linux", Architecture: "arm64"}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := push.Image(t.Context(), clients, b, []name.Repository{repo}, push.Options{}); err != nil {
			t.Fatal(err)
		}
		if n := count.n.Load(); n != 1 {
			t.Errorf("%s: %d manifests were read, want the root alone", run, n)
		}
	}
}
