package verify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/taglast/taglast/internal/bundle"
	"github.com/taglast/taglast/internal/registry"
)

// bundleType begins the artifactType of a referrer that holds a bundle (Sigstore, bundle specification, "OCI").
const bundleType = "application/vnd.dev.sigstore.bundle"

// maxReferrers is how many bundles of one image are fetched; more is an error.
const maxReferrers = 200

// fromRegistry fetches the bundles that refer to the image. One that cannot be read does not hide the others.
func fromRegistry(ctx context.Context, s subject) ([]candidate, error) {
	all, err := s.image.Referrers(ctx, s.digest)
	if err != nil {
		return nil, err
	}
	var candidates []candidate
	for _, d := range all {
		if !strings.HasPrefix(d.ArtifactType, bundleType) {
			continue
		}
		if len(candidates) == maxReferrers {
			return nil, fmt.Errorf("%s: more than %d bundles refer to it", s.digest, maxReferrers)
		}
		c := candidate{source: "referrer " + printable(d.Digest.String())}
		c.bundle, c.err = bundleOf(ctx, s.image, d.Digest)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		candidates = append(candidates, c)
	}
	return candidates, nil
}

// bundleOf is the first layer of a referrer's manifest.
func bundleOf(ctx context.Context, image *registry.Client, referrer v1.Hash) (*bundle.Bundle, error) {
	m, err := image.Get(ctx, referrer.String())
	if err != nil {
		return nil, err
	}
	var manifest struct {
		Layers []v1.Descriptor `json:"layers"`
	}
	if err := json.Unmarshal(m.Raw, &manifest); err != nil || len(manifest.Layers) == 0 {
		return nil, errors.New("its manifest has no layer")
	}
	raw, err := image.GetBlob(ctx, manifest.Layers[0].Digest, bundle.MaxSize)
	if err != nil {
		return nil, err
	}
	return bundle.Parse(raw)
}
