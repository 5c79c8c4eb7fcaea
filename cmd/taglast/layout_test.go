package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

type object = map[string]any

// layout is a copy of the quickstart's OCI layout, to be spoilt.
type layout struct {
	ts  *testscript.TestScript
	dir string
}

// cmdLayout writes a layout: `layout DIR` a good one, `layout KIND DIR` one that is spoilt in a way.
func cmdLayout(ts *testscript.TestScript, _ bool, args []string) {
	kind := ""
	if len(args) == 2 {
		kind, args = args[0], args[1:]
	}
	l := layout{ts, ts.MkAbs(args[0])}
	ts.Check(os.CopyFS(l.dir, os.DirFS(quickstart)))
	image := l.images()[0]
	manifest := l.read(image)
	switch kind {
	case "":
	case "manifest", "config", "layer": // one byte of it is another
		victim := map[string]object{"manifest": image, "config": child(manifest, "config"), "layer": list(manifest, "layers")[0]}[kind]
		raw := l.raw(victim)
		raw[len(raw)-1] ^= 1
		l.write(blob(victim), raw)
	case "sha512":
		image["digest"] = "sha512:" + strings.Repeat("a", 128)
		l.index(image)
	case "leaving": // a digest that is a path
		image["digest"] = "sha256:../../../../etc/passwd"
		l.index(image)
	case "loop": // an index that lists itself: no hash can do that, so its content cannot have its digest
		self := object{"mediaType": "application/vnd.oci.image.index.v1+json", "digest": image["digest"], "size": image["size"]}
		raw := encode(indexOf(self))
		self["size"] = len(raw)
		l.write(blob(self), encode(indexOf(self)))
		l.index(self)
	case "deep": // indexes in indexes
		d := image
		for range 5 {
			d = l.add("application/vnd.oci.image.index.v1+json", encode(indexOf(d)))
		}
		l.index(d)
	case "many": // more than 64 children
		l.index(l.add("application/vnd.oci.image.index.v1+json", encode(indexOf(slices.Repeat([]object{image}, 65)...))))
	case "big": // a manifest over 4 MiB
		manifest["annotations"] = object{"a": strings.Repeat("a", 4<<20)}
		l.index(l.add("application/vnd.oci.image.manifest.v1+json", encode(manifest)))
	case "amd64": // one platform alone
		l.index(image)
	case "annotated": // foreign text that would act on a terminal and on the runner
		manifest["annotations"] = object{"\x1b[31m": "\n::set-output name=a::b"}
		manifest["mediaType"] = "application/\x1b]0;title\a\n::error::foreign"
		l.index(l.add("application/vnd.oci.image.manifest.v1+json", encode(manifest)))
	default:
		ts.Fatalf("layout: unknown kind %s", kind)
	}
}

var quickstart = filepath.Join("..", "..", "testdata", "quickstart", "image")

// images are the descriptors of the layout's two images.
func (l layout) images() []object {
	var top object
	l.ts.Check(json.Unmarshal([]byte(l.ts.ReadFile(filepath.Join(l.dir, "index.json"))), &top))
	found := list(top, "manifests")
	if len(found) == 1 {
		return list(l.read(found[0]), "manifests")
	}
	return found
}

func (l layout) raw(d object) []byte {
	raw, err := os.ReadFile(filepath.Join(l.dir, blob(d)))
	l.ts.Check(err)
	return raw
}

func (l layout) read(d object) object {
	var out object
	l.ts.Check(json.Unmarshal(l.raw(d), &out))
	return out
}

func (l layout) write(name string, content []byte) {
	l.ts.Check(os.WriteFile(filepath.Join(l.dir, name), content, 0o600))
}

// add keeps a document and gives its descriptor.
func (l layout) add(mediaType string, raw []byte) object {
	sum := sha256.Sum256(raw)
	d := object{"mediaType": mediaType, "digest": "sha256:" + hex.EncodeToString(sum[:]), "size": len(raw)}
	l.write(blob(d), raw)
	return d
}

// index writes index.json.
func (l layout) index(tops ...object) { l.write("index.json", encode(indexOf(tops...))) }

func indexOf(manifests ...object) object {
	return object{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": manifests}
}

func encode(v any) []byte {
	var b bytes.Buffer
	if err := json.NewEncoder(&b).Encode(v); err != nil {
		panic(err) // maps of strings and numbers always encode
	}
	return b.Bytes()
}

func blob(d object) string {
	return filepath.Join("blobs", strings.Replace(fmt.Sprint(d["digest"]), ":", string(filepath.Separator), 1))
}

func child(o object, name string) object {
	c, _ := o[name].(object)
	return c
}

func list(o object, name string) []object {
	var out []object
	all, _ := o[name].([]any)
	for _, v := range all {
		d, _ := v.(object)
		out = append(out, d)
	}
	return out
}
