package view_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taglast/taglast/cmd/taglast/view"
	"github.com/taglast/taglast/internal/actions"
	"github.com/taglast/taglast/internal/hint"
	"github.com/taglast/taglast/internal/testkit/golden"
	"github.com/taglast/taglast/pkg/publish"
	"github.com/taglast/taglast/pkg/release"
)

// watch plays a release to an observer.
func watch(o publish.Observer, dryRun bool) {
	o.Begin(publish.Header{
		Version: "1.0.0", DryRun: dryRun, Release: "0.13.1", FromFlag: true, SHA: strings.Repeat("26a9dd4", 6), Ref: "refs/heads/main",
		Repository: "astral-sh/uv", Workflow: ".github/workflows/release.yml@refs/heads/main", FromCheckout: dryRun,
		Repositories: repositories, Images: 33, Platforms: []string{"linux/amd64", "linux/arm64"},
	})
	for _, s := range []struct {
		stage publish.Stage
		total int
		note  string
		took  time.Duration
	}{
		{publish.StagePlan, 33, "270 tags, 0 conflicts", 2100 * time.Millisecond},
		{publish.StageBuild, 33, "66 manifests", 5800 * time.Millisecond},
		{publish.StagePush, 33, "untagged, 41.3 MB new", 200 * time.Millisecond},
		{publish.StageAttest, 33, "1 certificate, 33 signed", 700 * time.Millisecond},
		{publish.StageVerify, 33, "read back and checked as gh does", 200 * time.Millisecond},
		{publish.StageTag, 270, "270 written", 65 * time.Second},
	} {
		if s.stage != publish.StagePlan {
			o.Progress(publish.Event{Stage: s.stage, Total: s.total})
			o.Progress(publish.Event{Stage: s.stage, Done: s.total / 3, Total: s.total, Note: "1.9 of 6.4 GB new"})
		}
		if s.stage == publish.StagePush {
			o.Warn("docker.io: 429 Too Many Requests; waiting 12s as asked")
		}
		o.Progress(publish.Event{Stage: s.stage, Done: s.total, Total: s.total, Note: s.note, Finished: true, Took: s.took})
	}
}

func TestADryRunOnATerminal(t *testing.T) {
	var b bytes.Buffer
	watch(&view.Terminal{W: &b}, true)
	view.Result(&b, dry(32), "taglast-out", false)
	golden.Compare(t, "testdata/terminal-dry.golden", b.String())
	for line := range strings.Lines(b.String()) {
		if n := len([]rune(line)); n > 100 && !strings.Contains(line, "gh attestation verify") {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}

// Where every image has a repository of its own the head names three and counts the others.
func TestTheHeadNamesThreeRepositories(t *testing.T) {
	var many []string
	for n := range 20 {
		many = append(many, fmt.Sprintf("ghcr.io/acme/app%d", n))
	}
	for _, c := range []struct {
		repositories []string
		want         string
	}{
		{many, "to        ghcr.io/acme/app0  ghcr.io/acme/app1  ghcr.io/acme/app2  and 17 more   20 images\n"},
		{many[:4], "to        ghcr.io/acme/app0  ghcr.io/acme/app1  ghcr.io/acme/app2  and 1 more   20 images\n"},
		{many[:3], "to        ghcr.io/acme/app0  ghcr.io/acme/app1  ghcr.io/acme/app2   20 images\n"},
	} {
		var b bytes.Buffer
		(&view.Terminal{W: &b}).Begin(publish.Header{Repositories: c.repositories, Images: 20})
		if !strings.Contains(b.String(), c.want) {
			t.Errorf("%q is not in\n%s", c.want, b.String())
		}
	}
}

// Where every image is skipped there is nothing to verify, and nothing stands after the result that offers it.
func TestNothingToVerifyWhereEveryImageIsSkipped(t *testing.T) {
	for _, dryRun := range []bool{true, false} {
		var b bytes.Buffer
		view.Result(&b, &publish.Report{Outcome: publish.Published, DryRun: dryRun, Images: []publish.ImageReport{
			{Name: "app", Skipped: true, Reason: "no rule gives a tag on this event"},
		}}, "out", false)
		if strings.Contains(b.String(), "Verify") {
			t.Errorf("dry run %v:\n%s", dryRun, b.String())
		}
	}
}

func TestABarIsDrawnOverItsOwnLine(t *testing.T) {
	var b bytes.Buffer
	terminal := &view.Terminal{W: &b, Bar: true}
	watch(terminal, false)
	terminal.Progress(publish.Event{Stage: publish.StageTag, Done: 1, Total: 2})
	terminal.Close()
	golden.Compare(t, "testdata/terminal-bar.golden", strings.NewReplacer("\r", `\r`, "\x1b", `\e`).Replace(b.String()))
}

func TestPlainLinesInActions(t *testing.T) {
	var b bytes.Buffer
	runner := actions.New(func(key string) string { return map[string]string{"GITHUB_ACTIONS": "true"}[key] }, &b)
	plain := &view.Plain{Line: func(s string) { fmt.Fprintln(&b, s) }, Commands: runner}
	watch(plain, false)
	view.Result(&b, uv(32), "taglast-out", false)
	golden.Compare(t, "testdata/actions.golden", b.String())
}

// TestAStageThatFailsLeavesNoGroupOpen, and one that runs for long has a line every ten seconds.
func TestAStageThatFailsLeavesNoGroupOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b bytes.Buffer
		runner := actions.New(func(key string) string { return map[string]string{"GITHUB_ACTIONS": "true"}[key] }, &b)
		plain := &view.Plain{Line: func(s string) { fmt.Fprintln(&b, s) }, Commands: runner}
		for range 30 {
			plain.Progress(publish.Event{Stage: publish.StagePush, Done: 1, Total: 2})
			time.Sleep(time.Second)
		}
		plain.Close()
		plain.Close()
		if want := "::group::push\n▸ push     1/2  \n▸ push     1/2  \n::endgroup::\n"; b.String() != want {
			t.Errorf("got %q, want %q", b.String(), want)
		}
	})
}

