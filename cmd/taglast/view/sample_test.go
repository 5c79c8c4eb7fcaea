package view_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/taglast/taglast/internal/hint"
	"github.com/taglast/taglast/pkg/publish"
)

var repositories = []string{"ghcr.io/astral-sh/uv", "docker.io/astral/uv"}

// digest is one of many.
func digest(n int) string {
	return fmt.Sprintf("sha256:%x", sha256.Sum256([]byte{byte(n), byte(n >> 8)}))
}

// uv is a release of an image and its variants to two repositories: each has a new fixed tag and two moving ones.
func uv(variants int) *publish.Report {
	r := &publish.Report{
		SchemaVersion: 1, Version: "0.13.1", Outcome: publish.Published, Event: "push",
		Took: publish.Took{Elapsed: 112 * time.Second, Reads: 1204, Writes: 803},
	}
	for i := range variants + 1 {
		suffix, name, moving := "", "uv", "latest"
		if i > 0 {
			name = fmt.Sprintf("alpine3.%d", 60-i)
			suffix, moving = "-"+name, name
		}
		log := int64(812345101 + i)
		im := publish.ImageReport{
			Name: name, Digest: digest(i), MediaType: "application/vnd.oci.image.index.v1+json", Repositories: repositories,
			Platforms: []publish.PlatformReport{{Platform: "linux/amd64", Digest: digest(100 + i)}, {Platform: "linux/arm64", Digest: digest(200 + i)}},
			Attestations: []publish.AttestationReport{{
				PredicateType: "https://slsa.dev/provenance/v1", Subject: digest(i), Bundle: name + ".sigstore.json", LogIndex: &log,
				ID: fmt.Sprint(4242 + i), URL: fmt.Sprintf("https://github.com/astral-sh/uv/attestations/%d", 4242+i), Stores: []string{"github"},
			}},
			Verify: "gh attestation verify oci://ghcr.io/astral-sh/uv:0.13.1" + suffix + " --repo astral-sh/uv",
		}
		for _, repo := range repositories {
			im.Tags = append(im.Tags,
				publish.TagReport{Ref: repo + ":0.13.1" + suffix, Class: "fixed", Action: "created", Digest: digest(i)},
				publish.TagReport{Ref: repo + ":0.13" + suffix, Class: "moving", Action: "moved", Digest: digest(i), Previous: digest(900 + i)},
				publish.TagReport{Ref: repo + ":" + moving, Class: "moving", Action: "moved", Digest: digest(i), Previous: digest(900 + i)})
		}
		r.Images = append(r.Images, im)
	}
	return r
}

// withSBOMs adds to each image an SBOM of each platform; those of all images but the first are reused.
func withSBOMs(r *publish.Report) *publish.Report {
	for i := range r.Images {
		im := &r.Images[i]
		for k, p := range im.Platforms {
			a := publish.AttestationReport{
				PredicateType: "https://spdx.dev/Document/v2.3", Subject: p.Digest, Reused: i > 0, Stores: []string{"github"},
				Bundle: im.Name + "." + strings.ReplaceAll(p.Platform, "/", "-") + ".sbom.sigstore.json",
			}
			if i == 0 {
				a.ID, a.URL = fmt.Sprint(4300+k), fmt.Sprintf("https://github.com/astral-sh/uv/attestations/%d", 4300+k)
			}
			im.Attestations = append(im.Attestations, a)
		}
	}
	return r
}

// dry is the same as a dry run.
func dry(variants int) *publish.Report {
	r := uv(variants)
	r.DryRun, r.Took = true, publish.Took{Elapsed: 9100 * time.Millisecond, Reads: 214}
	for i := range r.Images {
		r.Images[i].Verify = fmt.Sprintf("gh attestation verify taglast-out/oci/blobs/sha256/%s --bundle taglast-out/%s.sigstore.json"+
			" --custom-trusted-root taglast-out/trusted_root.json --repo astral-sh/uv", strings.TrimPrefix(digest(i), "sha256:"), r.Images[i].Name)
	}
	return r
}

// down is what a stage says of a registry that is down.
func down(stage publish.Stage, ref string) error {
	return &publish.Error{Stage: stage, Image: "alpine3.23", Ref: ref, Err: hint.With(
		fmt.Errorf("%s: 503 Service Unavailable for 2m00s (14 tries)\n1 of 3 images pushed, untagged", ref),
		"wait and re-run failed jobs: what is there is not sent again. Or publish to the other registries now with --registry HOST;\nthe next full run only adds this one")}
}

// failed is a release whose push did not end: no tag was changed.
func failed() (*publish.Report, error) {
	r := uv(2)
	err := down(publish.StagePush, "docker.io/astral/uv")
	r.Outcome = publish.Failed
	r.Error = &publish.ErrorReport{Stage: "push", Message: err.Error()}
	for i := range r.Images {
		r.Images[i].Verify, r.Images[i].Attestations = "", nil
		for k := range r.Images[i].Tags {
			t := &r.Images[i].Tags[k]
			t.Action, t.Digest = "pending", t.Previous
		}
	}
	return r, err
}

// halfway is one whose moving tags were not written where a registry was down.
func halfway() (*publish.Report, error) {
	r := uv(2)
	err := error(&publish.Error{Stage: publish.StageTag, Err: hint.With(
		errors.New("write docker.io/astral/uv:0.13: 503 Service Unavailable for 2m00s (14 tries)"),
		"run the same command again, or re-run the failed jobs: it writes what is pending; nothing is built or signed again")})
	r.Outcome = publish.Partial
	for i := range r.Images {
		for k := range r.Images[i].Tags {
			t := &r.Images[i].Tags[k]
			if t.Class == "moving" && (strings.HasPrefix(t.Ref, "docker.io/") || strings.HasSuffix(t.Ref, ":latest")) {
				t.Action, t.Digest = "pending", t.Previous
			}
		}
	}
	return r, err
}
