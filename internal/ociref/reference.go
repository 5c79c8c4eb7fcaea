// Package ociref is how this program writes the names of the OCI distribution specification: registries, Docker Hub's
// among them, repositories, references and sha256 digests. It knows no network.
package ociref

import (
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
)

// DisplayName is a repository as people, statements and reports write it: host/path with the host as Host has it. On
// Docker Hub a path of one part is below library, as every client reads it. The zero value gives an empty text.
func DisplayName(r name.Repository) string {
	if r == (name.Repository{}) {
		return ""
	}
	host, path := Host(r.RegistryStr()), r.RepositoryStr()
	if host == Hub && !strings.Contains(path, "/") {
		path = "library/" + path
	}
	return host + "/" + path
}

// Reference is the full reference of a tag or a digest in a repository: host/path:tag or host/path@sha256:hex. With an
// empty tagOrDigest it is the repository alone. What is in tagOrDigest is not checked: a colon makes it a digest, for no
// tag has one.
func Reference(r name.Repository, tagOrDigest string) string {
	switch {
	case tagOrDigest == "":
		return DisplayName(r)
	case strings.Contains(tagOrDigest, ":"):
		return DisplayName(r) + "@" + tagOrDigest
	}
	return DisplayName(r) + ":" + tagOrDigest
}
