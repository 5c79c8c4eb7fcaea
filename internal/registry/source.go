package registry

import (
	"context"
	"fmt"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// maxCached bounds the bytes of the manifests that a run keeps: one manifest is a few KiB.
const maxCached = 64 << 20

// manifestCache holds manifests of sources, hashed, for the length of a run.
type manifestCache struct {
	mu        sync.Mutex
	size      int64
	manifests map[string]Manifest // by repository and digest
	inflight  shared[string, Manifest]
}

func (k *manifestCache) get(key string) (Manifest, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	m, ok := k.manifests[key]
	return m, ok
}

// GetOnce reads a manifest of a source by digest as Get does, but once in a run: what a digest names does not change.
// It does not say that the repository still holds it. The bytes are shared, and must not be changed. What is beyond 64
// MiB in all is read again.
func (c *Client) GetOnce(ctx context.Context, digest v1.Hash) (Manifest, error) {
	key := fmt.Sprintf("%s@%s", c.p.repo.Name(), digest)
	k := c.p.cache
	return k.inflight.do(ctx, key, func() (Manifest, error) {
		if m, ok := k.get(key); ok { // looked up here: a read that has just ended is in no other place
			return m, nil
		}
		m, err := c.Get(ctx, digest.String())
		if err != nil {
			return m, err
		}
		k.mu.Lock()
		defer k.mu.Unlock()
		if size := int64(len(m.Raw)); k.size+size <= maxCached {
			k.size += size
			k.manifests[key] = m
		}
		return m, nil
	})
}
