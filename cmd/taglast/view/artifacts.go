package view

import (
	"fmt"
	"maps"

	"github.com/taglast/taglast/pkg/publish"
)

// maxArtifacts is how many artifacts a job may declare: the runner fails the step that goes over it.
const maxArtifacts = 500

// Artifacts are the lines that declare the images of a release to the runner, each by its first repository, and how many
// images have none. declared are the digests of the job's artifacts so far, by their names.
//
// A name stands for one digest in a job, or the runner fails the step. So a further image of a repository is declared
// under its first tag, and what still has the name of another artifact is left out.
func Artifacts(r *publish.Report, declared map[string]string) (lines []string, omitted int) {
	names := maps.Clone(declared)
	if names == nil {
		names = map[string]string{}
	}
	for _, im := range r.Images {
		if im.Skipped || im.Digest == "" || len(im.Repositories) == 0 {
			continue
		}
		name := freeName(im, names)
		switch {
		case name != "" && names[name] == im.Digest: // it is declared already
		case name == "" || len(names) >= maxArtifacts:
			omitted++
		default:
			names[name] = im.Digest
			lines = append(lines, fmt.Sprintf("oci://%s@%s", name, im.Digest))
		}
	}
	return lines, omitted
}

// freeName is the first name of an image that no other artifact has; empty without one.
func freeName(im publish.ImageReport, names map[string]string) string {
	for _, name := range append([]string{im.Repositories[0]}, refsIn(im, im.Repositories[0])...) {
		if digest, taken := names[name]; !taken || digest == im.Digest {
			return name
		}
	}
	return ""
}

// refsIn are the references of an image in one repository that name it.
func refsIn(im publish.ImageReport, repository string) []string {
	var out []string
	for _, ref := range writtenRefs([]publish.ImageReport{im}) {
		if repositoryOf(ref) == repository {
			out = append(out, ref)
		}
	}
	return out
}
