package publish

import (
	"context"
	"encoding/hex"
	"fmt"
	"path"
	"strings"
	"sync/atomic"
	"time"

	"github.com/sigstore/sigstore-go/pkg/root"
	"golang.org/x/sync/errgroup"

	"github.com/taglast/taglast/internal/bundle"
	"github.com/taglast/taglast/internal/image"
	"github.com/taglast/taglast/internal/policy"
	"github.com/taglast/taglast/internal/provenance"
	"github.com/taglast/taglast/internal/stage/attest"
	"github.com/taglast/taglast/internal/stage/push"
)

// progressCount counts finished items of a stage.
type progressCount struct{ n atomic.Int64 }

func (c *progressCount) next() int { return int(c.n.Add(1)) }

// attest makes or reuses the attestation of every pushed image, in parallel.
func (p *plan) attest(ctx context.Context, out *output, pushed []push.Pushed, step func(done, total int, note string)) ([]attest.Attested, error) {
	attested := make([]attest.Attested, len(pushed))
	var count progressCount
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(p.o.jobs())
	for i, pd := range pushed {
		im := p.image(pd.Built().Name())
		g.Go(func() error {
			a, err := attest.Attest(gctx, pd, p.job(im, pd.Built(), out))
			if err != nil {
				return at(StageAttest, im.file.Name, "", err)
			}
			attested[i] = a
			step(count.next(), len(pushed), "")
			return nil
		})
	}
	return attested, g.Wait()
}

func (p *plan) image(name string) *planned {
	for _, im := range p.images {
		if im.file.Name == name {
			return im
		}
	}
	return nil
}

// job is what the attest stage needs of one image. The subjects name every repository of the file, whatever --registry
// selects, so that a later run which makes up for the others reuses this attestation.
func (p *plan) job(im *planned, b image.Built, out *output) attest.Job {
	subjects := subjectsOf(im, b)
	reuse := policy.Reuse{
		Trusted: p.run.Trusted, Claims: p.run.Claims, ServerURL: p.run.ServerURL,
		Subjects: subjects, Digest: b.Root().Digest.String(),
	}
	return attest.Job{
		Subjects: subjects,
		Signer:   p.signer,
		Stores:   p.stores,
		Statement: func(context.Context) ([]byte, error) {
			return provenance.Statement(provenance.Input{
				Claims: p.claims, ServerURL: p.serverURL, Subjects: subjects, Dependencies: b.Dependencies(),
				FinishedOn: time.Now().UTC().Truncate(time.Second),
			})
		},
		Reusable: func(b *bundle.Bundle) error { _, err := reuse.Check(b); return err },
		Keep:     func(b *bundle.Bundle) error { return out.bundle(im.file.Name, b) },
	}
}

func subjectsOf(im *planned, b image.Built) []provenance.Subject {
	var repos, children []string
	for _, r := range im.all {
		repos = append(repos, displayName(r))
	}
	for _, c := range b.Manifests() {
		if c.Platform != "" {
			children = append(children, c.Digest.String())
		}
	}
	return provenance.Subjects(repos, b.Root().Digest.String(), children)
}

func (p *plan) trustedRoots() []root.TrustedMaterial {
	return []root.TrustedMaterial{p.run.Trusted}
}

func digestBytes(digest string) []byte {
	raw, err := hex.DecodeString(strings.TrimPrefix(digest, "sha256:"))
	if err != nil {
		return nil
	}
	return raw
}

// signedBy tells who signed, where and when: `acme/hello release.yml at 4be91c0, 12 Nov 2026, run 11593512252`.
func signedBy(v policy.Verified) string {
	c := v.Certificate
	repository := strings.TrimPrefix(c.SourceRepositoryURI, "https://github.com/")
	workflow, _, _ := strings.Cut(c.BuildConfigURI, "@")
	when := ""
	if len(v.Times) > 0 {
		when = ", " + v.Times[0].UTC().Format("2 Jan 2006")
	}
	run := strings.TrimPrefix(c.RunInvocationURI, c.SourceRepositoryURI+"/actions/runs/")
	run, _, _ = strings.Cut(run, "/")
	return fmt.Sprintf("%s %s at %.7s%s, run %s", repository, path.Base(workflow), c.SourceRepositoryDigest, when, run)
}