func TestResults(t *testing.T) {
	var b bytes.Buffer
	show := func(title string, r *publish.Report, all bool) {
		fmt.Fprintf(&b, "# %s\n", title)
		view.Result(&b, r, "out", all)
		b.WriteString("\n")
	}
	show("published", uv(1), false)
	show("every image", uv(13), true)

	again := uv(1)
	again.Took = publish.Took{Elapsed: 900 * time.Millisecond}
	for i := range again.Images {
		for k := range again.Images[i].Tags {
			again.Images[i].Tags[k].Action = "unchanged"
		}
	}
	show("again", again, false)

	mixed := uv(0)
	mixed.Images[0].Tags[1].Action, mixed.Images[0].Tags[1].Reason = "kept", "0.13.2 is higher"
	mixed.Images[0].Tags[5].Action, mixed.Images[0].Tags[5].Reason = "pending", "left out by --registry"
	mixed.Outcome = publish.Partial
	show("kept and pending", mixed, false)

	unknown := dry(0)
	for k := range unknown.Images[0].Tags {
		unknown.Images[0].Tags[k].Action, unknown.Images[0].Tags[k].Previous = "created", publish.Unknown
	}
	show("a registry that could not be read", unknown, false)

	none := dry(0)
	none.Event = "pull_request"
	none.Images[0].Tags, none.Images[0].Skipped, none.Images[0].Reason = nil, true, "no tag on this event"
	show("no tag on this event", none, false)

	digestOnly := uv(0)
	digestOnly.Images[0].Tags = nil
	show("by digest alone", digestOnly, false)

	plan := dry(1)
	plan.DryRun, plan.Outcome, plan.Took = false, publish.Planned, publish.Took{Elapsed: time.Second}
	for i := range plan.Images {
		plan.Images[i].Digest, plan.Images[i].Platforms, plan.Images[i].Verify = "", nil, ""
	}
	show("planned", plan, false)
	golden.Compare(t, "testdata/results.golden", b.String())
}

func TestSummaries(t *testing.T) {
	kept := uv(0)
	for _, k := range []int{2, 5} {
		t := &kept.Images[0].Tags[k]
		t.Action, t.Reason, t.Digest = "kept", "this release is 0.12.9 and 0.13.1 is higher", t.Previous
	}
	dryRun := dry(1)
	dryRun.Event = "pull_request"
	dryRun.Images[1] = publish.ImageReport{Name: "python3.14", Skipped: true, Repositories: repositories}
	dryRun.Images[1].Reason = "dhi.io/python:3.14: no login here; the release run has one"
	stopped, stoppedErr := failed()
	half, halfErr := halfway()
	raced, racedErr := halfway()
	raced.Images[0].Tags[3].Action, raced.Images[0].Tags[3].Reason = "failed", "another run was between"
	for name, c := range map[string]struct {
		report *publish.Report
		err    error
	}{
		"summary-published.golden": {uv(32), nil},
		"summary-sbom.golden":      {withSBOMs(uv(1)), nil},
		"summary-sbom-dry.golden":  {withSBOMs(dry(1)), nil},
		"summary-kept.golden":      {kept, nil},
		"summary-dry.golden":       {dryRun, nil},
		"summary-failed.golden":    {stopped, stoppedErr},
		"summary-halfway.golden":   {half, halfErr},
		"summary-raced.golden":     {raced, racedErr},
		"summary-usage.golden":     {nil, &publish.Error{Stage: publish.StagePlan, Usage: true, Err: errors.New("--only other: the release has no such image")}},
	} {
		golden.Compare(t, "testdata/"+name, view.Summary(c.report, c.err))
	}
}

