package image

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/taglast/taglast/internal/bounded"
	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/internal/hint"
	"github.com/taglast/taglast/internal/platform"
	"github.com/taglast/taglast/internal/sbom"
	"github.com/taglast/taglast/pkg/release"
)

// maxStatement bounds a statement with an SBOM: the largest SBOM and what stands around it.
const maxStatement = sbom.MaxSize + 1<<20

// SBOMFileError says what is wrong with the file that the release file gives as a platform's SBOM.
type SBOMFileError struct {
	Platform release.Platform
	Path     string // as the release file has it, its placeholders replaced
	Err      error
}

// Error names platform, file and cause.
func (e *SBOMFileError) Error() string {
	return fmt.Sprintf("SBOM of %s: %s: %v", e.Platform, escape.Text(e.Path), e.Err)
}

// Unwrap is the cause.
func (e *SBOMFileError) Unwrap() error { return e.Err }

// checkSBOM says what is wrong with the SBOMs that can be told before anything is read of the image: that of each
// platform which is asked for must be there.
func (r Request) checkSBOM() error {
	if _, copied := r.Source.(imageSource); copied && r.SBOM.FromBuild {
		return hint.With(errors.New("sbom: what another build left in an image that is copied is not signed as this release's own"),
			"give a file for each platform: `sbom: {path: …}`; or leave `sbom` out")
	}
	if r.SBOM.Path == "" {
		return nil
	}
	for _, p := range r.Env.Platforms {
		if _, err := r.SBOMFile(p); err != nil {
			return err
		}
	}
	return nil
}

// SBOMFile reads and checks the file that the release file gives as the SBOM of p. Errors are *SBOMFileError.
func (r Request) SBOMFile(p release.Platform) (*sbom.Document, error) {
	path := r.SBOM.PathFor(p)
	fail := func(err error, help string) (*sbom.Document, error) {
		return nil, hint.With(&SBOMFileError{Platform: p, Path: path, Err: err}, help)
	}
	info, err := os.Stat(r.Env.path(path))
	switch {
	case errors.Is(err, os.ErrNotExist):
		return fail(bounded.WithoutPath(err), "every platform of the image needs its SBOM; {{platform}}, {{os}}, {{arch}} and {{arch-variant}} in `sbom: {path: …}` stand for it")
	case err != nil:
		return fail(bounded.WithoutPath(err), "")
	case !info.Mode().IsRegular():
		return fail(bounded.ErrNotRegular, "")
	}
	d, err := sbom.ReadFile(r.Env.path(path))
	if err != nil {
		return fail(bounded.WithoutPath(err), hint.Of(err))
	}
	return d, nil
}

// attachSBOMs gives each image its SBOM, where the request asks for one: from the files, or from what BuildKit left
// beside the image. An image whose manifest is rewritten afterwards keeps it: it describes the same files.
func (r Request) attachSBOMs(ctx context.Context, all []attestationManifest, images []*sourceManifest) error {
	var missing []string
	for _, f := range images {
		var err error
		switch {
		case r.SBOM.Path != "":
			f.sbom, err = r.SBOMFile(release.Platform(f.platform.normalName()))
		case r.SBOM.FromBuild:
			f.sbom, err = liftSBOM(ctx, all, f)
		}
		if err != nil {
			return err
		}
		if f.sbom == nil && r.SBOM.FromBuild {
			missing = append(missing, f.platform.normalName().String())
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return hint.With(fmt.Errorf("the index has no SBOM for %s", strings.Join(missing, ", ")),
		"build with `--sbom=true` (or `--attest type=sbom`), and keep BuildKit's attestations where the image is merged or copied; "+
			"or give a file for each platform: `sbom: {path: …}`")
}

// liftSBOM takes the SBOM of an image from BuildKit's attestation manifests. nil is no SBOM. Of several the first is the
// image's; the others are of stages and of the context.
func liftSBOM(ctx context.Context, all []attestationManifest, f *sourceManifest) (*sbom.Document, error) {
	of := f.platform.normalName()
	layers := statementsAbout(all, f.Digest, sbom.IsType)
	if len(layers) == 0 {
		return nil, unreadable(all, f, of)
	}
	layer := layers[0]
	if layer.Size > maxStatement {
		return nil, fmt.Errorf("%s: %s: %w", layer.where, of, sbom.CheckSize(layer.Size))
	}
	predicate, err := layer.predicate(ctx, maxStatement)
	if err != nil {
		return nil, fmt.Errorf("SBOM of %s: %w", of, err)
	}
	d, err := sbom.Parse(predicate)
	if err != nil {
		return nil, fmt.Errorf("%s: SBOM of %s: %w", layer.where, of, err)
	}
	return d, nil
}

// unreadable is the error of an attestation manifest about f that is listed and not there.
func unreadable(all []attestationManifest, f *sourceManifest, of platform.Platform) error {
	for _, a := range all {
		if a.subject == f.Digest.String() && a.err != nil {
			return fmt.Errorf("SBOM of %s: attestation manifest: %w", of, a.err)
		}
	}
	return nil
}
