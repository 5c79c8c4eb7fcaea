package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/internal/network"
	"github.com/taglast/taglast/internal/provenance"
	"github.com/taglast/taglast/internal/trust"
	"github.com/taglast/taglast/pkg/verify"
)

// verifyFlags have the names and meanings of gh attestation verify.
type verifyFlags struct {
	policy      verify.Policy
	bundle      string
	fromOCI     bool
	trustedRoot string
	limit       int
	format      string
}

func verifyCommand(g *globals) *cobra.Command {
	var f verifyFlags
	cmd := &cobra.Command{
		Use:   "verify REF...",
		Short: "Check an image's attestation as a consumer",
		Long: `Check that an image, a file or an OCI layout has an attestation that passes, as gh attestation verify does.

REF is an image reference, with or without oci://, or a path where it begins with ./ ../ or /, or exists under that
name. One attestation that passes is enough. Who is trusted must be said: --repo, --owner or a signer's identity.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, refs []string) error { return f.run(cmd.Context(), g, refs) },
	}
	f.register(cmd)
	return cmd
}

func (f *verifyFlags) register(cmd *cobra.Command) {
	fs, p := cmd.Flags(), &f.policy
	fs.StringVarP(&p.Repo, "repo", "R", "", "OWNER/REPO that the image must be built from")
	fs.StringVarP(&p.Owner, "owner", "o", "", "OWNER of the repository that the image must be built from")
	fs.StringVar(&p.SignerWorkflow, "signer-workflow", "", "[HOST/]OWNER/REPO/PATH of the workflow that must have signed, with or without @REF")
	fs.StringVar(&p.SignerRepo, "signer-repo", "", "OWNER/REPO of the workflow that must have signed")
	fs.StringVar(&p.SignerDigest, "signer-digest", "", "commit of the workflow that must have signed")
	fs.StringVar(&p.SourceRef, "source-ref", "", "git ref that the image must be built from")
	fs.StringVar(&p.SourceDigest, "source-digest", "", "commit that the image must be built from")
	fs.StringVar(&p.PredicateType, "predicate-type", provenance.PredicateType, "type of the attestation")
	fs.StringVar(&p.CertIdentity, "cert-identity", "", "the certificate's subject alternative name, exactly")
	fs.StringVarP(&p.CertIdentityRegex, "cert-identity-regex", "i", "", "regular expression for it")
	fs.StringVar(&p.CertOIDCIssuer, "cert-oidc-issuer", "", "issuer of the ID token (default GitHub Actions')")
	fs.BoolVar(&p.DenySelfHostedRunners, "deny-self-hosted-runners", false, "the runner must be GitHub's own")
	fs.StringVarP(&f.bundle, "bundle", "b", "", "file of attestations: one (.json) or one a line (.jsonl)")
	fs.BoolVar(&f.fromOCI, "bundle-from-oci", false, "take the attestations from the registry, not from GitHub")
	fs.StringVar(&f.trustedRoot, "custom-trusted-root", "", "trusted root file, one JSON document or JSON lines (default: by TUF)")
	fs.IntVarP(&f.limit, "limit", "L", verify.DefaultLimit, "how many attestations to take from GitHub")
	fs.StringVar(&p.Hostname, "hostname", "", "GitHub's host (default: GH_HOST, GITHUB_SERVER_URL, or github.com)")
	fs.StringVar(&f.format, "format", "", "json prints the results as one JSON document")
}

func (f *verifyFlags) run(ctx context.Context, g *globals, refs []string) error {
	o, err := f.options(ctx, g)
	if err != nil {
		return &exitError{code: verifyCode(err), err: err}
	}
	var passed []verify.Result
	var failures []failure
	for _, ref := range refs {
		r, err := verify.Verify(ctx, ref, o)
		if err != nil {
			failures = append(failures, failure{err, r.Refusals()})
			continue
		}
		passed = append(passed, r)
		if f.format != "json" {
			if err := r.WriteText(g.stdout); err != nil {
				return &exitError{code: 1, err: err}
			}
		}
	}
	if f.format == "json" {
		if err := writeResults(g, passed); err != nil {
			return &exitError{code: 1, err: err}
		}
	}
	return joinFailures(failures, len(refs))
}

// failure is a reference that did not pass, with a line for each of its attestations.
type failure struct {
	err   error
	lines []string
}

// joinFailures is one error for all failures.
func joinFailures(failures []failure, total int) error {
	if len(failures) == 0 {
		return nil
	}
	var lines []string
	var all []error
	if len(failures) > 1 {
		lines = append(lines, fmt.Sprintf("%d of %d references did not pass", len(failures), total))
	}
	for _, f := range failures {
		lines, all = append(append(lines, f.err.Error()), f.lines...), append(all, f.err)
	}
	joined := errors.Join(all...)
	return &exitError{code: verifyCode(joined), err: &verifyError{strings.Join(lines, "\n"), joined}}
}

// verifyError is several lines for several causes.
type verifyError struct {
	text string
	err  error
}

func (e *verifyError) Error() string { return e.text }
func (e *verifyError) Unwrap() error { return e.err }

// verifyCode is 2 for wrong usage, 1 for anything else.
func verifyCode(err error) int {
	if errors.Is(err, verify.ErrUsage) {
		return 2
	}
	return 1
}

// writeResults prints one array for all references that passed.
func writeResults(g *globals, passed []verify.Result) error {
	all := []json.RawMessage{}
	for _, r := range passed {
		raw, err := json.Marshal(r)
		if err != nil {
			return fmt.Errorf("%s: %w", escape.Text(r.Ref), err)
		}
		var entries []json.RawMessage
		if err := json.Unmarshal(raw, &entries); err != nil {
			return fmt.Errorf("%s: %w", escape.Text(r.Ref), err)
		}
		all = append(all, entries...)
	}
	return json.NewEncoder(g.stdout).Encode(all)
}

// options checks the flags before anything is sent, and then finds whom to trust.
func (f *verifyFlags) options(ctx context.Context, g *globals) (verify.Options, error) {
	o := verify.Options{
		HTTP: g.transport, Policy: f.policy, Dir: g.workdir, Bundle: f.bundle, BundleFromOCI: f.fromOCI, Limit: f.limit,
		CacheDir: trust.DefaultCacheDir(), UserAgent: "taglast/" + programVersion(),
	}
	if o.HTTP == nil {
		o.HTTP = network.Transport() // one for all references
	}
	if f.format != "" && f.format != "json" {
		return o, fmt.Errorf("%w: --format %s: only json is supported", verify.ErrUsage, escape.Text(f.format))
	}
	if f.limit == 0 {
		return o, fmt.Errorf("%w: --limit 0 is not from 1 to %d", verify.ErrUsage, verify.MaxLimit)
	}
	o, err := o.WithEnvironment(g.getenv)
	if err != nil {
		return o, err
	}
	o.Roots, err = f.roots(ctx, g, o)
	return o, err
}

// roots are the given file's, or those that TUF has. One of TUF's two may be missing: it verifies its own bundles only.
func (f *verifyFlags) roots(ctx context.Context, g *globals, o verify.Options) (*verify.TrustedRoots, error) {
	if f.trustedRoot != "" {
		file := f.trustedRoot
		if !filepath.IsAbs(file) {
			file = filepath.Join(g.workdir, file)
		}
		return verify.LoadTrustedRoots(file)
	}
	roots, err := verify.FetchTrustedRoots(ctx, o)
	if roots == nil {
		return nil, err
	}
	if err != nil {
		fmt.Fprintln(g.stderr, "warning:", escape.Text(err.Error()))
	}
	return roots, nil
}
