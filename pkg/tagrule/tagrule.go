// Package tagrule evaluates tag rules in docker/metadata-action's grammar (v6) over a git event: which tags an image
// gets, in which order, and which of them are fixed and which move.
//
// It is pure: no network, no environment, no clock. A rule is one line (Parse), a flavor a few (ParseFlavor), and
// Evaluate makes the tags. Each type of rule has a file of its own. Where the original is lenient (an attribute that
// nobody reads, a tag that no registry takes) this package returns an error; where both give tags they are the same.
package tagrule

// Event is what of a git event the rules may look at.
type Event struct {
	Name    string // GITHUB_EVENT_NAME: push, release, workflow_dispatch, …
	Ref     string // GITHUB_REF in full: refs/tags/v1.2.3
	Version string // the release-version; empty where none is given
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
	Rule   string // the line of the first rule that made it, as written; of a tag that the flavor alone made: the flavor
	Latest bool   // the flavor makes this tag
	// Prefix and Suffix are the rule's, as they stand in Text.
	Prefix, Suffix string
}

// Skip is a rule that gave no tag.
type Skip struct {
	Rule   string // the line as written
	Reason string
}

// Result is what the rules give for one event.
type Result struct {
	Version string // text of the first tag: the original's "version" output; empty without tags
	Tags    []Tag  // by priority, then as written; the flavor's latest last; each text once
	Skipped []Skip // in the order of the rules
}

const tagRef = "refs/tags/"
