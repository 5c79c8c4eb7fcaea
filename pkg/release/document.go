package release

import (
	"bytes"
	"errors"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/taglast/taglast/internal/escape"
)

// Bounds of a release file beside its size. Aliases count as often as they are used.
const (
	maxDepth   = 32
	maxNodes   = 50_000
	maxText    = 4 << 20
	maxImages  = 1000
	maxEntries = 1000
)

type kind string

const (
	scalar   kind = "a text"
	sequence kind = "a list"
	mapping  kind = "a map"
)

// node is a value of the file with the text that is written and its place.
type node struct {
	kind   kind
	text   string
	block  bool // a scalar in block style (| or >)
	null   bool // nothing is written
	items  []*node
	fields []field
	at     position

	literal bool // a scalar that is one text as it stands, without placeholders
}

type field struct{ key, value *node }

// inline tells of a text on one line that could stand in [ ] as it is.
func (n *node) inline() bool {
	return n.text != "" && !n.block && !strings.ContainsAny(n.text, "\n[]{},#\"'")
}

// value is that of a key of a map, nil if it is not there.
func (n *node) value(name string) *node {
	if n == nil {
		return nil
	}
	for _, f := range n.fields {
		if f.key.text == name {
			return f.value
		}
	}
	return nil
}

// document is a release file while it is read.
type document struct {
	path   string
	data   []byte
	lines  []string
	getenv func(string) (string, bool)
	flags  bool // values come from flags, where the shell has replaced what it replaces

	nodes, bytes int

	// What one image of the file says of others, in the order of the file.
	imageContexts []imageContext
	cacheTargets  []cacheTarget
}

func newDocument(path string, data []byte, getenv func(string) (string, bool)) *document {
	if getenv == nil {
		getenv = os.LookupEnv
	}
	return &document{path: path, data: data, getenv: getenv}
}

func (d *document) at(line, column int) position { return position{d.path, line, column} }

// isForbidden tells of control characters that YAML does not allow in a file.
func isForbidden(c rune) bool {
	return unicode.IsControl(c) && c != '\t' && c != '\r' && c != '\u0085'
}

var syntaxLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// parseYAML reads YAML of a single document.
func (d *document) parseYAML() (*node, error) {
	if len(d.data) > maxFile {
		return nil, tooLarge(d.path)
	}
	d.data = bytes.TrimPrefix(d.data, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(d.data) {
		return nil, d.at(0, 0).errorf("the release file is not valid UTF-8")
	}
	d.lines = strings.Split(string(d.data), "\n")
	for i, line := range d.lines {
		if c := strings.IndexFunc(line, isForbidden); c >= 0 {
			return nil, d.at(i+1, utf8.RuneCountInString(line[:c])+1).errorf("a control character; in double quotes it is written as an escape")
		}
	}
	decoder := yaml.NewDecoder(bytes.NewReader(d.data))
	var root, more yaml.Node
	if err := decoder.Decode(&root); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, d.at(0, 0).errorf("the release file is empty")
		}
		return nil, d.syntaxError(err)
	}
	if err := decoder.Decode(&more); !errors.Is(err, io.EOF) {
		if err != nil {
			return nil, d.syntaxError(err)
		}
		return nil, d.at(more.Line, more.Column).errorf("a second YAML document; a release file has one")
	}
	return d.node(root.Content[0], 0)
}

// syntaxError is the library's error with our place; it names a line, at times the one above.
func (d *document) syntaxError(err error) error {
	m := syntaxLine.FindStringSubmatch(err.Error())
	if m == nil {
		return d.at(0, 0).errorf("%s", escape.Bounded(err.Error(), 300))
	}
	line := 1 // the only one that the library does not name
	if named, err := strconv.Atoi(m[1]); err == nil && named > 0 {
		line = named
	}
	if e := d.findBraces(line); e != nil {
		return e
	}
	e := d.at(line, 0).errorf("not valid YAML: %s", escape.Bounded(err.Error()[len(m[0]):], 300))
	if line <= len(d.lines) && strings.Contains(d.lines[line-1], "{{") {
		e.Hint = "quote a value with {{ or a comma: both mean something to YAML inside [ ]"
	}
	return e
}

func (d *document) node(y *yaml.Node, depth int) (*node, error) {
	at := d.at(y.Line, y.Column)
	if y.Kind == yaml.AliasNode {
		y = y.Alias
	}
	d.nodes++
	d.bytes += len(y.Value)
	switch {
	case depth > maxDepth:
		return nil, at.errorf("nested more than %d deep", maxDepth)
	case d.nodes > maxNodes || d.bytes > maxText:
		return nil, at.errorf("too much: aliases included, a release file has at most %d values and %d bytes of text", maxNodes, maxText)
	case y.Style&yaml.TaggedStyle != 0:
		return nil, at.errorf("YAML tag %s; every value here is the text that is written", quote(y.Tag))
	}
	n := &node{at: at}
	switch y.Kind {
	case yaml.ScalarNode:
		n.kind, n.text = scalar, y.Value
		n.block = y.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0
		n.null = y.Tag == "!!null" && y.Value == ""
	case yaml.SequenceNode:
		n.kind = sequence
		for _, c := range y.Content {
			item, err := d.node(c, depth+1)
			if err != nil {
				return nil, err
			}
			n.items = append(n.items, item)
		}
	case yaml.MappingNode:
		n.kind = mapping
		if opensBraces(y) {
			return nil, d.bracesError(y.Line, y.Column)
		}
		for i := 0; i+1 < len(y.Content); i += 2 {
			f, err := d.field(y.Content[i], y.Content[i+1], depth+1)
			if err != nil {
				return nil, err
			}
			n.fields = append(n.fields, f)
		}
	default:
		return nil, at.errorf("a kind of YAML value that a release file does not have")
	}
	return n, nil
}

func (d *document) field(k, v *yaml.Node, depth int) (field, error) {
	key, err := d.node(k, depth)
	if err != nil {
		return field{}, err
	}
	if key.kind != scalar {
		return field{}, key.at.errorf("a key is a text, not %s", key.kind)
	}
	if strings.Contains(key.text, "${{") {
		return field{}, d.expressionError(key)
	}
	value, err := d.node(v, depth)
	return field{key, value}, err
}

// opensBraces tells of {{…}}, which YAML reads as a map with a map for a key.
func opensBraces(y *yaml.Node) bool {
	if y.Style&yaml.FlowStyle == 0 || len(y.Content) == 0 {
		return false
	}
	k := y.Content[0]
	return k.Kind == yaml.MappingNode && k.Style&yaml.FlowStyle != 0 && k.Line == y.Line && k.Column == y.Column+1
}
