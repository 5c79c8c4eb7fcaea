package image

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/internal/ociref"
	"github.com/taglast/taglast/internal/provenance"
	"github.com/taglast/taglast/internal/registry"
	"github.com/taglast/taglast/internal/strictjson"
)

const (
	// BuildKit keeps each in-toto statement as a layer ("Image Attestation Storage" in its documentation).
	statementType = "application/vnd.in-toto+json"
	predicateKey  = "in-toto.io/predicate-type"

	maxProvenance = 4 << 20 // a statement that says more is passed over
	// maxDependencies bounds what the provenance of all platforms of an image may name together.
	maxDependencies = 1024
)

// attestationManifest is one of BuildKit's attestation manifests, read. It has the statements about one image.
type attestationManifest struct {
	digest  string
	subject string // the image manifest that it is about, sha256:hex
	layers  []descriptor
	content content
	where   string
	err     error // why it could not be read: it is listed and not there
}

// statementLayer is a layer with a statement.
type statementLayer struct {
	attestationManifest
	descriptor
}

// isLifted says that d is an attestation manifest whose statements are read though the manifest is left out of the index.
func (w *walker) isLifted(d descriptor) bool {
	return w.lift && d.Annotations[referenceType] == attestationType && isManifest(d.MediaType)
}

// readAttestations reads those attestation manifests of a source that are left out of the index. One that is not there
// has an error of its own: it matters only to those who look for something in it.
func (w *walker) readAttestations(ctx context.Context, listed []descriptor) ([]attestationManifest, error) {
	var out []attestationManifest
	for _, d := range listed {
		a := attestationManifest{digest: d.Digest, subject: d.Annotations[referenceDigest], content: w.content, where: w.where}
		desc, err := d.checked()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", w.where, err)
		}
		m, err := load(ctx, w.content, desc)
		switch {
		case isAbsent(err):
			a.err = err
		case err != nil:
			return nil, err
		default:
			doc, err := parseManifest(m.Raw)
			if err != nil {
				return nil, fmt.Errorf("%s: manifest %s: %w", w.where, m.Digest, err)
			}
			a.layers = doc.Layers
		}
		out = append(out, a)
	}
	return out, nil
}

func isAbsent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, registry.ErrNotFound)
}

// attestationManifests are all that a source has, kept in the index or not.
func (g gathered) attestationManifests() []attestationManifest {
	var out []attestationManifest
	for _, t := range g.sources {
		for _, f := range t.manifests {
			if f.attestation {
				out = append(out, attestationManifest{digest: f.Digest.String(), subject: f.subject, layers: f.doc.Layers, content: f.content, where: f.where})
			}
		}
		out = append(out, t.lifted...)
	}
	return out
}

// statementsAbout are the layers whose statements are about the manifest with that digest and have a predicate type that
// wanted takes, in their order: BuildKit puts the SBOM of the image before those of its stages and its context.
func statementsAbout(all []attestationManifest, digest v1.Hash, wanted func(predicateType string) bool) []statementLayer {
	var out []statementLayer
	for _, a := range all {
		if a.subject != digest.String() {
			continue
		}
		for _, layer := range a.layers {
			if layer.MediaType == statementType && wanted(layer.Annotations[predicateKey]) {
				out = append(out, statementLayer{a, layer})
			}
		}
	}
	return out
}

// predicate reads the statement of a layer, and returns its predicate.
func (l statementLayer) predicate(ctx context.Context, limit int64) (json.RawMessage, error) {
	d, err := l.checked()
	if err != nil {
		return nil, err
	}
	raw, err := l.content.config(ctx, d.Digest, limit)
	if err != nil {
		return nil, err
	}
	if err := check(raw, d); err != nil {
		return nil, fmt.Errorf("%s: blob %s: %w", l.where, d.Digest, err)
	}
	predicate, err := readPredicate(raw, l.Annotations[predicateKey], l.subject)
	if err != nil {
		return nil, fmt.Errorf("%s: statement %s: %w", l.where, d.Digest, err)
	}
	return predicate, nil
}

// readPredicate reads an in-toto statement of that predicate type about the manifest subject. BuildKit names no subject
// where the image that it built has no name: then the attestation manifest says alone what it is about.
func readPredicate(raw []byte, predicateType, subject string) (json.RawMessage, error) {
	top, err := strictjson.Object(raw)
	if err != nil {
		return nil, err
	}
	if t, _ := strictjson.Member(top, "_type"); !strings.HasPrefix(t, "https://in-toto.io/Statement/v") {
		return nil, fmt.Errorf(`"%s" is not the type of an in-toto statement`, escape.Bounded(t, 100))
	}
	if t, _ := strictjson.Member(top, "predicateType"); t != predicateType {
		return nil, fmt.Errorf(`it is listed as %s and its predicate type is "%s"`, escape.Bounded(predicateType, 100), escape.Bounded(t, 100))
	}
	var subjects []struct {
		Digest map[string]string `json:"digest"`
	}
	if err := json.Unmarshal(top["subject"], &subjects); err != nil {
		return nil, errors.New("its subject is not a list")
	}
	want, err := ociref.ParseDigest(subject)
	if err != nil {
		return nil, err
	}
	about := len(subjects) == 0
	for _, s := range subjects {
		about = about || s.Digest[want.Algorithm] == want.Hex
	}
	if !about {
		return nil, fmt.Errorf("it is about other things than %s", subject)
	}
	return top["predicate"], nil
}

// builtFrom is what BuildKit's provenance says that the images were built from. It is not signed again as ours: what it
// says of a build this process has not seen. Its dependencies are an addition to our own statement, so a provenance that
// is not there, too long or of an unknown form ends no release. A malformed digest does: left out, it would make the list
// of what went into the image look whole.
func builtFrom(ctx context.Context, all []attestationManifest, images []*sourceManifest) ([]provenance.Dependency, error) {
	isProvenance := func(t string) bool { return t == provenance.PredicateType || t == provenance.PredicateTypeV02 }
	var out []provenance.Dependency
	read := map[string]bool{} // by subject and blob: a manifest may name one statement many times
	for _, f := range images {
		for _, layer := range statementsAbout(all, f.Digest, isProvenance) {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			if once := layer.subject + " " + layer.Digest; layer.Size > maxProvenance || read[once] {
				continue
			} else {
				read[once] = true
			}
			predicate, err := layer.predicate(ctx, maxProvenance)
			if isAbsent(err) {
				continue
			}
			if err != nil {
				return nil, err
			}
			found, err := provenance.FromSLSA(predicate)
			switch {
			case errors.Is(err, provenance.ErrUnknownForm):
			case err != nil:
				return nil, fmt.Errorf("%s: %s: %w", layer.where, f.platform.normalName(), err)
			}
			if out = append(out, found...); len(out) > maxDependencies {
				return nil, fmt.Errorf("%s: BuildKit's provenance names more than %d dependencies", layer.where, maxDependencies)
			}
		}
	}
	return out, nil
}
