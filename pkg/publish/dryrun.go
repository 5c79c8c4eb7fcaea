package publish

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/taglast/taglast/internal/event"
	"github.com/taglast/taglast/internal/hint"
	"github.com/taglast/taglast/internal/image"
	"github.com/taglast/taglast/internal/sandbox"
)

// DryRun runs every stage of Publish on an overlay in memory: everything of Sigstore, OIDC and the attestations store, and
// all registry writes, stay in it; manifests, configs and tags that it does not have are read from the real registries,
// with pull scope only. With offline nothing leaves at all. The output directory also gets the overlay's trusted root
// and a layout of what was made.
func DryRun(ctx context.Context, o Options, offline bool) (*Report, error) {
	m := modeDryRun
	if offline {
		m = modeOfflineDryRun
	}
	r := newRun(ctx, o, m)
	if o.SigningConfig != nil || o.TrustedRoot != nil {
		err := usage("", errors.New("--signing-config and --trusted-root cannot be given with --dry-run: it signs with authorities of its own"))
		return r.report(err), err
	}
	r.sent = &counter{base: r.o.Transport}
	payload, _ := event.ReadPayload(r.o.Getenv("GITHUB_EVENT_PATH")) // one that cannot be read fails the plan, which reads it too
	under := sandbox.Options{
		Identity: jobIdentity(r.o.Getenv, payload), GitHubToken: r.o.Getenv("GITHUB_TOKEN"),
		ServerURL: r.o.Getenv("GITHUB_SERVER_URL"), APIURL: r.o.Getenv("GITHUB_API_URL"),
		Base:     &reachable{base: r.sent, down: make(map[string]string)},
		Registry: sandbox.RegistryOptions{KeepBlobs: 1 << 20, TrustBase: true}, // layers are hashed and dropped
	}
	if offline {
		under.Base = nil
	}
	world, err := sandbox.New(under)
	if err != nil {
		err = at(StagePlan, "", "", err)
		return r.report(err), err
	}
	r.enter(world)
	return r.execute(ctx)
}

// enter puts the run on an overlay: its job, its services and all its writes are the overlay's.
func (r *run) enter(world *sandbox.World) {
	env, under := world.Env(), r.o.Getenv
	r.o.Getenv = func(key string) string {
		if v, ok := env[key]; ok {
			return v
		}
		return under(key)
	}
	r.serverURL = or(r.o.Getenv("GITHUB_SERVER_URL"), r.serverURL)
	r.network.base = world
	r.o.SigningConfig, r.o.TrustedRoot = world.SigningConfig(), world.TrustedRoot()
	r.o.IDToken = r.o.runnerToken
}

// staysHere refuses sources that an offline run would need the network for.
func (p *plan) staysHere() error {
	for _, im := range p.images {
		switch {
		case im.usesBuilder():
			return usage(im.file.Name, hint.With(fmt.Errorf("image %s: --offline, and a Dockerfile is built with a network", im.file.Name),
				"leave --offline out; or build it by itself and publish the layout with `source: {oci: …}`"))
		case !im.source.Local():
			return usage(im.file.Name, fmt.Errorf("image %s: --offline, and its source is in a registry", im.file.Name))
		}
	}
	return nil
}

// keepDryRun writes what a dry run leaves beside bundles and report: the trusted root and a layout.
func (r *run) keepDryRun() error {
	if err := r.out.write("trusted_root.json", r.o.TrustedRoot); err != nil {
		return err
	}
	var built []image.Built
	for _, rec := range r.published() {
		built = append(built, rec.built)
	}
	return r.out.layout(built)
}

// jobIdentity is what a dry run's ID token says: the job's environment, and the visibility that the event tells. Where no
// event does, as outside of Actions, it is public: the certificate then shows what a public release's would.
func jobIdentity(getenv func(string) string, payload event.Payload) sandbox.Identity {
	visibility := payload.Repository.Visibility
	if !slices.Contains([]string{"public", "private", "internal"}, visibility) {
		visibility = ""
	}
	return sandbox.Identity{
		Repository:           getenv("GITHUB_REPOSITORY"),
		RepositoryID:         getenv("GITHUB_REPOSITORY_ID"),
		RepositoryOwner:      getenv("GITHUB_REPOSITORY_OWNER"),
		RepositoryOwnerID:    getenv("GITHUB_REPOSITORY_OWNER_ID"),
		RepositoryVisibility: visibility,
		Ref:                  getenv("GITHUB_REF"),
		HeadRef:              getenv("GITHUB_HEAD_REF"),
		BaseRef:              getenv("GITHUB_BASE_REF"),
		SHA:                  getenv("GITHUB_SHA"),
		EventName:            getenv("GITHUB_EVENT_NAME"),
		Workflow:             getenv("GITHUB_WORKFLOW"),
		WorkflowRef:          getenv("GITHUB_WORKFLOW_REF"),
		WorkflowSHA:          getenv("GITHUB_WORKFLOW_SHA"),
		RunID:                getenv("GITHUB_RUN_ID"),
		RunNumber:            getenv("GITHUB_RUN_NUMBER"),
		RunAttempt:           getenv("GITHUB_RUN_ATTEMPT"),
		RunnerEnvironment:    getenv("RUNNER_ENVIRONMENT"),
		Actor:                getenv("GITHUB_ACTOR"),
		ActorID:              getenv("GITHUB_ACTOR_ID"),
	}
}
