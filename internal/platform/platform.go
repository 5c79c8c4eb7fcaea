// Package platform is the platform that a manifest is for (linux/amd64, linux/arm/v7), in the one form that containerd
// normalises to. What a user wrote and what a manifest says are equal if and only if their Platforms are.
//
// An OS version and OS features are no part of a Platform: nobody writes them, and an image for windows/amd64 is one
// whatever version of Windows its manifest names.
package platform

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"

	"github.com/taglast/taglast/internal/escape"
)

// Platform is an operating system, an architecture and, where there is one, its variant. Platforms that Parse and New
// return are normalised and can be compared with ==. The zero value is no platform.
type Platform struct {
	OS           string // linux
	Architecture string // arm
	Variant      string // v7; empty for the architecture's usual one
}

// The characters are those that containerd's platforms.Parse allows.
var (
	osName = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)
	part   = regexp.MustCompile(`^[A-Za-z0-9_.-]+$`)
)

// Parse reads os/arch or os/arch/variant, with blanks around it or none, and normalises it. It is an error that quotes
// the text where that is anything else: an OS alone, an architecture alone and containerd's windows(10.0) are.
func Parse(text string) (Platform, error) {
	parts := strings.Split(strings.TrimSpace(text), "/")
	if len(parts) != 2 && len(parts) != 3 {
		return Platform{}, refuse(text)
	}
	variant := ""
	if len(parts) == 3 {
		if variant = parts[2]; variant == "" {
			return Platform{}, refuse(text)
		}
	}
	p := Platform{parts[0], parts[1], variant}
	if !p.wellFormed() {
		return Platform{}, refuse(text)
	}
	return p.Normalise(), nil
}

func refuse(text string) error {
	return fmt.Errorf("platform `%s`: it is os/arch or os/arch/variant", escape.Bounded(text, 120))
}

// New returns the normalised platform of a manifest or config that names its parts; variant may be empty. It is an error
// where the OS or the architecture is empty or a part has a character that no platform has.
func New(os, architecture, variant string) (Platform, error) {
	p := Platform{os, architecture, variant}
	if !p.wellFormed() {
		return Platform{}, fmt.Errorf(`"%s" is not a platform`, escape.Bounded(p.join(), 200))
	}
	return p.Normalise(), nil
}

func (p Platform) wellFormed() bool {
	return osName.MatchString(p.OS) && part.MatchString(p.Architecture) && (p.Variant == "" || part.MatchString(p.Variant))
}

// String is os/arch or os/arch/variant, and empty for the zero value.
func (p Platform) String() string {
	if p == (Platform{}) {
		return ""
	}
	return p.join()
}

func (p Platform) join() string {
	if p.Variant == "" {
		return p.OS + "/" + p.Architecture
	}
	return p.OS + "/" + p.Architecture + "/" + p.Variant
}

// Compare orders platforms by OS, architecture and variant, as cmp.Compare does.
func (p Platform) Compare(q Platform) int {
	return cmp.Or(
		cmp.Compare(p.OS, q.OS),
		cmp.Compare(p.Architecture, q.Architecture),
		cmp.Compare(p.Variant, q.Variant),
	)
}

// IsPlaceholder reports whether p is unknown/unknown, which BuildKit gives its attestation manifests.
func (p Platform) IsPlaceholder() bool { return p.OS == "unknown" && p.Architecture == "unknown" }
