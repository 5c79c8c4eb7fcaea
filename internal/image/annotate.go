package image

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/taglast/taglast/internal/platform"
	"github.com/taglast/taglast/internal/registry"
	"github.com/taglast/taglast/pkg/release"
)

// withIndexAnnotations is m with the index annotations among changes set, or removed where they are empty.
func withIndexAnnotations(m map[string]string, changes []release.Annotation) map[string]string {
	out := maps.Clone(m)
	if out == nil {
		out = map[string]string{}
	}
	for _, a := range changes {
		if a.Level != release.LevelManifest {
			setOrDelete(out, a.Key, a.Value)
		}
	}
	return out
}

func setOrDelete(m map[string]string, key, value string) {
	if value == "" {
		delete(m, key)
		return
	}
	m[key] = value
}

// onManifests are annotations of an index as those of its manifests.
func onManifests(annotations []release.Annotation) []release.Annotation {
	out := slices.Clone(annotations)
	for i := range out {
		out[i].Level = release.LevelManifest
	}
	return out
}

// rewriteAll sets labels and manifest annotations on images, in place; one that already has them stays as it is.
func (r Request) rewriteAll(ctx context.Context, images []*sourceManifest, all []release.Annotation) (changed bool, err error) {
	used := make([]bool, len(all))
	for _, f := range images {
		annotations := maps.Clone(f.doc.Annotations)
		if annotations == nil {
			annotations = map[string]string{}
		}
		for i, a := range all {
			if a.Level != release.LevelManifest {
				continue
			}
			if a.Platform != (release.Platform{}) && platform.Platform(a.Platform) != f.platform.normalName() {
				continue
			}
			used[i] = true
			setOrDelete(annotations, a.Key, a.Value)
		}
		rewritten, err := f.rewrite(ctx, annotations, r.Labels)
		if err != nil {
			return false, fmt.Errorf("%s: manifest %s: %w", f.where, f.Digest, err)
		}
		changed = changed || rewritten
	}
	for i, a := range all {
		if a.Level == release.LevelManifest && !used[i] {
			return false, fmt.Errorf("annotation manifest[%s]:%s: no %s; found %s", a.Platform, a.Key, a.Platform, describePlatforms(images))
		}
	}
	return changed, nil
}

// rewrite gives f annotations and labels. Its content changes, and with it its digest, only where they differ.
func (f *sourceManifest) rewrite(ctx context.Context, annotations, labels map[string]string) (bool, error) {
	var config *registry.Blob
	if len(labels) > 0 {
		d, err := f.doc.Config.checked()
		if err != nil {
			return false, err
		}
		raw, err := loadConfig(ctx, f.content, d)
		if err != nil {
			return false, err
		}
		edited, changed, err := setLabels(raw, labels)
		if err != nil {
			return false, fmt.Errorf("config %s: %w", d.Digest, err)
		}
		if changed {
			b := blobOf(edited, types.OCIConfigJSON)
			config = &b
		}
	}
	if config == nil && maps.Equal(annotations, f.doc.Annotations) {
		return false, nil
	}
	raw, err := editManifest(f.Raw, config, annotations)
	if err != nil {
		return false, err
	}
	m, err := newManifest(raw, types.OCIManifestSchema1)
	if err != nil {
		return false, err
	}
	doc, err := parseManifest(raw)
	if err != nil {
		return false, err
	}
	f.Manifest, f.doc, f.repositories = m, doc, nil
	if config != nil {
		f.blobs[0] = *config
	}
	for i := range f.blobs {
		f.blobs[i].MediaType = ociType(f.blobs[i].MediaType)
	}
	return true, nil
}

// setLabels edits config.Labels of an image config (OCI image specification, "Image Configuration") and nothing else.
func setLabels(raw []byte, labels map[string]string) (edited []byte, changed bool, err error) {
	var whole, config map[string]json.RawMessage
	var have map[string]string
	if err := json.Unmarshal(raw, &whole); err != nil {
		return nil, false, err
	}
	if err := decodeField(whole, "config", &config); err != nil {
		return nil, false, err
	}
	if err := decodeField(config, "Labels", &have); err != nil {
		return nil, false, err
	}
	want := maps.Clone(have)
	if want == nil {
		want = map[string]string{}
	}
	for key, value := range labels {
		setOrDelete(want, key, value)
	}
	if maps.Equal(want, have) {
		return raw, false, nil
	}
	if config == nil {
		config = map[string]json.RawMessage{}
	}
	if config["Labels"], err = encode(want); err != nil {
		return nil, false, err
	}
	if len(want) == 0 {
		delete(config, "Labels")
	}
	if whole["config"], err = encode(config); err != nil {
		return nil, false, err
	}
	edited, err = encode(whole)
	return edited, true, err
}

// decodeField decodes a field that may be absent.
func decodeField(m map[string]json.RawMessage, key string, to any) error {
	raw, ok := m[key]
	if !ok {
		return nil
	}
	if err := json.Unmarshal(raw, to); err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	return nil
}

// editManifest gives a manifest another config (nil keeps it) and annotations and makes it an OCI manifest. Fields that
// are not ours to change stay.
func editManifest(raw []byte, config *registry.Blob, annotations map[string]string) ([]byte, error) {
	var whole, conf map[string]json.RawMessage
	var layers []map[string]json.RawMessage
	if err := json.Unmarshal(raw, &whole); err != nil {
		return nil, err
	}
	if err := errors.Join(decodeField(whole, "config", &conf), decodeField(whole, "layers", &layers)); err != nil {
		return nil, err
	}
	if conf == nil {
		return nil, errors.New("it has no config")
	}
	if config != nil {
		delete(conf, "data") // the old config, inlined
		for key, value := range map[string]any{"digest": config.Digest.String(), "size": config.Size} {
			if err := encodeField(conf, key, value); err != nil {
				return nil, err
			}
		}
	}
	for _, d := range append(layers, conf) {
		var t types.MediaType
		if err := decodeField(d, "mediaType", &t); err != nil {
			return nil, err
		}
		if err := encodeField(d, "mediaType", ociType(t)); err != nil {
			return nil, err
		}
	}
	if layers == nil {
		layers = []map[string]json.RawMessage{}
	}
	for key, value := range map[string]any{
		"mediaType": types.OCIManifestSchema1, "config": conf, "layers": layers, "annotations": annotations,
	} {
		if err := encodeField(whole, key, value); err != nil {
			return nil, err
		}
	}
	if len(annotations) == 0 {
		delete(whole, "annotations")
	}
	return encode(whole)
}

func encodeField(m map[string]json.RawMessage, key string, value any) (err error) {
	m[key], err = encode(value)
	return err
}

// ociType is the OCI media type of the same content; other types stay.
func ociType(t types.MediaType) types.MediaType {
	switch t {
	case types.DockerConfigJSON:
		return types.OCIConfigJSON
	case types.DockerLayer:
		return types.OCILayer
	case types.DockerUncompressedLayer:
		return types.OCIUncompressedLayer
	}
	if compression, ok := strings.CutPrefix(string(t), string(types.DockerUncompressedLayer)+"."); ok {
		// BuildKit writes tar.zstd in this form.
		return types.OCIUncompressedLayer + "+" + types.MediaType(compression)
	}
	return t
}
