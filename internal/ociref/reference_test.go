package ociref_test

import (
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/taglast/taglast/internal/ociref"
)

func TestDockerHubHasOneName(t *testing.T) {
	for _, host := range []string{"docker.io", "index.docker.io", "registry-1.docker.io", "Docker.IO", "Index.docker.io"} {
		if !ociref.IsHub(host) || ociref.Host(host) != "docker.io" || ociref.WireHost(host) != "index.docker.io" || !ociref.SameHost(host, "docker.io") {
			t.Errorf("%s is not Docker Hub: %s, %s on the wire", host, ociref.Host(host), ociref.WireHost(host))
		}
	}
	for _, host := range []string{"", "ghcr.io", "hub.docker.com", "auth.docker.io", "docker.io.example.com", "xdocker.io", "docker.io:5000", "docker.io/x"} {
		if ociref.IsHub(host) || ociref.Host(host) != host || ociref.WireHost(host) != host || ociref.SameHost(host, "docker.io") {
			t.Errorf("%s is Docker Hub: %s, %s on the wire", host, ociref.Host(host), ociref.WireHost(host))
		}
	}
}

func TestTheHubIsWhatTheLibraryAsks(t *testing.T) {
	r, err := name.NewRegistry(ociref.Hub)
	if err != nil || r.RegistryStr() != ociref.WireHost(ociref.Hub) {
		t.Errorf("it asks %s (%v), want %s", r.RegistryStr(), err, ociref.WireHost(ociref.Hub))
	}
}

func TestHostsAreComparedInOneCase(t *testing.T) {
	if !ociref.SameHost("GHCR.io", "ghcr.io") || ociref.SameHost("localhost:5000", "localhost:5001") || ociref.SameHost("ghcr.io", "quay.io") {
		t.Error("hosts are told apart by their case, or not by name and port")
	}
}

func TestRepositoriesAreShownAsPeopleWriteThem(t *testing.T) {
	for text, want := range map[string]string{
		"ghcr.io/acme/app":                "ghcr.io/acme/app",
		"GHCR.io/acme/app":                "ghcr.io/acme/app",
		"localhost:5000/app":              "localhost:5000/app",
		"alpine":                          "docker.io/library/alpine",
		"acme/app":                        "docker.io/acme/app",
		"docker.io/alpine":                "docker.io/library/alpine",
		"index.docker.io/acme/app":        "docker.io/acme/app",
		"index.docker.io/library/alpine":  "docker.io/library/alpine",
		"registry-1.docker.io/acme/app/x": "docker.io/acme/app/x",
		"registry-1.docker.io/alpine":     "docker.io/library/alpine",
	} {
		r, err := name.NewRepository(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := ociref.DisplayName(r); got != want {
			t.Errorf("%s is shown as %s, want %s", text, got, want)
		}
	}
	if got := ociref.DisplayName(name.Repository{}); got != "" {
		t.Errorf("no repository is shown as %s", got)
	}
}

func TestReferencesHaveATagOrADigest(t *testing.T) {
	r, err := name.NewRepository("acme/app")
	if err != nil {
		t.Fatal(err)
	}
	digest := "sha256:" + strings.Repeat("0a", 32)
	for in, want := range map[string]string{
		"": "docker.io/acme/app", "1.2.3": "docker.io/acme/app:1.2.3", digest: "docker.io/acme/app@" + digest,
	} {
		if got := ociref.Reference(r, in); got != want {
			t.Errorf("%q gives %s, want %s", in, got, want)
		}
	}
}
