package publish_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taglast/taglast/internal/sandbox"
	"github.com/taglast/taglast/internal/sandbox/fault"
	"github.com/taglast/taglast/pkg/publish"
)

// onDisk is report.json; it must be the report that the caller got.
func onDisk(t *testing.T, s *scene, r *publish.Report) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(s.out, "taglast-out", "report.json"))
	if err != nil {
		t.Fatal(err)
	}
	want, err := publish.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(raw, want) {
		t.Errorf("report.json is not what Publish returned:\n%s\n%s", raw, want)
	}
	return string(raw)
}

func TestReportOfAPublication(t *testing.T) {
	s := newScene(t, twoByTwo, sandbox.Options{})
	r, _ := must(t, s, nil)
	text := onDisk(t, s, r)
	for _, want := range []string{
		`"schemaVersion": 1,`, `"version": "1.2.3",`, `"dryRun": false,`, `"outcome": "published",`,
		`"mediaType": "application/vnd.oci.image.index.v1+json",`, `"platform": "linux/arm64",`,
		`"predicateType": "https://slsa.dev/provenance/v1",`, `"bundle": "cli.sigstore.json",`, `"logIndex": `, `"id": `,
		`"url": "https://github.com/acme/app/attestations/`, `"run": "https://github.com/acme/app/actions/runs/3003/attempts/1"`,
		`"ref": "docker.io/acme/app:1.2.3-cli",`, `"class": "fixed",`, `"class": "moving",`, `"action": "created",`, `"previous": ""`,
		`"verify": "gh attestation verify oci://ghcr.io/acme/app:1.2.3 --repo acme/app"`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is not in the report", want)
		}
	}
	if strings.Contains(text, `"error"`) || strings.Contains(text, `"skipped"`) || strings.Contains(text, "index.docker.io") {
		t.Errorf("%s", text)
	}
	if c := r.Count(); c.Created != 10 || c.Total != 10 {
		t.Errorf("%+v", c)
	}
	if r.Took.BytesUploaded == 0 || r.Took.Writes == 0 || r.Took.Reads == 0 {
		t.Errorf("%+v", r.Took)
	}
}

// TestReportOfAFailureInEachStage lets one stage fail, and the next run finish.
func TestReportOfAFailureInEachStage(t *testing.T) {
	refuse := func(method, host, part string, status int) func(*scene, *publish.Options) {
		return func(s *scene, o *publish.Options) {
			o.Transport = roundTripper(func(req *http.Request) (*http.Response, error) {
				if req.Method == method && req.URL.Host == host && strings.Contains(req.URL.Path+"$", part) {
					return refusal(req, status), nil
				}
				return s.world.RoundTrip(req)
			})
		}
	}
	for _, c := range []struct {
		stage      publish.Stage
		change     func(*scene, *publish.Options)
		image, ref string // images side by side: whichever fails first is named
		exit       int
		outcome    publish.Outcome
		digests    bool // does the report know them
	}{
		{publish.StagePlan, refuse("HEAD", "ghcr.io", "/manifests/1.2.3$", 403), "app", "ghcr.io/acme/app:1.2.3", 1, publish.Failed, false},
		{publish.StageBuild, func(s *scene, o *publish.Options) {
			o.File = parse(t, strings.Replace(twoByTwo, "linux/arm64", "linux/s390x", 1))
		}, "", "", 1, publish.Failed, false},
		{publish.StagePush, refuse("PUT", "index.docker.io", "/manifests/sha256:", 400), "", "", 1, publish.Failed, true},
		{publish.StageAttest, refuse("POST", rekorHost, "", 400), "", "", 1, publish.Failed, true},
		{publish.StageVerify, func(s *scene, o *publish.Options) {
			other := newScene(t, twoByTwo, sandbox.Options{})
			o.TrustedRoot = other.world.TrustedRoot()
		}, "app or cli", "", 1, publish.Failed, true},
		{publish.StageTag, refuse("PUT", "ghcr.io", "/manifests/1.2.3", 400), "", "", 1, publish.Failed, true},
		{publish.StageTag, refuse("PUT", "ghcr.io", "/manifests/latest", 400), "", "", 3, publish.Partial, true},
	} {
		t.Run(fmt.Sprintf("%s, exit %d", c.stage, c.exit), func(t *testing.T) {
			s := newScene(t, twoByTwo, sandbox.Options{})
			o := s.options(nil)
			o.Jobs = 1
			c.change(s, &o)
			r, err := publish.Publish(t.Context(), o)
			if code := publish.ExitCode(r, err); code != c.exit || r.Outcome != c.outcome {
				t.Fatalf("exit %d, %s: %v", code, r.Outcome, err)
			}
			text := onDisk(t, s, r)
			if r.Error.Stage != string(c.stage) || r.Error.Message == "" || !strings.Contains(text, `"error": {`) {
				t.Errorf("%+v", r.Error)
			}
			if c.image != "" && (r.Error.Image == "" || !strings.Contains(c.image, r.Error.Image)) || c.ref != "" && r.Error.Ref != c.ref {
				t.Errorf("%+v, want image %q, ref %q", r.Error, c.image, c.ref)
			}
			// Images go side by side: which of the two is built first, nobody knows.
			if len(r.Images) != 2 || c.digests != (r.Images[0].Digest != "" || r.Images[1].Digest != "") {
				t.Errorf("%d images, digests %q and %q", len(r.Images), r.Images[0].Digest, r.Images[1].Digest)
			}
			truthful(t, s, r, err, final{}, final{})
			s.next()
			if r, _ := must(t, s, nil); r.Outcome != publish.Published || len(tagLines(s.world.State())) != 10 {
				t.Errorf("the next run: %s", r.Outcome)
			}
		})
	}
}

