package release

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/taglast/taglast/internal/platform"
)

// maxAnnotations bounds keys and values of an image's annotations and labels, each: registries refuse large manifests.
const maxAnnotations = 64 << 10

var annotationLevel = regexp.MustCompile(`^([a-z-]+)(?:\[([^\]]*)\])?$`)

// metadata resolves annotations and labels: a map on the image extends the general one.
func (r *resolver) metadata(img *Image) error {
	annotations := map[Annotation]string{} // keys without value
	labels := map[string]string{}
	for _, level := range []*node{r.general, r.entry} {
		fields, err := r.pairs(level.value("annotations"), "annotation")
		if err != nil {
			return err
		}
		own := map[Annotation]bool{}
		for _, f := range fields {
			keys, err := annotationKeys(f)
			if err != nil {
				return err
			}
			for _, k := range keys {
				if own[k] {
					return f.at.errorf("annotation %s stands twice", quote(f.key))
				}
				own[k], annotations[k] = true, f.value
			}
		}
		if fields, err = r.pairs(level.value("labels"), "label"); err != nil {
			return err
		}
		for _, f := range fields {
			labels[f.key] = f.value
		}
	}
	total := 0
	for k, v := range annotations {
		k.Value = v
		img.Annotations = append(img.Annotations, k)
		total += len(k.Key) + len(v)
	}
	if total > maxAnnotations {
		return r.value("annotations").at.errorf("annotations of image %s: %d bytes; at most %d", img.Name, total, maxAnnotations)
	}
	slices.SortFunc(img.Annotations, func(a, b Annotation) int {
		return cmp.Or(cmp.Compare(a.Level, b.Level), platform.Platform(a.Platform).Compare(platform.Platform(b.Platform)), cmp.Compare(a.Key, b.Key))
	})
	total = 0
	for k, v := range labels {
		total += len(k) + len(v)
	}
	if total > maxAnnotations {
		return r.value("labels").at.errorf("labels of image %s: %d bytes; at most %d", img.Name, total, maxAnnotations)
	}
	if len(labels) > 0 {
		img.Labels = labels
	}
	return nil
}

// checkKeepAttestations refuses labels and annotations that would change manifests whose digests BuildKit's attestations
// name.
func (r *resolver) checkKeepAttestations(img *Image) error {
	if !img.KeepAttestations {
		return nil
	}
	at := r.value("keep-attestations").at
	_, built := img.Source.(DockerfileSource) // a builder sets labels before it attests
	if len(img.Labels) > 0 && !built {
		return at.errorf("`keep-attestations` and `labels` exclude each other: a label changes the manifest that the attestation is about")
	}
	for _, a := range img.Annotations {
		if a.Level == LevelManifest {
			return at.errorf("`keep-attestations` and the annotation %s of manifests exclude each other: it changes the manifest that the attestation is about", quote(a.Key))
		}
	}
	return nil
}

// pair is one key and value of a map of texts.
type pair struct {
	key, value  string
	null        bool     // nothing is written for a value
	at, valueAt position // of the key, of the value
}

func (r *resolver) pairs(n *node, what string) ([]pair, error) {
	if n == nil || n.null {
		return nil, nil
	}
	if n.kind != mapping {
		return nil, n.at.errorf("a map of %ss is asked for here, not %s", what, n.kind)
	}
	if len(n.fields) > maxEntries {
		return nil, n.at.errorf("%d %ss; at most %d are read", len(n.fields), what, maxEntries)
	}
	var out []pair
	first := map[string]bool{}
	for _, f := range n.fields {
		key := f.key.text
		if first[key] {
			return nil, f.key.at.errorf("repeated key %s", quote(key))
		}
		first[key] = true
		value, err := r.expand(f.value, scope{image: r.image})
		if err != nil {
			return nil, err
		}
		if strings.TrimSpace(key) == "" || strings.ContainsFunc(key, unicode.IsControl) {
			return nil, f.key.at.errorf("%s key %s is empty or has a control character", what, quote(key))
		}
		if strings.ContainsFunc(value, unicode.IsControl) {
			e := f.value.at.errorf("%s %s has a control character in its value", what, quote(key))
			if f.value.block {
				e.Hint = "a block keeps its line breaks; write the value in quotes on one line"
			}
			return nil, e
		}
		out = append(out, pair{key, value, f.value.null, f.key.at, f.value.at})
	}
	return out, nil
}

// annotationKeys reads buildx's prefixes: index:, manifest:, manifest[os/arch]:, several with commas; none is the index.
func annotationKeys(p pair) ([]Annotation, error) {
	prefix, key, found := strings.Cut(p.key, ":")
	if !found {
		return []Annotation{{Level: LevelIndex, Key: p.key}}, nil
	}
	var out []Annotation
	for _, one := range strings.Split(prefix, ",") {
		m := annotationLevel.FindStringSubmatch(one)
		if m == nil || m[1] != LevelIndex && m[1] != LevelManifest || m[1] == LevelIndex && one != LevelIndex || key == "" {
			return nil, p.at.errorf("annotation %s: before the colon stands index, manifest or manifest[os/arch]", quote(p.key))
		}
		a := Annotation{Level: m[1], Key: key}
		if one != m[1] {
			var err error
			if a.Platform, err = ParsePlatform(m[2]); err != nil {
				return nil, p.at.errorf("annotation %s: %s", quote(p.key), err)
			}
		}
		out = append(out, a)
	}
	return out, nil
}
