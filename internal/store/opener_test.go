package store_test

import (
	"context"
	"errors"
	"testing"

	"github.com/taglast/taglast/internal/store"
	"github.com/taglast/taglast/internal/testkit/storetest"
)

func TestOpenAllOpensTheStoresOfAnImage(t *testing.T) {
	shared := storetest.NewMemory("shared")
	perImage := func(_ context.Context, image store.Image) (store.Store, error) {
		return storetest.NewMemory("of " + image.Name), nil
	}
	for _, image := range []string{"app", "cli"} {
		got, err := store.OpenAll(t.Context(), []store.Opener{store.Shared(shared), perImage}, store.Image{Name: image})
		if err != nil || len(got) != 2 || got[0] != store.Store(shared) || got[1].Name() != "of "+image {
			t.Errorf("%s: %v, %v", image, got, err)
		}
	}
	broken := errors.New("broken")
	failing := func(context.Context, store.Image) (store.Store, error) { return nil, broken }
	if got, err := store.OpenAll(t.Context(), []store.Opener{store.Shared(shared), failing}, store.Image{Name: "app"}); !errors.Is(err, broken) || got != nil {
		t.Errorf("%v, %v", got, err)
	}
}
