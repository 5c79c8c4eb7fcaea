// Package buildcontext knows which build contexts of docker buildx are addresses and which are folders.
package buildcontext

import (
	"regexp"
	"slices"
	"strings"
)

// scpAddress is Git's short form of an SSH address.
var scpAddress = regexp.MustCompile(`^[a-zA-Z0-9_-]+@[a-zA-Z0-9.-]+:`)

// IsAddress reports whether docker buildx takes the text of a build context for an address, not for a folder: a URL
// that HTTP or Git fetches (https, http, git, ssh), or what Git takes without a scheme (github.com/OWNER/REPO,
// git@HOST:PATH). Only the text counts: a folder of that name is written with ./ before it.
func IsAddress(text string) bool {
	if scheme, _, found := strings.Cut(text, "://"); found {
		return slices.Contains([]string{"https", "http", "git", "ssh"}, strings.ToLower(scheme))
	}
	return strings.HasPrefix(text, "github.com/") || scpAddress.MatchString(text)
}
