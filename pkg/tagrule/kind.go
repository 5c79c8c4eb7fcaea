package tagrule

// kind is a type of rule. Adding one means a file with its functions and an entry in kinds.
type kind struct {
	name       string
	attributes []string // beside those that every type has
	required   []string
	priority   int
	pattern    []string // expressions that its pattern takes; nil: its pattern, if it has one, is no template
	// check completes and checks the attributes that are no templates; nil: nothing to do.
	check func(*Rule) error
	// value is what the rule gives, or the reason why it gives nothing.
	value func(Rule, *facts) (made, string, error)
}

// made is what a rule gives, before prefix and suffix.
type made struct {
	text   string
	latest bool   // latest=auto means true after this rule
	alias  bool   // a pattern's text that leaves out a part of the version
	fixed  bool   // fixed whatever the text is
	kind   string // of a rule that reads a version: semver or pep440
	source string // and the version's text as it was read: after match=, with a dash for each slash

	version   fullVersion // what source says, without build metadata or local part
	whole     bool        // it is a full version
	spellings []string    // how a tag may write it
	varies    bool        // the suffix has an expression
	metadata  string      // build metadata or local part, as a tag writes it: -k3s1
}

// Names and default priorities are those of docker/metadata-action v6.
var kinds = []kind{
	{
		name: "schedule", attributes: []string{"pattern"}, priority: 1000, pattern: dateExpressions,
		check: checkSchedule, value: scheduleValue,
	},
	{
		name: "semver", attributes: []string{"match", "pattern", "value"}, required: []string{"pattern"},
		priority: 900, pattern: semverExpressions, check: checkVersionMatch, value: semverValue,
	},
	{
		name: "pep440", attributes: []string{"match", "pattern", "value"}, required: []string{"pattern"},
		priority: 900, pattern: versionExpressions, check: checkVersionMatch, value: pep440Value,
	},
	{
		name: "match", attributes: []string{"group", "pattern", "value"}, required: []string{"pattern"},
		priority: 800, check: checkMatch, value: matchValue,
	},
	{name: "edge", attributes: []string{"branch"}, priority: 700, value: edgeValue},
	{name: "ref", attributes: []string{"event"}, required: []string{"event"}, priority: 600, check: checkRef, value: refValue},
	{name: "raw", attributes: []string{"value"}, required: []string{"value"}, priority: 200, value: rawValue},
	{name: "sha", attributes: []string{"format"}, priority: 100, check: checkSHA, value: shaValue},
}

// common are the attributes that every type has.
var common = []string{"enable", "prefix", "priority", "suffix", "type"}

func kindNames() []string {
	var names []string
	for _, k := range kinds {
		names = append(names, k.name)
	}
	return names
}
