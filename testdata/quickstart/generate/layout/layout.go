// Package layout makes the quickstart's image: one text file for each of two platforms, as an OCI layout whose bytes
// are the same wherever and whenever it is made.
package layout

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"
)

// Name is the image's org.opencontainers.image.ref.name.
const Name = "hello"

const (
	typeIndex    = "application/vnd.oci.image.index.v1+json"
	typeManifest = "application/vnd.oci.image.manifest.v1+json"
	typeConfig   = "application/vnd.oci.image.config.v1+json"
	typeLayer    = "application/vnd.oci.image.layer.v1.tar+gzip"
)

var made = time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)

type platform struct {
	Architecture string `json:"architecture"`
	OS           string `json:"os"`
}

type descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int               `json:"size"`
	Annotations map[string]string `json:"annotations,omitempty"`
	Platform    *platform         `json:"platform,omitempty"`
}

type index struct {
	SchemaVersion int          `json:"schemaVersion"`
	MediaType     string       `json:"mediaType"`
	Manifests     []descriptor `json:"manifests"`
}

type manifest struct {
	SchemaVersion int          `json:"schemaVersion"`
	MediaType     string       `json:"mediaType"`
	Config        descriptor   `json:"config"`
	Layers        []descriptor `json:"layers"`
}

type config struct {
	Created time.Time `json:"created"`
	platform
	Config  struct{}  `json:"config"`
	RootFS  rootFS    `json:"rootfs"`
	History []history `json:"history"`
}

type rootFS struct {
	Type    string   `json:"type"`
	DiffIDs []string `json:"diff_ids"`
}

type history struct {
	Created   time.Time `json:"created"`
	CreatedBy string    `json:"created_by"`
}

// files are a layout under construction.
type files map[string][]byte

// Files is the layout: content by slash-separated path.
func Files() (map[string][]byte, error) {
	f := files{"oci-layout": []byte(`{"imageLayoutVersion":"1.0.0"}`)}
	image := index{SchemaVersion: 2, MediaType: typeIndex}
	for _, p := range []platform{{"amd64", "linux"}, {"arm64", "linux"}} {
		d, err := f.image(p)
		if err != nil {
			return nil, err
		}
		image.Manifests = append(image.Manifests, d)
	}
	d, err := f.document(typeIndex, image)
	if err != nil {
		return nil, err
	}
	d.Annotations = map[string]string{"org.opencontainers.image.ref.name": Name}
	f["index.json"], err = json.Marshal(index{SchemaVersion: 2, MediaType: typeIndex, Manifests: []descriptor{d}})
	return f, err
}

func (f files) image(p platform) (descriptor, error) {
	diff, err := layer(fmt.Sprintf("Hello from %s/%s. No tag names this image before it is attested.\n", p.OS, p.Architecture))
	if err != nil {
		return descriptor{}, err
	}
	zipped, err := compress(diff)
	if err != nil {
		return descriptor{}, err
	}
	c := config{
		Created: made, platform: p,
		RootFS:  rootFS{Type: "layers", DiffIDs: []string{digest(diff)}},
		History: []history{{made, "go run ./testdata/quickstart/generate"}},
	}
	m := manifest{SchemaVersion: 2, MediaType: typeManifest, Layers: []descriptor{f.blob(typeLayer, zipped)}}
	if m.Config, err = f.document(typeConfig, c); err != nil {
		return descriptor{}, err
	}
	d, err := f.document(typeManifest, m)
	d.Platform = &p
	return d, err
}

func (f files) document(mediaType string, v any) (descriptor, error) {
	raw, err := json.Marshal(v)
	return f.blob(mediaType, raw), err
}

func (f files) blob(mediaType string, content []byte) descriptor {
	d := digest(content)
	f["blobs/sha256/"+d[len("sha256:"):]] = content
	return descriptor{MediaType: mediaType, Digest: d, Size: len(content)}
}

func digest(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}

func layer(text string) ([]byte, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	h := &tar.Header{Typeflag: tar.TypeReg, Name: "hello.txt", Mode: 0o644, Size: int64(len(text)), ModTime: made, Format: tar.FormatUSTAR}
	if err := w.WriteHeader(h); err != nil {
		return nil, err
	}
	if _, err := w.Write([]byte(text)); err != nil {
		return nil, err
	}
	err := w.Close()
	return b.Bytes(), err
}

// compress makes a gzip stream that stores: a compressor's output may change with the Go release, and the digests with it.
func compress(content []byte) ([]byte, error) {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.NoCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(content); err != nil {
		return nil, err
	}
	err = w.Close()
	return b.Bytes(), err
}
