package actions_test

import (
	"bytes"
	"strings"
	"sync"
	"testing"

	"github.com/taglast/taglast/internal/actions"
)

func env(pairs ...string) func(string) string {
	m := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return func(name string) string { return m[name] }
}

func TestLog(t *testing.T) {
	const attack = "x\r\n::set-env name=A::b\n##[add-path]/tmp\x1b[1m%0A::warning::"
	for name, c := range map[string]struct {
		do            func(*actions.Runner)
		active, plain string
	}{
		"a group": {
			func(r *actions.Runner) { r.Group("push  12/33"); r.EndGroup() },
			"::group::push  12/33\n::endgroup::\n", "push  12/33\n",
		},
		"a group's title cannot act": {
			func(r *actions.Runner) { r.Group(attack) },
			"::group::x\\r\\n::set-env name=A::b\\n##\\[add-path]/tmp\\x1b[1m%250A::warning::\n",
			"x\\r\\n::set-env name=A::b\\n##\\[add-path]/tmp\\x1b[1m%0A::warning::\n",
		},
		"an error with title and hint": {
			func(r *actions.Runner) {
				r.Error("Not published: no tag was changed", "push: 503, 100%\nhint: re-run")
			},
			"::error title=Not published%3A no tag was changed::push: 503, 100%25%0Ahint: re-run\n",
			"error: Not published: no tag was changed: push: 503, 100%\nhint: re-run\n",
		},
		"a warning without title": {
			func(r *actions.Runner) { r.Warning("", "a, b") },
			"::warning::a, b\n", "warning: a, b\n",
		},
		"a warning with title": {
			func(r *actions.Runner) { r.Warning("kept", "latest") },
			"::warning title=kept::latest\n", "warning: kept: latest\n",
		},
		"a message and a title cannot act": {
			func(r *actions.Runner) { r.Error("a,line=1::"+attack, attack) },
			"::error title=a%2Cline=1%3A%3Ax\\r\\n%3A%3Aset-env name=A%3A%3Ab\\n##\\[add-path]/tmp\\x1b[1m%250A%3A%3Awarning%3A%3A::" +
				"x%0A\\::set-env name=A::b%0A##\\[add-path]/tmp\\x1b[1m%250A::warning::\n",
			"error: a,line=1::x\\r\\n::set-env name=A::b\\n##\\[add-path]/tmp\\x1b[1m%0A::warning::: " +
				"x\n\\::set-env name=A::b\n##\\[add-path]/tmp\\x1b[1m%0A::warning::\n",
		},
		"a secret": {
			func(r *actions.Runner) { r.Mask("s3cr%t"); r.Mask("s3cr%t") },
			"::add-mask::s3cr%25t\n", "",
		},
		"each line of a secret, blanks left out": {
			func(r *actions.Runner) { r.Mask("-----BEGIN\r\n \nabc\n-----END\n\n") },
			"::add-mask::-----BEGIN\n::add-mask::abc\n::add-mask::-----END\n", "",
		},
		"an empty secret": {func(r *actions.Runner) { r.Mask("") }, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			var active, plain bytes.Buffer
			c.do(actions.New(env("GITHUB_ACTIONS", "true"), &active))
			c.do(actions.New(env(), &plain))
			if active.String() != c.active {
				t.Errorf("in Actions\ngot  %q\nwant %q", active.String(), c.active)
			}
			if plain.String() != c.plain {
				t.Errorf("outside\ngot  %q\nwant %q", plain.String(), c.plain)
			}
		})
	}
}

func TestActiveIsTheWordTrue(t *testing.T) {
	for value, want := range map[string]bool{"true": true, "": false, "false": false, "1": false} {
		if got := actions.New(env("GITHUB_ACTIONS", value), nil).Active(); got != want {
			t.Errorf("GITHUB_ACTIONS=%q: %v", value, got)
		}
	}
}

// lines fails the test if a write is not a whole line.
type lines struct {
	t *testing.T
	n int
}

func (l *lines) Write(p []byte) (int, error) {
	if s := string(p); strings.Count(s, "\n") != 1 || !strings.HasSuffix(s, "\n") || !strings.HasPrefix(s, "::") {
		l.t.Errorf("wrote %q", s)
	}
	l.n++
	return len(p), nil
}

func TestConcurrentCommandsDoNotMix(t *testing.T) {
	l := &lines{t: t}
	r := actions.New(env("GITHUB_ACTIONS", "true"), l)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				r.Warning("title", "message\nof two lines")
			}
		})
	}
	wg.Wait()
	if l.n != 800 {
		t.Errorf("%d lines", l.n)
	}
}
