package release

import (
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/pkg/tagrule"
)

var imageName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)

// resolver resolves one image, from its entry and from what stands above images.
type resolver struct {
	*document
	entry, general *node
	image          string
}

// entry is one line of a list.
type entry struct {
	text string
	at   position
}

// resolve checks the whole file: the keys of every level first, so that a mistyped key is not reported as a missing one.
func (d *document) resolve(root *node) ([]Image, error) {
	if err := checkKeys(root, fileLevel()); err != nil {
		return nil, err
	}
	list := root.value("images")
	switch {
	case list.kind != sequence:
		return nil, list.at.errorf("`images` is a list, not %s", list.kind)
	case len(list.items) == 0:
		return nil, list.at.errorf("`images` is empty")
	case len(list.items) > maxImages:
		return nil, list.at.errorf("`images` has %d entries; at most %d are read", len(list.items), maxImages)
	}
	for _, item := range list.items {
		if err := checkKeys(item, imageLevel()); err != nil {
			return nil, err
		}
		if err := checkKeys(item.value("source"), sourceLevel()); err != nil {
			return nil, err
		}
		if sbom := item.value(sbomKey.name); sbom != nil && sbom.kind == mapping {
			if err := checkKeys(sbom, sbomLevel()); err != nil {
				return nil, err
			}
		}
	}
	var images []Image
	first := map[string]int{}
	for _, item := range list.items {
		r := &resolver{document: d, entry: item, general: root}
		img, err := r.resolveImage()
		if err != nil {
			return nil, err
		}
		if line, ok := first[img.Name]; ok {
			return nil, item.value("name").at.errorf("image name `%s` stands at line %d already", img.Name, line)
		}
		first[img.Name] = item.value("name").at.line
		images = append(images, img)
	}
	return images, d.checkReferences(images)
}

func (r *resolver) resolveImage() (Image, error) {
	img := Image{Line: r.entry.at.line, Column: r.entry.at.column}
	for _, step := range []func(*Image) error{
		r.name, r.repositories, r.platforms, r.version, r.tags, r.choices, r.globs, r.metadata, r.source, r.sbom, r.checkKeepAttestations,
	} {
		if err := step(&img); err != nil {
			return Image{}, err
		}
	}
	return img, nil
}

// value is the node of a key: the image's own, else the general one, else nil.
func (r *resolver) value(name string) *node {
	if n := r.entry.value(name); n != nil {
		return n
	}
	return r.general.value(name)
}

// text is the value of a key on one line; empty without a node.
func (r *resolver) text(name string, n *node) (string, error) {
	if n == nil {
		return "", nil
	}
	out, err := r.expand(n, scope{image: r.image})
	if err != nil {
		return "", err
	}
	if strings.ContainsFunc(out, unicode.IsControl) {
		return "", n.at.errorf("`%s` has a control character: %s", name, quote(out))
	}
	return out, nil
}

func (r *resolver) name(img *Image) error {
	n := r.entry.value("name")
	out, err := r.expand(n, scope{})
	if err != nil {
		return err
	}
	if !imageName.MatchString(out) {
		return n.at.errorf("image name %s: it is 1 to 64 of a-z 0-9 . _ - and begins with a letter or digit", quote(out))
	}
	if strings.HasSuffix(out, ".sbom") {
		return n.at.errorf("image name %s: names that end in .sbom would share the file of an SBOM's bundle", quote(out))
	}
	img.Name, r.image = out, out
	return nil
}

// entries are the lines of a list, of a block of lines, or a single text. In a block, empty lines and those that begin
// with # do not count; an entry that is empty because a placeholder is does not, either.
func (r *resolver) entries(n *node, rule bool) ([]entry, error) {
	if n == nil {
		return nil, nil
	}
	var out []entry
	switch n.kind {
	case mapping:
		return nil, n.at.errorf("a list is asked for here, not %s", n.kind)
	case scalar:
		lines, err := r.blockLines(n, rule)
		if err != nil {
			return nil, err
		}
		out = lines
	case sequence:
		for _, item := range n.items {
			lines, err := r.blockLines(item, rule)
			if err != nil {
				return nil, err
			}
			if len(lines) == 0 && strings.TrimSpace(item.text) == "" {
				return nil, item.at.errorf("an empty entry")
			}
			out = append(out, lines...)
		}
	}
	if len(out) > maxEntries {
		return nil, n.at.errorf("%d entries; at most %d are read", len(out), maxEntries)
	}
	return out, nil
}

