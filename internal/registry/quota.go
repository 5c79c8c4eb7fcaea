package registry

import "github.com/google/go-containerregistry/pkg/name"

// CountsPulls says whether the registry counts the GETs of manifests against a quota, as Docker Hub does: then a HEAD is
// asked where a digest suffices.
func (c *Client) CountsPulls() bool {
	return canonicalHost(c.p.endpoint.host) == name.DefaultRegistry
}
