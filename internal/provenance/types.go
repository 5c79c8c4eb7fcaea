// Package provenance turns the verified claims of a job's ID token into an in-toto statement with SLSA v1 provenance in
// the shape that GitHub's own action writes (buildType https://actions.github.io/buildtypes/workflow/v1).
package provenance

import (
	"time"

	"github.com/taglast/taglast/internal/identity"
)

const (
	// StatementType is the type of an in-toto statement v1, its _type.
	StatementType = "https://in-toto.io/Statement/v1"
	// PredicateType is SLSA provenance v1.
	PredicateType = "https://slsa.dev/provenance/v1"
	// BuildType is that of the provenance that GitHub's attest action writes, and this package.
	BuildType = "https://actions.github.io/buildtypes/workflow/v1"
)

// Subject is one name with one sha256 digest ("sha256:" and 64 hex digits).
type Subject struct {
	Name   string // registry/path, no tag, no digest; Docker Hub is docker.io
	Digest string
}

// Dependency is an in-toto ResourceDescriptor: something that this process did not make.
type Dependency struct {
	URI    string
	Digest map[string]string // algorithmName → hex
}

// Input is what a statement is made of.
type Input struct {
	Claims              identity.Claims
	ServerURL           string // GITHUB_SERVER_URL; empty means https://github.com
	Subjects            []Subject
	Dependencies        []Dependency // resolvedDependencies after the first, which is the source repository
	BuilderDependencies []Dependency // builderDependencies: what the builder itself is made of
	FinishedOn          time.Time    // written in UTC and seconds; zero leaves it out
}