func (r *resolver) blockLines(n *node, rule bool) ([]entry, error) {
	whole, err := r.expand(n, scope{image: r.image, rule: rule})
	if err != nil {
		return nil, err
	}
	written := strings.Split(n.text, "\n")
	lines := strings.Split(whole, "\n")
	var out []entry
	for i, line := range lines {
		line = strings.TrimSpace(line)
		if line == "" || (n.block || len(lines) > 1) && line[0] == '#' {
			continue
		}
		at := n.at
		if n.block && len(written) == len(lines) {
			at = r.blockLine(n, i)
		}
		out = append(out, entry{line, at})
	}
	return out, nil
}

// blockLine is the place of a line in a literal block: the header's line is the one above the first.
func (d *document) blockLine(n *node, i int) position {
	line := n.at.line + 1 + i
	if line < 1 || line > len(d.lines) {
		return n.at
	}
	s := d.lines[line-1]
	return d.at(line, utf8.RuneCountInString(s)-utf8.RuneCountInString(strings.TrimLeft(s, " "))+1)
}

func (r *resolver) tags(img *Image) error {
	n := r.value("tags")
	if n == nil {
		return r.entry.at.errorf("image %s: missing key `tags`", img.Name).
			withHint("add it, or write `tags: []` to publish by digest alone")
	}
	lines, err := r.entries(n, true)
	if err != nil {
		return err
	}
	if len(lines) == 0 && (n.kind != sequence || len(n.items) > 0) {
		return n.at.errorf("`tags` is empty").withHint("write `tags: []` to publish by digest alone")
	}
	for _, line := range lines {
		rule, err := tagrule.Parse(line.text)
		if err != nil {
			return line.at.errorf("tag rule %s: %s", quote(line.text), err)
		}
		img.Tags = append(img.Tags, rule)
	}
	return r.flavor(img)
}

// flavor checks each line by itself, so that a mistake has its place; a later line overrides an earlier one.
func (r *resolver) flavor(img *Image) error {
	n := r.value("flavor")
	written, err := r.entries(n, true)
	if err != nil {
		return err
	}
	lines := make([]string, 0, len(written))
	for _, line := range written {
		if _, err := tagrule.ParseFlavor([]string{line.text}); err != nil {
			return line.at.errorf("flavor %s: %s", quote(line.text), err)
		}
		lines = append(lines, line.text)
	}
	if img.Flavor, err = tagrule.ParseFlavor(lines); err != nil {
		return n.at.errorf("flavor: %s", err)
	}
	return nil
}

func (r *resolver) version(img *Image) error {
	n := r.value("release-version")
	out, err := r.text("release-version", n)
	if err != nil || n == nil {
		return err
	}
	out = strings.TrimSpace(out)
	if strings.ContainsFunc(out, unicode.IsSpace) || len(out) > 256 {
		return n.at.errorf("release-version %s is not a version", quote(out))
	}
	img.ReleaseVersion = out
	return nil
}

func (r *resolver) choices(img *Image) error {
	k, _ := level{keys: generalKeys}.lookup("if-no-tags")
	word, err := r.choice(k, r.value(k.name))
	if err != nil {
		return err
	}
	img.IfNoTags = word
	word, err = r.choice(keepAttestations, r.value(keepAttestations.name))
	img.KeepAttestations = word == "true"
	return err
}

// choice is one of a key's words, the first without a node.
func (r *resolver) choice(k key, n *node) (string, error) {
	if n == nil {
		return k.words[0], nil
	}
	out, err := r.text(k.name, n)
	if err != nil {
		return "", err
	}
	if slices.Contains(k.words, out) {
		return out, nil
	}
	e := n.at.errorf("`%s` is %s; it is `%s`", k.name, quote(out), strings.Join(k.words, "` or `"))
	if k.shape == switchOrObject {
		e.Msg += ", or a map with `" + strings.Join(level{keys: k.keys}.names(), "`, `") + "`"
	}
	return "", e
}

func (r *resolver) globs(img *Image) error {
	for _, g := range []struct {
		key string
		to  *[]string
	}{{"fixed", &img.Fixed}, {"moving", &img.Moving}, {"allow-downgrade", &img.AllowDowngrade}} {
		lines, err := r.entries(r.value(g.key), false)
		if err != nil {
			return err
		}
		for _, line := range lines {
			if _, err := path.Match(line.text, ""); err != nil {
				return line.at.errorf("glob %s cannot be read: %s", quote(line.text), escape.Text(err.Error()))
			}
			*g.to = append(*g.to, line.text)
		}
	}
	return nil
}
