// Package tagrule evaluates tag rules in docker/metadata-action's grammar (v6) over a git event: which tags an image
// gets, in which order, and which of them are fixed and which move.
//
// It is pure: no network, no environment, no clock; what a rule may look at stands in the Event. A rule is one line
// (Parse), a flavor a few (ParseFlavor), and Evaluate gives the tags. Each type of rule has a file of its own. What the
// original takes from JavaScript (Handlebars templates, moment.js formats, regular expressions, numbers) is in internal/js.
// Where the original is lenient (an attribute that nobody reads, an expression that nobody knows, a tag that no registry
// takes) this package returns an error; where both give tags they are the same.
package tagrule

import "time"

// Event is what of a git event the rules may look at.
type Event struct {
	Name    string // GITHUB_EVENT_NAME: push, release, workflow_dispatch, …
	Ref     string // GITHUB_REF in full: refs/tags/v1.2.3
	Version string // the release-version; empty where none is given
	SHA     string // the commit; empty where none is known

	DefaultBranch string // of the repository; empty where it is not known
	BaseRef       string // {{base_ref}}: the branch of a tag or of a pull request's base, without refs/heads/

	ShortSHA int       // characters of a short SHA; 0 is 7
	Now      time.Time // {{date}}; Evaluate never looks at the clock
	// CommitDate is {{commit_date}}; nil is Now. Evaluate calls it at most once, and only if a rule asks.
	CommitDate func() (time.Time, error)
}

// Class says whether a tag may ever name another digest.
type Class string

// The classes.
const (
	Fixed  Class = "fixed"  // a version: created once, never written over another digest
	Moving Class = "moving" // an alias: names the newest image of its kind
)

// Tag is one tag of an image.
type Tag struct {
	Text   string
	Class  Class
	Rule   string // the line of the first rule that gave it, as written; where the flavor alone gives it, the flavor
	Latest bool   // the flavor gives this tag

	prefix, suffix string    // of the rule, as they stand in Text
	value          ruleValue // what the rule gave between them
	ruleIndex      int       // of the rule in Result.rules; noRule for the flavor's latest
}

// Outcome is what one rule gave.
type Outcome struct {
	Rule   string // the line as written
	Gave   string // the text of its tag
	Reason string // why it gave none; empty where it gave one
}

// Result is what the rules give for one event.
type Result struct {
	Version string // text of the first tag: the original's "version" output; empty without tags
	Tags    []Tag  // by priority, then as written; the flavor's latest last; each text once
	// Outcomes has one entry for each rule, in the order of the rules, and one for latest where the flavor gives it.
	Outcomes []Outcome

	rules []Rule
}

// Skipped are the outcomes of the rules that gave no tag.
func (r Result) Skipped() []Outcome {
	var out []Outcome
	for _, o := range r.Outcomes {
		if o.Reason != "" {
			out = append(out, o)
		}
	}
	return out
}

// DefaultRules are the rules that are used where none is written.
func DefaultRules() []string {
	return []string{"type=schedule", "type=ref,event=branch", "type=ref,event=tag", "type=ref,event=pr"}
}

const (
	tagRef    = "refs/tags/"
	branchRef = "refs/heads/"
	pullRef   = "refs/pull/"
)
