package sandbox

import (
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

func ref(t testing.TB, s string) name.Reference {
	t.Helper()
	r, err := name.ParseReference(s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func randomIndex(t testing.TB) v1.ImageIndex {
	t.Helper()
	index, err := random.Index(1024, 2, 2)
	if err != nil {
		t.Fatal(err)
	}
	return index
}

func digestOf(t testing.TB, x interface{ Digest() (v1.Hash, error) }) string {
	t.Helper()
	h, err := x.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return h.String()
}

func TestIndexPushedByDigestIsPulledWhole(t *testing.T) {
	for name, o := range map[string]RegistryOptions{
		"open":   {},
		"basic":  {Auth: Auth{Scheme: "basic", Username: "u", Password: "p"}},
		"bearer": {Auth: Auth{Scheme: "bearer", Password: "p"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, Options{Registry: o})
			login := remote.WithAuth(&authn.Basic{Username: "u", Password: "p"})
			index := randomIndex(t)
			at := ref(t, "ghcr.io/acme/app@"+digestOf(t, index))
			if err := remote.WriteIndex(at, index, remote.WithTransport(w), login); err != nil {
				t.Fatal(err)
			}
			got, err := remote.Index(at, remote.WithTransport(w), login)
			if err != nil {
				t.Fatal(err)
			}
			if err := validate.Index(got); err != nil {
				t.Error(err)
			}
			if tags, err := remote.List(at.Context(), remote.WithTransport(w), login); err != nil || len(tags) != 0 {
				t.Errorf("tags %v, %v", tags, err)
			}
		})
	}
}

func TestLawIsAskedAtEveryTag(t *testing.T) {
	w := newWorld(t, Options{})
	index := randomIndex(t)
	digest := digestOf(t, index)
	at, tag := ref(t, "ghcr.io/acme/app@"+digest), ref(t, "ghcr.io/acme/app:1.2.3").(name.Tag)
	if err := remote.WriteIndex(at, index, remote.WithTransport(w)); err != nil {
		t.Fatal(err)
	}
	if err := remote.Tag(tag, index, remote.WithTransport(w)); err == nil {
		t.Fatal("a tag that names an image without attestation was written")
	}
	if v := w.Violations(); len(v) != 1 || v[0].Tag.Digest != digest || v[0].Tag.Tag != "1.2.3" {
		t.Fatalf("violations %v", v)
	}
	if status := store(t, w, signBundle(t, w, digest)); status != 201 {
		t.Fatalf("store: status %d", status)
	}
	if err := remote.Tag(tag, index, remote.WithTransport(w)); err != nil {
		t.Fatal(err)
	}
	if len(w.Violations()) != 1 {
		t.Errorf("violations %v", w.Violations())
	}
}

func basicLogin(user, password string) authn.Authenticator {
	return &authn.Basic{Username: user, Password: password}
}
