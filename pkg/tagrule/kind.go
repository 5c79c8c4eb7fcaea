package tagrule

import "github.com/taglast/taglast/pkg/tagrule/internal/js"

// kind is a type of rule. To add one, add a file with its functions and an entry in kinds.
type kind struct {
	name       string
	attributes []string // beside those that every type has
	required   []string
	priority   int
	pattern    *js.Vocabulary // expressions that its pattern takes; nil: its pattern, if it has one, is no template
	// check completes and checks the attributes that are no templates; nil: there is nothing to check.
	check func(*Rule) error
	// value is what the rule gives, or the reason why it gives nothing.
	value func(Rule, *evaluation) (ruleValue, string, error)
	// patternText renders the rule's pattern with a version, whatever the event; ok is false where that is no version of this
	// type. nil: its pattern, if it has one, is no template over a version.
	patternText func(r Rule, v fullVersion) (text string, ok bool)
}

// ruleValue is what a rule gives, before prefix and suffix.
type ruleValue struct {
	text   string
	latest bool // with latest=auto there is a latest tag after this rule
	alias  bool // the text is of a pattern that leaves out a part of the version
	fixed  bool // the tag is fixed whatever its text is
	// source is the text that a semver, pep440 or match rule read. That of the first two is a version: match= is applied, and
	// a dash stands for each slash.
	source string

	// What follows is of semver and pep440 rules only.
	kind          string      // kindSemver or kindPEP440; empty for rules of other types
	version       fullVersion // what source says, without build metadata or local part
	isFullVersion bool        // version is one
	spellings     []string    // how a tag may write the version
	metadata      string      // build metadata or local part, as a tag writes it: -k3s1

	prefixVaries, suffixVaries bool // the affix has an expression
}

const (
	kindSemver = "semver"
	kindPEP440 = "pep440"
	kindMatch  = "match"
)

// kinds has the names and default priorities of docker/metadata-action v6.
var kinds = []kind{
	{
		name: "schedule", attributes: []string{"pattern"}, priority: 1000, pattern: &dateExpressions,
		check: checkSchedule, value: scheduleValue,
	},
	{
		name: kindSemver, attributes: []string{"match", "pattern", "value"}, required: []string{"pattern"},
		priority: 900, pattern: &semverExpressions, check: checkVersionMatch, value: semverValue, patternText: semverPatternText,
	},
	{
		name: kindPEP440, attributes: []string{"match", "pattern", "value"}, required: []string{"pattern"},
		priority: 900, pattern: &versionExpressions, check: checkVersionMatch, value: pep440Value, patternText: pep440PatternText,
	},
	{
		name: kindMatch, attributes: []string{"group", "pattern", "value"}, required: []string{"pattern"},
		priority: 800, check: checkMatch, value: matchValue,
	},
	{name: "edge", attributes: []string{"branch"}, priority: 700, value: edgeValue},
	{name: "ref", attributes: []string{"event"}, required: []string{"event"}, priority: 600, check: checkRef, value: refValue},
	{name: "raw", attributes: []string{"value"}, required: []string{"value"}, priority: 200, value: rawValue},
	{name: "sha", attributes: []string{"format"}, priority: 100, check: checkSHA, value: shaValue},
}

// commonAttributes are those that every type has.
var commonAttributes = []string{"enable", "prefix", "priority", "suffix", "type"}

func kindNames() []string {
	var names []string
	for _, k := range kinds {
		names = append(names, k.name)
	}
	return names
}