// TestFailures has the shape of every error: what became of the tags, what, on which reference, why, what to do.
func TestFailures(t *testing.T) {
	half, halfErr := halfway()
	stopped, stoppedErr := failed()
	written := uv(0)
	var b strings.Builder
	for _, c := range []struct {
		report *publish.Report
		err    error
	}{
		{stopped, stoppedErr},
		{half, halfErr},
		{written, errors.New("job summary: no space left on device")},
		{nil, errors.New("interrupted")},
		{nil, &publish.Error{Stage: publish.StagePlan, Usage: true, Err: errors.New("--only other: the release has no such image; it has app")}},
		{nil, &publish.Error{Stage: "sign", Err: hint.With(errors.New("this job may not ask GitHub for an ID token"),
			"add to the job in .github/workflows/image.yml:\n    permissions:\n      id-token: write        # sign as this workflow")}},
		{nil, &publish.Error{Stage: publish.StagePlan, Usage: true, Err: &release.Error{
			File: "taglast.yaml", Line: 9, Column: 11, Msg: "a value that begins with {{ must be quoted, or YAML reads it as a map",
			Snippet: "           name: {{variant}}\n                 ^", Hint: `name: "{{variant}}"`,
		}}},
		{nil, &publish.Error{Stage: publish.StagePlan, Usage: true, Err: &release.Error{File: "--annotation", Msg: "the value is not valid UTF-8"}}},
		{nil, &publish.Error{Stage: publish.StagePlan, Image: "hello", Err: &release.Error{
			Msg:     "image hello: no rule gives a tag on push of refs/heads/main",
			Snippet: "       type=semver,pattern={{version}}     needs a git tag, or --release-version",
			Hint:    "add `type=edge` for pushes to main, or run this job on tags only, or set `if-no-tags: skip`",
		}}},
		{nil, &publish.Error{Stage: publish.StageBuild, Err: hint.With(
			fmt.Errorf("ghcr.io/acme/hello:1.2.3 exists with another digest\nthere  %s  attested by acme/hello\nhere   %s  built from 4be91c0", digest(1), digest(2)),
			"a published version is not overwritten. Release another version; or publish what is there to the other registries:\nsource: {image: ghcr.io/acme/hello@sha256:aa31…}")}},
	} {
		view.WriteFailure(&b, c.report, c.err)
		b.WriteString("\n")
	}
	golden.Compare(t, "testdata/failures.golden", b.String())
}

// TestTheHeadingCountsTheRepositoriesOfAnImage: two images with a repository of their own are not in two each.
func TestTheHeadingCountsTheRepositoriesOfAnImage(t *testing.T) {
	image := func(name string, repositories ...string) publish.ImageReport {
		return publish.ImageReport{Name: name, Digest: "sha256:" + strings.Repeat("a", 64), Repositories: repositories}
	}
	for _, c := range []struct {
		images []publish.ImageReport
		want   string
	}{
		{[]publish.ImageReport{image("app", "ghcr.io/acme/app"), image("cli", "ghcr.io/acme/cli")}, "TAGS\n"},
		{[]publish.ImageReport{image("app", "ghcr.io/acme/app", "docker.io/acme/app"), image("cli", "ghcr.io/acme/cli", "docker.io/acme/cli")}, "TAGS (each in 2 repositories)\n"},
		{[]publish.ImageReport{image("app", "ghcr.io/acme/app", "docker.io/acme/app"), image("cli", "ghcr.io/acme/cli")}, "TAGS\n"},
	} {
		var b bytes.Buffer
		view.Result(&b, &publish.Report{Outcome: publish.Published, Images: c.images}, "out", false)
		if !strings.Contains(b.String(), c.want) {
			t.Errorf("%q is not in\n%s", c.want, b.String())
		}
	}
}
