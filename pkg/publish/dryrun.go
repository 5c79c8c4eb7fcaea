package publish

import (
	"context"
	"errors"
	"fmt"
	"path"
	"path/filepath"

	"github.com/taglast/taglast/internal/event"
	"github.com/taglast/taglast/internal/sandbox"
)

// DryRun runs every stage of Publish on an overlay in memory: everything of Sigstore, OIDC and the attestations store, and
// all registry writes, stay in it; manifests, configs and tags that it does not have are read from the real registries,
// with pull scope only. With offline nothing leaves at all. The output directory also gets the overlay's trusted root
// and a layout of what was made.
func DryRun(ctx context.Context, o Options, offline bool) (*Report, error) {
	o = o.withDefaults()
	if o.SigningConfig != nil || o.TrustedRoot != nil {
		return nil, usage("", errors.New("--signing-config and --trusted-root cannot be given with --dry-run: it signs with authorities of its own"))
	}
	o.dryRun, o.readOnly, o.offline = true, true, offline
	o = o.withJob(ctx)
	real := &counter{base: o.Transport}
	payload, _ := event.ReadPayload(o.Getenv("GITHUB_EVENT_PATH")) // one that cannot be read fails the plan, which reads it too
	under := sandbox.Options{
		Identity: jobIdentity(o.Getenv, payload), GitHubToken: o.Getenv("GITHUB_TOKEN"), ServerURL: o.Getenv("GITHUB_SERVER_URL"), APIURL: o.Getenv("GITHUB_API_URL"), Base: &reachable{base: real, down: make(map[string]string)},
	}
	under.Registry = sandbox.RegistryOptions{KeepBlobs: 1 << 20, TrustBase: true} // layers are hashed and dropped
	if offline {
		under.Base = nil
	}
	world, err := sandbox.New(under)
	if err != nil {
		return nil, at(StagePlan, "", "", err)
	}
	o = o.overlay(world.Env())
	o.Transport, o.SigningConfig, o.TrustedRoot = world, world.SigningConfig(), world.TrustedRoot()
	o.IDToken = o.runnerToken
	r, err := run(ctx, o)
	r.Took.Reads, r.Took.Writes = int(real.reads.Load()), int(real.writes.Load())
	return r, err
}

// staysHere refuses sources that an offline run would need the network for.
func (p *plan) staysHere() error {
	for _, im := range p.images {
		if !im.source.Local() {
			return usage(im.file.Name, fmt.Errorf("image %s: --offline, and its source is in a registry", im.file.Name))
		}
	}
	return nil
}

// rehearsed writes what a dry run leaves beside bundles and report: the trusted root and a layout.
func (p *pipeline) rehearsed() error {
	if err := p.out.write("trusted_root.json", p.o.TrustedRoot); err != nil {
		return err
	}
	return p.out.layout(p.built)
}

// dryVerifyLine is the command that accepts a dry run's bundle, offline, with its trusted root.
func (p *pipeline) dryVerifyLine(r ImageReport) string {
	dir := filepath.ToSlash(p.out.dir)
	return command("gh", "attestation", "verify", path.Join(dir, "oci/blobs", blobPath(r.Digest)),
		"--bundle", path.Join(dir, r.Attestations[0].Bundle), "--custom-trusted-root", path.Join(dir, "trusted_root.json"),
		"--repo", p.plan.claims.Repository)
}
