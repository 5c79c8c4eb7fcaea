package store_test

import (
	"testing"
	"time"

	"github.com/taglast/taglast/internal/sandbox"
	"github.com/taglast/taglast/internal/store"
	"github.com/taglast/taglast/internal/testkit/storetest"
)

func TestMemoryIsAStore(t *testing.T) {
	storetest.Test(t, func(*testing.T) store.Store { return storetest.NewMemory("memory") })
}

func TestGitHubIsAStore(t *testing.T) {
	for _, inline := range []bool{false, true} {
		name := "bundles by bundle_url"
		if inline {
			name = "bundles inline"
		}
		t.Run(name, func(t *testing.T) {
			storetest.Test(t, func(t *testing.T) store.Store { return (&github{inline: inline}).store(t) })
		})
	}
}

func TestGitHubIsAStoreInTheSandbox(t *testing.T) {
	for _, o := range []sandbox.Options{{}, {InlineBundle: true, StoreLag: time.Second}} {
		storetest.Test(t, func(t *testing.T) store.Store {
			w, err := sandbox.New(o)
			if err != nil {
				t.Fatal(err)
			}
			env := w.Env()
			s, err := store.NewGitHub(store.GitHubOptions{
				HTTP: w, APIURL: env["GITHUB_API_URL"], ServerURL: env["GITHUB_SERVER_URL"],
				Repository: env["GITHUB_REPOSITORY"], Token: env["GITHUB_TOKEN"],
			})
			if err != nil {
				t.Fatal(err)
			}
			return s
		})
	}
}
