package publish

import (
	"errors"
	"regexp"
	"strings"
	"time"

	"github.com/taglast/taglast/internal/hint"
	"github.com/taglast/taglast/internal/identity"
	"github.com/taglast/taglast/internal/image"
	"github.com/taglast/taglast/internal/provenance"
	"github.com/taglast/taglast/internal/stage/attest"
	"github.com/taglast/taglast/internal/stage/tag"
	"github.com/taglast/taglast/pkg/tagrule"
)

// report tells what became of everything, from what each stage made and what the plan wanted.
func (p *pipeline) report(err error) *Report {
	r := &Report{SchemaVersion: 1, DryRun: p.o.dryRun, Outcome: p.outcome(err), Images: []ImageReport{}}
	r.Event = p.o.Getenv("GITHUB_EVENT_NAME")
	r.Took = Took{Elapsed: time.Since(p.o.startedAt), BytesUploaded: p.uploaded}
	if err != nil {
		r.Error = errorReport(err)
	}
	if p.plan == nil {
		return r
	}
	r.Version = p.plan.version
	if p.plan.network != nil {
		r.Took.Reads, r.Took.Writes = int(p.plan.network.reads.Load()), int(p.plan.network.writes.Load())
	}
	for _, im := range p.plan.images {
		r.Images = append(r.Images, p.imageReport(im))
	}
	if r.Outcome == Published && !p.o.dryRun && p.left(r) {
		r.Outcome = Partial
	}
	return r
}

// left says that tags were left out by --registry: the whole command makes up for them later. The tags of an image that
// a dry run skips are not: the release run has the login that is missing here.
func (p *pipeline) left(r *Report) bool {
	for _, im := range r.Images {
		for _, t := range im.Tags {
			if t.Action == string(tag.Pending) && !im.Skipped {
				return true
			}
		}
	}
	return false
}

// outcome is partial as soon as a tag may have changed; in a dry run none does.
func (p *pipeline) outcome(err error) Outcome {
	if err == nil {
		return Published
	}
	if p.o.dryRun {
		return Failed
	}
	for _, t := range p.tagged {
		if t.Written() || t.Doubtful {
			return Partial
		}
	}
	return Failed
}

func errorReport(err error) *ErrorReport {
	out := &ErrorReport{Message: err.Error(), Hint: hint.Of(err)}
	var e *Error
	if errors.As(err, &e) {
		out.Stage, out.Image, out.Ref, out.Message = string(e.Stage), e.Image, e.Ref, e.Err.Error()
	}
	return out
}

func (p *pipeline) imageReport(im *planned) ImageReport {
	r := ImageReport{
		Name: im.file.Name, Skipped: im.skipped != "", Reason: im.skipped,
		Platforms: []PlatformReport{}, Attestations: []AttestationReport{}, Tags: []TagReport{},
	}
	for _, repo := range im.repos {
		r.Repositories = append(r.Repositories, displayName(repo))
	}
	for _, b := range p.built {
		if b.Ok() && b.Name() == im.file.Name {
			r.describe(b)
		}
	}
	for _, a := range p.attested {
		if a.Pushed().Built().Name() == im.file.Name {
			r.Attestations = append(r.Attestations, p.attestationReport(a))
		}
	}
	if p.o.readOnly && !p.o.dryRun {
		for _, o := range im.rules.Outcomes {
			r.Rules = append(r.Rules, RuleReport(o))
		}
	}
	r.Tags = p.tagReports(im, r.Digest)
	r.Verify = p.verifyLine(im, r)
	return r
}

func (r *ImageReport) describe(b image.Built) {
	r.Digest, r.MediaType, r.Adopted = b.Root().Digest.String(), string(b.Root().MediaType), b.Adopted()
	for _, c := range b.Manifests() {
		if c.Platform != "" {
			r.Platforms = append(r.Platforms, PlatformReport{Platform: c.Platform, Digest: c.Digest.String()})
		}
	}
}

func (p *pipeline) attestationReport(a attest.Attested) AttestationReport {
	name := a.Pushed().Built().Name()
	r := AttestationReport{
		PredicateType: provenance.PredicateType, Subject: a.Pushed().Built().Root().Digest.String(),
		Bundle: bundleName(name), Reused: a.Reused(), Stores: []string{},
	}
	for _, b := range a.ReadBack() {
		r.Stores = append(r.Stores, b.Store)
		if receipt := a.Receipt(b.Store); receipt.ID != "" {
			r.ID, r.URL = receipt.ID, receipt.URL
		}
	}
	if proof, ok := p.complete.Proof(name); ok {
		v := proof.Verified()[0]
		r.Run = v.Certificate.RunInvocationURI
		if v.LogIndex >= 0 {
			r.LogIndex = &v.LogIndex
		}
	}
	return r
}

