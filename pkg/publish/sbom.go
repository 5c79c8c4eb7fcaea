package publish

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/taglast/taglast/internal/bundle"
	"github.com/taglast/taglast/internal/hint"
	"github.com/taglast/taglast/internal/image"
	"github.com/taglast/taglast/internal/platform"
	"github.com/taglast/taglast/internal/policy"
	"github.com/taglast/taglast/internal/provenance"
	"github.com/taglast/taglast/internal/sbom"
	"github.com/taglast/taglast/pkg/release"
)

// platformSBOM is the SBOM of one platform's manifest.
type platformSBOM struct {
	child         image.Child
	predicateType string
	document      *sbom.Document // nil where the stored attestation of an adopted image is reused
	scanned       bool           // BuildKit made it: another scan of the same bytes says the same, and carries another date
}

// wantsSBOM says that the release file asks for an SBOM of every platform of the image.
func (im *plannedImage) wantsSBOM() bool { return im.file.SBOM != (release.SBOM{}) }

// sboms are those of an image that is built or adopted, one for each platform; none where the release file asks for none.
func (r *run) sboms(ctx context.Context, rec *record, built image.Built) ([]platformSBOM, error) {
	if !rec.wantsSBOM() {
		return nil, nil
	}
	var out []platformSBOM
	for _, c := range built.Manifests() {
		if c.Platform == (platform.Platform{}) {
			continue
		}
		s := platformSBOM{child: c, document: c.SBOM, scanned: rec.file.SBOM.FromBuild}
		if s.document == nil {
			var err error
			if s, err = r.adoptSBOM(ctx, rec, c); err != nil {
				return nil, err
			}
		}
		if s.document != nil {
			s.predicateType = s.document.PredicateType
			if r.trusted.Instance.Requires.Log {
				r.warnOfLargeSBOM(rec.name(), c.Platform.String(), s.document)
			}
		}
		out = append(out, s)
	}
	return out, nil
}

// adoptSBOM finds the SBOM of a platform of an adopted image: what an earlier run attested, which described what that run
// built; else the file that the release file names. The build that could make another is not done again.
func (r *run) adoptSBOM(ctx context.Context, rec *record, c image.Child) (platformSBOM, error) {
	digest := c.Digest.String()
	for _, s := range r.stores {
		listed, err := s.List(ctx, digest, "")
		if err != nil && len(listed) == 0 {
			return platformSBOM{}, fmt.Errorf("list the attestations of %s in store %s: %w", digest, s.Name(), err)
		}
		for _, stored := range listed {
			t := stored.Bundle.PredicateType()
			if !sbom.IsType(t) {
				continue
			}
			if _, err := r.reuseSBOM(rec, c, t).Check(stored.Bundle); err == nil {
				return platformSBOM{child: c, predicateType: t}, nil
			}
		}
	}
	if rec.file.SBOM.Path != "" {
		document, err := r.request(rec).SBOMFile(release.Platform(c.Platform))
		return platformSBOM{child: c, document: document}, err
	}
	return platformSBOM{}, hint.With(fmt.Errorf("adopt image %s: what was published as %s has no attested SBOM of %s, and nothing is built again", rec.name(), digest, c.Platform),
		"give a file for each platform of what was published: `sbom: {path: …}`; or leave `sbom` out; or release another version")
}

// reuseSBOM is what an attestation of an earlier run must prove to stand for a platform's SBOM.
func (r *run) reuseSBOM(rec *record, c image.Child, predicateType string) policy.Reuse {
	reuse := r.reusePolicy(sbomSubjects(rec, c), c.Digest.String())
	reuse.PredicateType = predicateType
	return reuse
}

// sbomSubjects are a platform's manifest under each repository of the file.
func sbomSubjects(rec *record, c image.Child) []provenance.Subject {
	return provenance.Subjects(displayNames(rec.all), c.Digest.String(), nil)
}

// canReuse is nil for a stored bundle that may be used in place of a new one: it passes the policy, and where this run was
// given the document it says just the same.
func (s platformSBOM) canReuse(reuse policy.Reuse, b *bundle.Bundle) error {
	v, err := reuse.Check(b)
	if err != nil || s.document == nil || s.scanned {
		return err
	}
	var stored bytes.Buffer
	if err := json.Compact(&stored, v.Predicate); err != nil {
		return err
	}
	if !bytes.Equal(stored.Bytes(), s.document.Raw) {
		return errors.New("it has another SBOM")
	}
	return nil
}

// statement is what is signed.
func (s platformSBOM) statement(subjects []provenance.Subject) ([]byte, error) {
	if s.document == nil {
		return nil, fmt.Errorf("the attested SBOM of %s is not in the store any more", s.child.Platform)
	}
	return provenance.StatementOf(subjects, s.predicateType, s.document.Raw)
}

// largeSBOM is from where on a transparency log is known to be in trouble. The public one takes whole statements, has no
// documented bound, and was seen to close the connection at 3.5 MB (sigstore/rekor#2808).
const largeSBOM = 3 << 20

// warnOfLargeSBOM tells once of each that may be too large.
func (r *run) warnOfLargeSBOM(name, platform string, d *sbom.Document) {
	if n := len(d.Raw); n > largeSBOM {
		if _, told := r.largeSBOMs.LoadOrStore(name+" "+platform, true); !told {
			r.o.Observer.Warn(fmt.Sprintf("image %s: the SBOM of %s has %s; Sigstore's public log was seen to refuse entries of several MB without a word, and "+
				"GitHub's store does not say what it takes. If signing waits: leave the list of files out of it (syft: --select-catalogers -file)", name, platform, size(int64(n))))
		}
	}
}

// warnOfLargeFiles does so before anything is sent, of the platforms that the release file names.
func (r *run) warnOfLargeFiles(im *plannedImage) {
	if im.file.SBOM.Path == "" {
		return
	}
	request := image.Request{SBOM: im.file.SBOM, Env: image.Env{Dir: r.o.File.Dir}}
	for _, p := range im.file.Platforms {
		if d, err := request.SBOMFile(p); err == nil {
			r.warnOfLargeSBOM(im.file.Name, p.String(), d)
		}
	}
}

// checkFiles is what a plan looks at of the files that a build will read: a Dockerfile or a context that is not there is
// wrong usage, and so is an SBOM that is none, or too large. An SBOM that is not there is passed over: a plan may be made
// before the build is.
func (r *run) checkFiles() error {
	for _, im := range r.plan.images {
		if im.unbuilt {
			continue
		}
		request := image.Request{Source: im.source, SBOM: im.file.SBOM, Env: image.Env{Dir: r.o.File.Dir}}
		if err := request.CheckFiles(); err != nil {
			return r.wrongRequest(im.file.Name, err)
		}
		if im.file.SBOM.Path == "" {
			continue
		}
		r.warnOfLargeFiles(im)
		for _, p := range im.file.Platforms {
			if _, err := request.SBOMFile(p); err != nil && !errors.Is(err, os.ErrNotExist) {
				return usage(im.file.Name, fmt.Errorf("image %s: %w", im.file.Name, err))
			}
		}
	}
	return nil
}