// TestInterruptedInEachStage ends the run at the first request of a stage.
func TestInterruptedInEachStage(t *testing.T) {
	for _, c := range []struct {
		name  string
		at    func(fault.Key) bool
		exit  int
		stage publish.Stage
	}{
		{"in the plan", func(k fault.Key) bool { return k.Host == runnerHost }, 1, publish.StagePlan},
		{"while a store is asked, the first image in the push", func(k fault.Key) bool { return strings.Contains(k.Path, "/attestations/{digest}") && k.Method == "GET" }, 1, publish.StagePush},
		{"in the push", func(k fault.Key) bool { return k.Method == "PATCH" || k.Method == "PUT" }, 1, publish.StagePush},
		{"while signing, the first image in the push", func(k fault.Key) bool { return k.Host == rekorHost }, 1, publish.StagePush},
		{"while storing", func(k fault.Key) bool { return strings.HasSuffix(k.Path, "/attestations") && k.N == 2 }, 1, publish.StageAttest},
		{"at the first tag", func(k fault.Key) bool { return k.Method == "PUT" && strings.HasSuffix(k.Path, "/1.2.3") }, 3, publish.StageTag},
		{"at the last tag", func(k fault.Key) bool { return k.Method == "PUT" && strings.HasSuffix(k.Path, "/latest") }, 3, publish.StageTag},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScene(t, twoByTwo, lawOptions())
				ctx, cancel := context.WithCancelCause(t.Context())
				stop := errors.New("SIGTERM")
				watch := &fault.Transport{Base: roundTripper(func(req *http.Request) (*http.Response, error) {
					select { // every answer takes a while, so that something is under way
					case <-time.After(200 * time.Millisecond):
						return s.world.RoundTrip(req)
					case <-req.Context().Done():
						return nil, context.Cause(req.Context())
					}
				})}
				var mu sync.Mutex
				var ended time.Time
				o := s.options(roundTripper(func(req *http.Request) (*http.Response, error) {
					mu.Lock()
					for _, k := range keysOf(watch, req) {
						if ended.IsZero() && c.at(k) {
							ended = time.Now()
							cancel(stop)
						}
					}
					mu.Unlock()
					return watch.RoundTrip(req)
				}))
				o.Jobs = 1
				r, err := publish.Publish(ctx, o)
				if code := publish.ExitCode(r, err); code != c.exit || r.Error == nil || r.Error.Stage != string(c.stage) {
					t.Fatalf("exit %d: %+v", code, r.Error)
				}
				if took := time.Since(ended); ended.IsZero() || took > 5*time.Second {
					t.Errorf("the report came %s after the end", took)
				}
				if !errors.Is(err, stop) || !strings.Contains(r.Error.Message, "stopped: SIGTERM") {
					t.Errorf("%v", err)
				}
				onDisk(t, s, r)
				truthful(t, s, r, err, final{}, final{})
				lawful(t, s)
				s.next()
				if r, _ := must(t, s, nil); r.Outcome != publish.Published || len(tagLines(s.world.State())) != 10 {
					t.Errorf("the next run: %s", r.Outcome)
				}
			})
		})
	}
}

// keysOf is how the fault transport will name a request.
func keysOf(watch *fault.Transport, req *http.Request) []fault.Key {
	name := &fault.Transport{Base: roundTripper(func(*http.Request) (*http.Response, error) { return nil, http.ErrServerClosed })}
	bare := req.Clone(context.Background())
	bare.Body = nil
	_, _ = name.RoundTrip(bare)
	keys := name.Keys()
	for i := range keys {
		for _, seen := range watch.Keys() {
			if seen.Method == keys[i].Method && seen.Host == keys[i].Host && seen.Path == keys[i].Path {
				keys[i].N++
			}
		}
	}
	return keys
}
