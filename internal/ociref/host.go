package ociref

import (
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
)

// Hub is Docker Hub's registry as people, statements and reports write it.
const Hub = "docker.io"

// IsHub reports whether host is one of the names of Docker Hub's registry: docker.io, which people write,
// index.docker.io, which docker's config says, and registry-1.docker.io, where the API is. Letter case does not matter.
func IsHub(host string) bool {
	switch strings.ToLower(host) {
	case Hub, name.DefaultRegistry, "registry-1.docker.io":
		return true
	}
	return false
}

// Host is the one spelling of a registry's host, for comparisons, as a key and for people: in lower case, and docker.io
// for each of Docker Hub's names. A port stays.
func Host(host string) string {
	if IsHub(host) {
		return Hub
	}
	return strings.ToLower(host)
}

// SameHost reports whether a and b are hosts of one registry.
func SameHost(a, b string) bool { return Host(a) == Host(b) }

// WireHost is Host as go-containerregistry asks it: index.docker.io for each of Docker Hub's names.
func WireHost(host string) string {
	if IsHub(host) {
		return name.DefaultRegistry
	}
	return strings.ToLower(host)
}
