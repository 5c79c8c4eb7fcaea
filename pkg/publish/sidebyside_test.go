package publish_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taglast/taglast/internal/sandbox"
	"github.com/taglast/taglast/pkg/publish"
)

// TestASlowLayerHoldsNoOtherImageBack: the upload of one image's layer ends only when the signature of another is on its
// way to the log, and no tag is written before both are through.
func TestASlowLayerHoldsNoOtherImageBack(t *testing.T) {
	s := newScene(t, "repositories: [ghcr.io/acme/app]\ntags: []\nimages: [{name: app, source: {oci: image}}]", sandbox.Options{})
	there := seedQuickstart(t, s.world, "index.docker.io", "acme/cli", "")
	s.file = parse(t, fmt.Sprintf(`
images:
  - {name: app, repositories: [ghcr.io/acme/app], source: {oci: image}, tags: [1.2.3]}
  - {name: cli, repositories: [docker.io/acme/cli], source: {image: "docker.io/acme/cli@%s"}, tags: [1.2.3]}
`, there))
	signed := make(chan struct{})
	var once sync.Once
	r, err := publish.Publish(t.Context(), s.options(roundTripper(func(req *http.Request) (*http.Response, error) {
		switch {
		case req.URL.Host == rekorHost:
			once.Do(func() { close(signed) })
		case req.Method == http.MethodPatch:
			select {
			case <-signed:
			case <-time.After(30 * time.Second):
				return nil, errors.New("no image is signed while another's layer is sent")
			case <-req.Context().Done():
				return nil, req.Context().Err()
			}
		}
		return s.world.RoundTrip(req)
	})))
	if err != nil || r.Count().Created != 2 {
		t.Fatalf("%v: %v", r.Count(), err)
	}
	lawful(t, s)
	tagged := false
	for _, request := range s.world.Requests() {
		tag := request.Method == http.MethodPut && fixedPart.MatchString(request.Path)
		tagged = tagged || tag
		if tagged && request.Host == rekorHost {
			t.Error("a tag was written before the last image was signed")
		}
	}
	if !tagged {
		t.Error("no tag was written")
	}
}

// TestNoIDTokenIsAskedForWhereTheUsageIsWrong: what the command line or the release file say wrong is told before
// anything is asked.
func TestNoIDTokenIsAskedForWhereTheUsageIsWrong(t *testing.T) {
	for name, change := range map[string]func(*publish.Options){
		"a kind of store":      func(o *publish.Options) { o.Stores = []string{"github", "registry"} },
		"an image":             func(o *publish.Options) { o.Only = []string{"other"} },
		"a registry":           func(o *publish.Options) { o.Registries = []string{"quay.io"} },
		"a signing config":     func(o *publish.Options) { o.SigningConfig = []byte("{") },
		"a source date":        setenv("SOURCE_DATE_EPOCH", "yesterday"),
		"a length of a commit": setenv("DOCKER_METADATA_SHORT_SHA_LENGTH", "0"),
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, twoByTwo, sandbox.Options{})
			o := s.options(nil)
			change(&o)
			r, err := publish.Publish(t.Context(), o)
			if publish.ExitCode(r, err) != 2 {
				t.Errorf("exit %d: %v", publish.ExitCode(r, err), err)
			}
			if asked := s.world.Requests(); len(asked) > 0 {
				t.Errorf("asked %v", asked)
			}
		})
	}
}

// TestAPlanThatIsStopped says so in an Error as every failure does.
func TestAPlanThatIsStopped(t *testing.T) {
	s := newScene(t, twoByTwo, sandbox.Options{})
	ctx, cancel := context.WithCancelCause(t.Context())
	r, err := publish.Plan(ctx, s.options(roundTripper(func(req *http.Request) (*http.Response, error) {
		cancel(errors.New("SIGTERM"))
		return nil, context.Cause(req.Context())
	})), false)
	var e *publish.Error
	if !errors.As(err, &e) || e.Stage != publish.StagePlan || r.Error == nil || r.Error.Message != "stopped: SIGTERM" || publish.ExitCode(r, err) != 1 {
		t.Errorf("exit %d: %v, %+v", publish.ExitCode(r, err), err, r.Error)
	}
}

// TestTheFirstImagesIndexIsTheLastThatIsPushed in every repository: a registry's page follows the order of first writes.
// The other image is slow here.
func TestTheFirstImagesIndexIsTheLastThatIsPushed(t *testing.T) {
	r, err := newScene(t, twoByTwo, sandbox.Options{}).publish(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	first, other := r.Images[0].Digest, r.Images[1].Digest
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, twoByTwo, sandbox.Options{})
		if _, err := publish.Publish(t.Context(), s.options(roundTripper(func(req *http.Request) (*http.Response, error) {
			if req.Method == http.MethodPut && strings.HasSuffix(req.URL.Path, other) {
				time.Sleep(time.Minute)
			}
			return s.world.RoundTrip(req)
		}))); err != nil {
			t.Fatal(err)
		}
		last := map[string]string{}
		for _, request := range s.world.Requests() {
			if digest := digestPart.FindString(request.Path); request.Method == http.MethodPut && strings.Contains(request.Path, "/manifests/sha256:") {
				last[request.Host] = digest
			}
		}
		if len(last) != 2 || last["ghcr.io"] != first || last["index.docker.io"] != first {
			t.Errorf("the last manifests are %v, want %s", last, first)
		}
	})
}
