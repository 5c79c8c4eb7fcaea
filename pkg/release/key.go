package release

// shape is what the value of a key looks like.
type shape int

const (
	text    shape = iota
	list          // of texts; a block of lines and a single text do as well
	texts         // a map of texts
	choice        // one of a few words
	object        // a map with keys of its own
	objects       // a list of those
)

// key is one key of the release file: the parser and the schema are made of it.
type key struct {
	name    string
	shape   shape
	doc     string
	words   []string // of a choice; the first is the default
	keys    []key    // of objects
	demands bool     // must be there
	later   bool     // known, but not supported by this version
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
var imageKeys = []key{
	{name: "name", demands: true, doc: "Unique; also the file name of the image's bundle."},
	{name: "source", shape: object, keys: sourceKeys, demands: true, doc: "Where the manifests come from: exactly one of oci, digests and image."},
	{name: "keep-attestations", shape: choice, words: []string{"false", "true"}, doc: "Keep BuildKit's attestations inside the index."},
	{name: "sbom", later: true},
	{name: "variants", later: true},
}

var sourceKeys = []key{
	{name: "oci", shape: list, doc: "OCI layouts (directory or tar) or a docker save tar: a path, a glob or a list."},
	{name: "ref", doc: "With oci: picks an image where there are several."},
	{name: "digests", shape: list, doc: "A directory whose file names are digests, or a list of digests."},
	{name: "repository", doc: "With digests: where the manifests are; default the first repository."},
	{name: "image", doc: "An image or index in any registry, copied whole."},
	{name: "require", later: true},
	{name: "dockerfile", later: true},
	{name: "context", later: true},
	{name: "target", later: true},
	{name: "args", later: true},
	{name: "secrets", later: true},
	{name: "contexts", later: true},
	{name: "cache-from", later: true},
	{name: "cache-to", later: true},
	{name: "builder", later: true},
	{name: "pull", later: true},
	{name: "no-cache", later: true},
	{name: "base", later: true},
	{name: "copy", later: true},
	{name: "entrypoint", later: true},
	{name: "cmd", later: true},
	{name: "env", later: true},
	{name: "user", later: true},
	{name: "workdir", later: true},
	{name: "ports", later: true},
	{name: "volumes", later: true},
	{name: "compression", later: true},
}

// level is a place where keys may stand.
type level struct {
	place string // for messages: where its keys belong
	keys  []key
}

func fileLevel() level {
	images := key{name: "images", shape: objects, keys: imageLevel().keys, demands: true, doc: "The first is the face of the repository: its index is pushed last, its tags are written last."}
	return level{"the top of the file", append(append([]key(nil), generalKeys...), images)}
}

func imageLevel() level {
	return level{"an entry of `images`", append(append([]key(nil), imageKeys...), generalKeys...)}
}

func sourceLevel() level { return level{"`source`", sourceKeys} }

func (l level) find(name string) (key, bool) {
	for _, k := range l.keys {
		if k.name == name {
			return k, true
		}
	}
	return key{}, false
}

// names are those of the keys that this version supports.
func (l level) names() []string {
	var names []string
	for _, k := range l.keys {
		if !k.later {
			names = append(names, k.name)
		}
	}
	return names
}
