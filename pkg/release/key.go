package release

import "strings"

// shape is what the value of a key looks like.
type shape int

const (
	text      shape = iota
	list            // of texts; a block of lines and a single text do as well
	texts           // a map of texts
	variables       // a map of texts, or a list of NAME=VALUE
	choice          // one of a few words
	object          // a map with keys of its own
	objects         // a list of those

	switchOrObject // one of a few words, or a map with keys of its own
)

// key is one key of the release file: parser and schema are both derived from the table of keys.
type key struct {
	name        string
	shape       shape
	doc         string
	words       []string // of a choice; the first is the default
	keys        []key    // of an object
	required    bool     // it must be there
	unsupported bool     // known, but not supported by this version
}

// generalKeys may stand above images, for all of them, or on one.
var generalKeys = []key{
	{name: "repositories", shape: list, doc: "Every image goes to each of these, with the same digest. {{image}} is the image's name."},
	{name: "platforms", shape: list, doc: "The platforms that the source must have; more are kept."},
	{name: "release-version", doc: "The version, for releases that are not started by a git tag."},
	{name: "tags", shape: list, doc: "Tag rules in docker/metadata-action's grammar; a bare word is itself. Required; [] publishes by digest alone."},
	{name: "flavor", shape: list, doc: "What all tag rules have in common: latest=auto|true|false, prefix=, suffix=, onlatest=."},
	{name: "annotations", shape: texts, doc: "Of the index; with manifest: or manifest[os/arch]: before the key, of manifests. An empty value removes one."},
	{name: "labels", shape: texts, doc: "Of the config of each manifest. An empty value removes one."},
	{name: "if-no-tags", shape: choice, words: []string{IfNoTagsError, IfNoTagsSkip}, doc: "What to do with an image for which no rule gives a tag."},
	{name: "fixed", shape: list, doc: "Globs of tags that must never move."},
	{name: "moving", shape: list, doc: "Globs of tags that may move."},
	{name: "allow-downgrade", shape: list, doc: "Globs of aliases that may go back to an older version."},
}

// imageKeys are those of an entry of images beside the general ones.
func imageKeys() []key {
	return []key{
		{name: "name", required: true, doc: "Unique; also the file name of the image's bundle."},
		{name: "source", shape: object, keys: sourceKeys(), required: true, doc: "Where the manifests come from: exactly one of " + enumerate(SourceKinds()) + "."},
		keepAttestations,
		sbomKey,
		{name: "variants", unsupported: true},
	}
}

var keepAttestations = key{
	name: "keep-attestations", shape: choice, words: []string{"false", "true"}, doc: "Keep BuildKit's attestations inside the index.",
}

// unsupportedSourceKeys are keys of sources that this version refuses by name, because a later one may have them. A key that a kind of this version has does not count.
var unsupportedSourceKeys = []string{
	"require", "base", "copy", "entrypoint", "cmd", "env", "user", "workdir", "ports", "volumes", "compression",
}

// sourceKeys are those of all kinds of sources, each once.
func sourceKeys() []key {
	var l level
	for _, kind := range sourceKinds() {
		for _, k := range kind.keys {
			l.add(k)
		}
	}
	for _, name := range unsupportedSourceKeys {
		l.add(key{name: name, unsupported: true})
	}
	return l.keys
}

// level is a place where keys may stand.
type level struct {
	place string // for messages: where its keys belong
	keys  []key
}

func fileLevel() level {
	images := key{name: "images", shape: objects, keys: imageLevel().keys, required: true, doc: "The first is the face of the repository: its index is pushed last, its tags are written last."}
	return level{"the top of the file", append(append([]key(nil), generalKeys...), images)}
}

func imageLevel() level {
	return level{"an entry of `images`", append(append([]key(nil), imageKeys()...), generalKeys...)}
}

func sourceLevel() level { return level{"`source`", sourceKeys()} }

func (l level) lookup(name string) (key, bool) {
	for _, k := range l.keys {
		if k.name == name {
			return k, true
		}
	}
	return key{}, false
}

// add appends a key whose name is not there yet.
func (l *level) add(k key) {
	if _, ok := l.lookup(k.name); !ok {
		l.keys = append(l.keys, k)
	}
}

// names are those of the keys that this version supports.
func (l level) names() []string {
	var names []string
	for _, k := range l.keys {
		if !k.unsupported {
			names = append(names, k.name)
		}
	}
	return names
}

// enumerate joins words as a sentence has them: a, b and c.
func enumerate(words []string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " and " + words[last]
}
