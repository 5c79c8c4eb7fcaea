package publish

import (
	"context"
	"fmt"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/taglast/taglast/internal/hint"
	"github.com/taglast/taglast/internal/image"
	"github.com/taglast/taglast/internal/ociref"
	"github.com/taglast/taglast/internal/platform"
)

// adopt takes the index that a fixed tag names, in the first repository that has one, if it carries an attestation that
// this run could have made, of that very repository: then nothing is built. The attestation names the repository and not
// the image: an image of this release in another repository does not pass for this one because a tag was put on it, one in
// the same repository does. A zero Built means that there is nothing to adopt.
func (r *run) adopt(ctx context.Context, rec *record) (image.Built, error) {
	tried := make(map[string]bool)
	for _, t := range rec.wantedTags() {
		seen, _ := r.current.of(t)
		there := ociref.DisplayName(t.repo) + "@" + seen
		if !t.fixed() || seen == "" || tried[there] {
			continue
		}
		tried[there] = true
		digest, err := v1.NewHash(seen)
		if err != nil {
			return image.Built{}, fmt.Errorf("%s: the registry names it %q: %w", t.ref(), seen, err)
		}
		if ok, err := r.isReusable(ctx, t.repo, seen); err != nil || !ok {
			if err != nil {
				return image.Built{}, fmt.Errorf("%s: %w", t.ref(), err)
			}
			continue
		}
		b, err := image.Adopt(ctx, r.clients, rec.file.Name, t.repo, digest)
		if err != nil {
			return image.Built{}, fmt.Errorf("adopt %s: %w", t.ref(), err)
		}
		for _, want := range rec.file.Platforms {
			if !slices.ContainsFunc(b.Manifests(), func(c image.Child) bool { return c.Platform == platform.Platform(want) }) {
				return image.Built{}, hint.With(fmt.Errorf("adopt %s: what was published there has no %s", t.ref(), want),
					"a published version is not overwritten. Release another version, or take the platform out of `platforms`")
			}
		}
		return b, nil
	}
	return image.Built{}, nil
}
