package tagrule

// kind is a type of rule. Adding one means a file with its value function and an entry in kinds.
type kind struct {
	name       string
	attributes []string // beside those that every type has
	required   []string
	later      []string // attributes that the original has and this version does not
	priority   int
	pattern    []string // expressions that its pattern takes
	value      func(Rule, Event) (made, string)
}

// made is what a rule gives, before prefix and suffix.
type made struct {
	text   string
	latest bool // latest=auto means true after this rule
	alias  bool // a pattern's text that leaves out a part of the version
}

// Names and default priorities are those of docker/metadata-action v6.
var kinds = []kind{
	{name: "raw", attributes: []string{"value"}, required: []string{"value"}, priority: 200, value: rawValue},
	{
		name: "semver", attributes: []string{"pattern", "value"}, required: []string{"pattern"}, later: []string{"match"},
		priority: 900, pattern: versionExpressions, value: semverValue,
	},
	{
		name: "pep440", attributes: []string{"pattern", "value"}, required: []string{"pattern"}, later: []string{"match"},
		priority: 900, pattern: versionExpressions, value: pep440Value,
	},
}

// laterKinds are types of the original that this version does not have.
var laterKinds = []string{"schedule", "match", "edge", "ref", "sha"}

// common are the attributes that every type has.
var common = []string{"enable", "prefix", "priority", "suffix", "type"}

func kindNames() []string {
	var names []string
	for _, k := range kinds {
		names = append(names, k.name)
	}
	return names
}
