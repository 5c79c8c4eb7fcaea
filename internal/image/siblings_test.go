package image_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"golang.org/x/sync/errgroup"

	"github.com/taglast/taglast/internal/image"
)

// built is a function that stands for an image's build: it asks for other images, then gives one.
func siblings(t *testing.T, one image.Built, needs map[string][]string, builds *atomic.Int64) *image.Siblings {
	t.Helper()
	return image.NewSiblings(func(ctx context.Context, name string, built func(context.Context, string) (image.Built, error)) (image.Built, error) {
		builds.Add(1)
		if name == "skipped" {
			return image.Built{}, nil
		}
		for _, other := range needs[name] {
			if _, err := built(ctx, other); err != nil {
				return image.Built{}, err
			}
		}
		return one, nil
	})
}

func TestSiblings(t *testing.T) {
	s := store{}
	one := mustBuild(t, layoutOf(t, s.tops(s.image("linux/amd64"))), image.Request{Source: oci("app")})
	for title, tc := range map[string]struct {
		needs  map[string][]string
		builds int64
		want   string // empty: all are built
	}{
		"images that need no other":                  {nil, 3, ""},
		"one that needs the next":                    {map[string][]string{"a": {"b"}}, 3, ""},
		"each needs the next":                        {map[string][]string{"a": {"b"}, "b": {"c"}}, 3, ""},
		"each needs the one before":                  {map[string][]string{"b": {"a"}, "c": {"b"}}, 3, ""},
		"two need a third, which is built once":      {map[string][]string{"a": {"c"}, "b": {"c"}}, 3, ""},
		"one needs the same twice":                   {map[string][]string{"a": {"c", "b", "c"}}, 3, ""},
		"one that is not asked for is built, too":    {map[string][]string{"a": {"d"}}, 4, ""},
		"two paths to one image are no circle":       {map[string][]string{"a": {"b", "c"}, "b": {"d"}, "c": {"d"}}, 4, ""},
		"an image that needs itself":                 {map[string][]string{"a": {"a"}}, 3, "circle: a → a"},
		"a circle of two":                            {map[string][]string{"a": {"b"}, "b": {"a"}}, 3, "circle: "},
		"a circle of three":                          {map[string][]string{"a": {"b"}, "b": {"c"}, "c": {"a"}}, 3, "circle: "},
		"an image that needs one that is skipped":    {map[string][]string{"a": {"skipped"}}, 4, "image skipped is skipped"},
		"a circle behind an image that needs no one": {map[string][]string{"b": {"c"}, "c": {"b"}}, 3, "circle: "},
	} {
		for _, limit := range []int{1, 2, 8} {
			t.Run(title, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { // a deadlock is a failure
					var builds atomic.Int64
					all := siblings(t, one, tc.needs, &builds)
					var g errgroup.Group
					g.SetLimit(limit)
					for _, name := range []string{"a", "b", "c"} {
						g.Go(func() error {
							b, err := all.Build(t.Context(), name)
							if err == nil && b.Root().Digest != one.Root().Digest {
								t.Errorf("image %s is %v", name, b.Root().Digest)
							}
							return err
						})
					}
					err := g.Wait()
					if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
						t.Errorf("error is %v, want %q in it", err, tc.want)
					}
					if got := builds.Load(); got != tc.builds {
						t.Errorf("%d builds, want %d", got, tc.builds)
					}
				})
			})
		}
	}
}

func TestTheCircleOfSiblingsIsNamed(t *testing.T) {
	var builds atomic.Int64
	all := siblings(t, image.Built{}, map[string][]string{"a": {"b"}, "b": {"c"}, "c": {"b"}}, &builds)
	_, err := all.Build(t.Context(), "a")
	if err == nil || err.Error() != "images copy from each other in a circle: c → b → c" {
		t.Errorf("error is %v", err)
	}
}

func TestASiblingsErrorIsEveryCallers(t *testing.T) {
	broken := errors.New("broken")
	var builds atomic.Int64
	all := image.NewSiblings(func(context.Context, string, func(context.Context, string) (image.Built, error)) (image.Built, error) {
		builds.Add(1)
		return image.Built{}, broken
	})
	for range 2 {
		if _, err := all.Build(t.Context(), "a"); !errors.Is(err, broken) {
			t.Errorf("error is %v", err)
		}
	}
	if builds.Load() != 1 {
		t.Errorf("%d builds", builds.Load())
	}
}

func TestWhoWaitsForASiblingHeedsItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun, release := make(chan struct{}), make(chan struct{})
		all := image.NewSiblings(func(context.Context, string, func(context.Context, string) (image.Built, error)) (image.Built, error) {
			close(begun)
			<-release
			return image.Built{}, nil
		})
		go func() { _, _ = all.Build(t.Context(), "a") }()
		<-begun
		over := errors.New("over")
		ctx, stop := context.WithCancelCause(t.Context())
		stop(over)
		if _, err := all.Build(ctx, "a"); !errors.Is(err, over) {
			t.Errorf("error is %v", err)
		}
		close(release)
	})
}
