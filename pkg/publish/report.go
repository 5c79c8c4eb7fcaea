package publish

// Report is what became of a release: report.json, and the output of `publish --format json` and `plan --format json`.
type Report struct {
	SchemaVersion int           `json:"schemaVersion"` // 1
	Version       string        `json:"version"`
	DryRun        bool          `json:"dryRun"`
	Outcome       Outcome       `json:"outcome"`
	Images        []ImageReport `json:"images"`
	Error         *ErrorReport  `json:"error,omitempty"` // nil where the run did not fail

	// What the person watching is told and the document does not hold.
	Took  Took   `json:"-"`
	Event string `json:"-"` // the event by its name, as GITHUB_EVENT_NAME gives it
}

// Outcome of a run.
type Outcome string

// The outcomes.
const (
	Published Outcome = "published"
	Failed    Outcome = "failed"  // no tag changed
	Partial   Outcome = "partial" // a tag may have changed
	Planned   Outcome = "planned"
)

// ImageReport is one image of the release.
type ImageReport struct {
	Name         string              `json:"name"`
	Digest       string              `json:"digest,omitempty"` // absent in a plan, where only a build can tell
	MediaType    string              `json:"mediaType,omitempty"`
	Adopted      bool                `json:"adopted"`
	Skipped      bool                `json:"skipped,omitempty"`
	Reason       string              `json:"reason,omitempty"` // why it was skipped
	Repositories []string            `json:"-"`
	Size         int64               `json:"-"` // of what Digest names, in bytes
	Config       string              `json:"-"` // digest of the config, of an image of one manifest; empty otherwise
	Annotations  map[string]string   `json:"-"` // of what Digest names
	Labels       map[string]string   `json:"-"` // that the release asks for; an empty value removes one
	Platforms    []PlatformReport    `json:"platforms"`
	Attestations []AttestationReport `json:"attestations"`
	Rules        []RuleReport        `json:"rules,omitempty"` // of a plan
	Tags         []TagReport         `json:"tags"`
	Verify       string              `json:"verify,omitempty"` // the command that accepts this very run
}

// PlatformReport is one platform's manifest.
type PlatformReport struct {
	Platform string `json:"platform"`
	Digest   string `json:"digest"`
}

// AttestationReport is one bundle and where it is kept.
type AttestationReport struct {
	PredicateType string   `json:"predicateType"`
	Subject       string   `json:"subject"`
	Bundle        string   `json:"bundle"`             // file name in the output directory
	LogIndex      *int64   `json:"logIndex,omitempty"` // nil where no transparency log has it
	ID            string   `json:"id,omitempty"`       // the store's; empty where this run did not get its answer
	URL           string   `json:"url,omitempty"`      // the same
	Stores        []string `json:"stores"`
	Reused        bool     `json:"reused"`
	Run           string   `json:"run"`
}

// TagReport is one tag in one repository.
type TagReport struct {
	Ref      string `json:"ref"`
	Class    string `json:"class"`  // fixed or moving
	Action   string `json:"action"` // created, moved, unchanged, kept, failed, pending
	Digest   string `json:"digest,omitempty"`
	Previous string `json:"previous"` // the digest before; empty where there was no tag, Unknown where it could not be read
	Reason   string `json:"reason,omitempty"`
}

// RuleReport is what one tag rule gives on this event.
type RuleReport struct {
	Rule   string `json:"rule"`             // as written
	Gave   string `json:"gave,omitempty"`   // its tag
	Reason string `json:"reason,omitempty"` // why it did not apply
}

// ErrorReport is why a run failed.
type ErrorReport struct {
	Stage   string `json:"stage"`
	Image   string `json:"image,omitempty"`
	Ref     string `json:"ref,omitempty"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}