// tagReports are the tags of an image: as written, or as the plan sees them.
func (p *pipeline) tagReports(im *planned, digest string) []TagReport {
	out := []TagReport{}
	for _, t := range im.tags {
		r := TagReport{Ref: t.ref(), Class: string(t.tag.Class), Action: string(tag.Pending), Digest: t.seen, Previous: t.seen}
		switch {
		case t.later:
			r.Reason = "left out by --registry"
		case im.unbuilt:
			r.Reason = "its image is skipped"
		}
		for _, done := range p.tagged {
			if done.Image == im.file.Name && done.Tag == t.tag.Text && done.Repository.Name() == t.repo.Name() {
				r.Action, r.Digest, r.Previous = string(done.Action), done.Digest, done.Previous
				r.Reason = done.Reason
				if done.Err != nil {
					r.Reason = done.Err.Error()
				}
			}
		}
		if p.o.readOnly && !p.o.dryRun {
			r.Action, r.Digest = p.wouldBe(t, digest)
			if a := im.aliases[t.tag.Text]; a.Keep && !t.later && t.tag.Class == tagrule.Moving && !t.unknown {
				if r.Action, r.Digest, r.Reason = string(tag.Kept), t.seen, a.Reason(); t.seen == "" {
					r.Reason += absent
				}
			}
		}
		if t.unknown {
			r.Previous = Unknown
		}
		out = append(out, r)
	}
	return out
}

// wouldBe is a plan's word for a tag.
func (p *pipeline) wouldBe(t *plannedTag, digest string) (action, names string) {
	switch {
	case t.later:
		return string(tag.Pending), t.seen
	case t.seen == "":
		return string(tag.Created), digest
	case t.tag.Class == "fixed" || t.seen == digest:
		return string(tag.Unchanged), t.seen
	default:
		return string(tag.Moved), digest
	}
}

// verifyLine is the command that accepts this very run.
func (p *pipeline) verifyLine(im *planned, r ImageReport) string {
	if r.Digest == "" || len(r.Attestations) == 0 || len(im.repos) == 0 {
		return ""
	}
	ref := displayName(im.repos[0]) + "@" + r.Digest
	if p.o.dryRun {
		return p.dryVerifyLine(r)
	}
	for _, t := range r.Tags {
		if t.Digest == r.Digest && t.Action != string(tag.Pending) && t.Action != string(tag.Failed) {
			ref = t.Ref
			break
		}
	}
	line := []string{"gh", "attestation", "verify", "oci://" + ref, "--repo", p.plan.claims.Repository}
	if usual, ok := identity.GitHubIssuer(p.plan.serverURL); ok && p.plan.claims.Issuer != usual {
		line = append(line, "--cert-oidc-issuer", p.plan.claims.Issuer)
	}
	if signer, _, _ := strings.Cut(p.plan.claims.JobWorkflowRef, "@"); !strings.HasPrefix(strings.ToLower(signer), strings.ToLower(p.plan.claims.Repository)+"/") {
		line = append(line, "--signer-workflow", signer)
	}
	return command(line...)
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)

// command is words as a shell takes them, so that what is shown works when it is pasted.
func command(words ...string) string {
	for i, w := range words {
		if !plainWord.MatchString(w) {
			words[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
	}
	return strings.Join(words, " ")
}

// Unknown is the previous digest of a tag that could not be read: in plans and dry runs alone.
const Unknown = "unknown"

// Summary counts what became of the tags.
type Summary struct{ Created, Moved, Unchanged, Kept, Failed, Pending, Total int }

// Written tags of this run.
func (s Summary) Written() int { return s.Created + s.Moved }

// Right are the tags that name this release: written now or before.
func (s Summary) Right() int { return s.Written() + s.Unchanged }

// Wanted are the tags that should name it: all but those that are kept.
func (s Summary) Wanted() int { return s.Total - s.Kept }

// Count sums up the tags of a report.
func (r *Report) Count() Summary {
	var s Summary
	for _, im := range r.Images {
		for _, t := range im.Tags {
			s.Total++
			switch tag.Action(t.Action) {
			case tag.Created:
				s.Created++
			case tag.Moved:
				s.Moved++
			case tag.Unchanged:
				s.Unchanged++
			case tag.Kept:
				s.Kept++
			case tag.Failed:
				s.Failed++
			default:
				s.Pending++
			}
		}
	}
	return s
}
