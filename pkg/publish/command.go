package publish

import (
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/taglast/taglast/internal/identity"
	"github.com/taglast/taglast/internal/ociref"
	"github.com/taglast/taglast/internal/stage/tag"
)

// verifyLine is the command that accepts this very run.
func (r *run) verifyLine(rec *record, report ImageReport) string {
	if report.Digest == "" || len(report.Attestations) == 0 || len(rec.repos) == 0 {
		return ""
	}
	ref := ociref.DisplayName(rec.repos[0]) + "@" + report.Digest
	if r.mode.dryRun() {
		return r.dryVerifyLine(report)
	}
	for _, t := range report.Tags {
		if t.Digest == report.Digest && t.Action != string(tag.Pending) && t.Action != string(tag.Failed) {
			ref = t.Ref
			break
		}
	}
	line := []string{"gh", "attestation", "verify", "oci://" + ref, "--repo", r.claims.Repository}
	if usual, ok := identity.GitHubIssuer(r.serverURL); ok && r.claims.Issuer != usual {
		line = append(line, "--cert-oidc-issuer", r.claims.Issuer)
	}
	if signer, _, _ := strings.Cut(r.claims.JobWorkflowRef, "@"); !strings.HasPrefix(strings.ToLower(signer), strings.ToLower(r.claims.Repository)+"/") {
		line = append(line, "--signer-workflow", signer)
	}
	return command(line...)
}

// dryVerifyLine is the command that accepts a dry run's bundle, offline, with its trusted root.
func (r *run) dryVerifyLine(report ImageReport) string {
	dir := filepath.ToSlash(r.out.dir)
	return command("gh", "attestation", "verify", path.Join(dir, "oci/blobs", blobPath(report.Digest)),
		"--bundle", path.Join(dir, report.Attestations[0].Bundle), "--custom-trusted-root", path.Join(dir, "trusted_root.json"),
		"--repo", r.claims.Repository)
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
