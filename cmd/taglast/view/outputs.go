package view

import (
	"encoding/json"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/taglast/taglast/internal/sbom"
	"github.com/taglast/taglast/pkg/publish"
)

// Output is an output of the action's step.
type Output struct{ Name, Value string }

// Outputs are those of a run whose files lie in dir, an absolute path: what is known of it, without empty values. Where
// the run failed that may be little; r is nil where it did not begin. exists tells of a file whether it is there.
func Outputs(r *publish.Report, dryRun bool, dir string, exists func(path string) bool) ([]Output, error) {
	o := outputs{list: []Output{{"dry-run", strconv.FormatBool(dryRun)}}}
	if report := filepath.Join(dir, "report.json"); r != nil && exists(report) {
		o.add("report", report)
	}
	if r == nil || len(r.Images) == 0 {
		return o.list, nil
	}
	o.add("version", r.Version)
	o.add("tags", strings.Join(writtenRefs(r.Images), "\n"))
	digests := map[string]string{}
	for _, im := range r.Images {
		if im.Digest != "" {
			digests[im.Name] = im.Digest
		}
	}
	if len(digests) > 0 {
		o.addJSON("digests", digests)
	}
	first := r.Images[0]
	if first.Digest == "" {
		return o.list, o.err
	}
	o.add("digest", first.Digest)
	o.add("imageid", or(first.Config, first.Digest))
	o.addJSON("metadata", buildMetadata(first))
	o.addJSON("json", metadataJSON(r))
	if i := slices.IndexFunc(first.Attestations, func(a publish.AttestationReport) bool { return !sbom.IsType(a.PredicateType) }); i >= 0 {
		a := first.Attestations[i]
		if !dryRun { // those of a dry run are nowhere
			o.add("attestation-id", a.ID)
			o.add("attestation-url", a.URL)
		}
		if bundle := filepath.Join(dir, a.Bundle); exists(bundle) {
			o.add("bundle-path", bundle)
		}
	}
	return o.list, o.err
}

// outputs are outputs while they are made.
type outputs struct {
	list []Output
	err  error
}

func (o *outputs) add(name, value string) {
	if value != "" {
		o.list = append(o.list, Output{name, value})
	}
}

func (o *outputs) addJSON(name string, value any) {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(value); err != nil {
		o.err = err
	}
	o.add(name, strings.TrimSuffix(b.String(), "\n"))
}

// writtenRefs are the references that name their image now, or would after a dry run.
func writtenRefs(images []publish.ImageReport) []string {
	var out []string
	for _, im := range images {
		for _, t := range im.Tags {
			switch t.Action {
			case "created", "moved", "unchanged":
				out = append(out, t.Ref)
			}
		}
	}
	return out
}

// buildMetadata has the keys of `buildx build --metadata-file` that docker/build-push-action's output metadata has, of an
// image that was pushed.
func buildMetadata(im publish.ImageReport) map[string]any {
	out := map[string]any{
		"containerimage.digest":     im.Digest,
		"containerimage.descriptor": map[string]any{"mediaType": im.MediaType, "digest": im.Digest, "size": im.Size},
		"image.name":                strings.Join(writtenRefs([]publish.ImageReport{im}), ","),
	}
	if im.Config != "" {
		out["containerimage.config.digest"] = im.Config
	}
	return out
}

// ociPrefix begins the annotations that are labels as well.
const ociPrefix = "org.opencontainers.image."

// metadataJSON is docker/metadata-action's output json: the tags of all images, labels and annotations of the first.
func metadataJSON(r *publish.Report) map[string]any {
	refs := writtenRefs(r.Images)
	names := []string{}
	for _, ref := range refs {
		names = appendNew(names, tagOf(ref))
	}
	im := r.Images[0]
	level := "index"
	if strings.Contains(im.MediaType, "manifest.v") { // of one image, not a list of them
		level = "manifest"
	}
	labels := map[string]string{}
	annotations := []string{}
	for _, key := range slices.Sorted(maps.Keys(im.Annotations)) {
		value := im.Annotations[key]
		annotations = append(annotations, level+":"+key+"="+value)
		if strings.HasPrefix(key, ociPrefix) {
			labels[key] = value
		}
	}
	for key, value := range im.Labels {
		if labels[key] = value; value == "" {
			delete(labels, key)
		}
	}
	return map[string]any{"tags": append([]string{}, refs...), "tag-names": names, "labels": labels, "annotations": annotations}
}
