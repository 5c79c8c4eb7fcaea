package view_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/taglast/taglast/cmd/taglast/view"
	"github.com/taglast/taglast/pkg/publish"
)

func outputs(t *testing.T, r *publish.Report, dryRun bool, files ...string) map[string]string {
	t.Helper()
	list, err := view.Outputs(r, dryRun, "/w/out", func(path string) bool { return slices.Contains(files, filepath.ToSlash(path)) })
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, o := range list {
		if o.Value == "" {
			t.Errorf("%s is empty", o.Name)
		}
		out[o.Name] = filepath.ToSlash(o.Value)
	}
	return out
}

func TestOutputsOfOneManifest(t *testing.T) {
	r := uv(0)
	im := &r.Images[0]
	im.MediaType, im.Size, im.Config = "application/vnd.oci.image.manifest.v1+json", 1234, digest(77)
	im.Annotations = map[string]string{"org.opencontainers.image.title": "uv", "org.opencontainers.image.url": "<https://x>&", "com.example.x": "a=b"}
	im.Labels = map[string]string{"l": "m", "org.opencontainers.image.title": ""}
	im.Tags[1].Action, im.Tags[3].Action, im.Tags[4].Action, im.Tags[5].Action = "unchanged", "kept", "failed", "pending"
	got := outputs(t, r, false, "/w/out/report.json", "/w/out/uv.sigstore.json")
	refs := []string{"ghcr.io/astral-sh/uv:0.13.1", "ghcr.io/astral-sh/uv:0.13", "ghcr.io/astral-sh/uv:latest"}
	want := map[string]string{
		"dry-run": "false", "report": "/w/out/report.json", "version": "0.13.1", "tags": strings.Join(refs, "\n"),
		"digests": `{"uv":"` + digest(0) + `"}`, "digest": digest(0), "imageid": digest(77),
		"metadata": `{"containerimage.config.digest":"` + digest(77) + `","containerimage.descriptor":{"digest":"` + digest(0) +
			`","mediaType":"application/vnd.oci.image.manifest.v1+json","size":1234},"containerimage.digest":"` + digest(0) + `","image.name":"` + strings.Join(refs, ",") + `"}`,
		"json": `{"annotations":["manifest:com.example.x=a=b","manifest:org.opencontainers.image.title=uv","manifest:org.opencontainers.image.url=<https://x>&"],` +
			`"labels":{"l":"m","org.opencontainers.image.url":"<https://x>&"},"tag-names":["0.13.1","0.13","latest"],"tags":["` + strings.Join(refs, `","`) + `"]}`,
		"attestation-id": "4242", "attestation-url": "https://github.com/astral-sh/uv/attestations/4242", "bundle-path": "/w/out/uv.sigstore.json",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// action.yml declares the outputs that there are, and takes each from the step.
func TestTheActionDeclaresTheOutputs(t *testing.T) {
	raw, err := os.ReadFile("../../../action.yml")
	if err != nil {
		t.Fatal(err)
	}
	var action struct {
		Outputs map[string]struct {
			Value string `yaml:"value"`
		} `yaml:"outputs"`
	}
	if err := yaml.Unmarshal(raw, &action); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for name, o := range action.Outputs {
		got[name] = o.Value
	}
	want := map[string]string{}
	for name := range outputs(t, uv(0), false, "/w/out/report.json", "/w/out/uv.sigstore.json") {
		want[name] = "${{ steps.taglast.outputs." + name + " }}"
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestOutputsOfARunThatFailedEarly(t *testing.T) {
	if got := outputs(t, nil, true); !cmp.Equal(got, map[string]string{"dry-run": "true"}) {
		t.Errorf("without a report: %v", got)
	}
	r := uv(1)
	for i := range r.Images {
		im := &r.Images[i]
		im.Digest, im.Attestations = "", nil
		for k := range im.Tags {
			im.Tags[k].Action = "pending"
		}
	}
	if got := outputs(t, r, false, "/w/out/report.json"); !cmp.Equal(got, map[string]string{"dry-run": "false", "version": "0.13.1", "report": "/w/out/report.json"}) {
		t.Errorf("before the build: %v", got)
	}
	r.Images[1].Digest = digest(1)
	if got := outputs(t, r, false); got["digests"] != `{"alpine3.59":"`+digest(1)+`"}` || got["digest"] != "" {
		t.Errorf("with the second image alone: %v", got)
	}
}

func TestOutputsOfADryRunNameNoAttestation(t *testing.T) {
	got := outputs(t, uv(0), true, "/w/out/uv.sigstore.json")
	if got["attestation-id"] != "" || got["attestation-url"] != "" || got["bundle-path"] == "" || !strings.Contains(got["tags"], "ghcr.io/astral-sh/uv:0.13.1\n") {
		t.Errorf("%v", got)
	}
	var metadata struct {
		Tags []string `json:"tags"`
	}
	if err := json.Unmarshal([]byte(got["json"]), &metadata); err != nil || len(metadata.Tags) != 6 {
		t.Errorf("%v, %v", metadata, err)
	}
}

func TestArtifacts(t *testing.T) {
	hub := "docker.io/astral/uv"
	for name, c := range map[string]struct {
		report   *publish.Report
		declared map[string]string
		want     []string
		omitted  int
	}{
		"one image": {report: uv(0), want: []string{"oci://ghcr.io/astral-sh/uv@" + digest(0)}},
		"further images of a repository, by their first tags": {
			report: uv(1), want: []string{"oci://ghcr.io/astral-sh/uv@" + digest(0), "oci://ghcr.io/astral-sh/uv:0.13.1-alpine3.59@" + digest(1)},
		},
		"one that is declared already": {report: uv(0), declared: map[string]string{"ghcr.io/astral-sh/uv": digest(0)}},
		"a name that another has": {
			report: uv(0), declared: map[string]string{"ghcr.io/astral-sh/uv": digest(9), "ghcr.io/astral-sh/uv:0.13.1": digest(9)},
			want: []string{"oci://ghcr.io/astral-sh/uv:0.13@" + digest(0)},
		},
		"no name that is free": {
			report: uv(0), omitted: 1,
			declared: map[string]string{
				"ghcr.io/astral-sh/uv": digest(9), "ghcr.io/astral-sh/uv:0.13.1": digest(9), "ghcr.io/astral-sh/uv:0.13": digest(9), "ghcr.io/astral-sh/uv:latest": digest(9),
			},
		},
		"an image that is skipped":  {report: changed(uv(0), func(im *publish.ImageReport) { im.Skipped = true })},
		"an image without a digest": {report: changed(uv(0), func(im *publish.ImageReport) { im.Digest = "" })},
		"by its first repository of the run": {
			report: changed(uv(0), func(im *publish.ImageReport) { im.Repositories = []string{hub} }), want: []string{"oci://" + hub + "@" + digest(0)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, omitted := view.Artifacts(c.report, c.declared)
			if !slices.Equal(got, c.want) || omitted != c.omitted {
				t.Errorf("%d omitted, %q", omitted, got)
			}
		})
	}
}

func TestAtMost500Artifacts(t *testing.T) {
	declared := map[string]string{}
	for i := range 490 {
		declared[fmt.Sprint(i)] = digest(i)
	}
	if lines, omitted := view.Artifacts(uv(20), declared); len(lines) != 10 || omitted != 11 || len(declared) != 490 {
		t.Errorf("%d lines, %d omitted, %d declared before", len(lines), omitted, len(declared))
	}
}

// changed is a report whose first image is changed.
func changed(r *publish.Report, change func(*publish.ImageReport)) *publish.Report {
	change(&r.Images[0])
	return r
}
