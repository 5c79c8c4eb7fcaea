//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
)

// What is published of a Dockerfile is what `docker buildx build --output type=oci` makes of it: the same platforms,
// configurations and layers. Only what the release file and the run add is more.
func TestWhatIsPublishedIsWhatBuildxMakes(t *testing.T) {
	s, b := builders(t)
	pushBases(t)
	j, dir := release(), t.TempDir()
	const epoch = "1772600767" // 2026-03-04T05:06:07Z, of the commit in the event
	repository := "acme/" + secret("compared-")
	writeFiles(t, dir, map[string]string{
		"Dockerfile": `FROM step:1
ARG TARGETARCH
ENV A=1
LABEL org.example.kept=yes org.opencontainers.image.licenses=GPL
WORKDIR /srv
COPY --chmod=755 ${TARGETARCH}.txt /srv/arch.txt
USER 65532:65532
EXPOSE 8080/tcp
VOLUME /data
STOPSIGNAL SIGINT
HEALTHCHECK CMD ["/step","say","/srv/arch.txt"]
ENTRYPOINT ["/step"]
CMD ["say","/srv/arch.txt"]
`, "amd64.txt": "amd64", "arm64.txt": "arm64",
		"taglast.yaml": fmt.Sprintf(`repositories: [ghcr.io/%s]
platforms: [linux/amd64, linux/arm64]
tags: [1.2.3]
labels: {org.opencontainers.image.licenses: MIT}
annotations: {org.example.index: "1", "manifest:org.example.manifest": "2", "manifest[linux/arm64]:org.example.arm": "3"}
images:
  - {name: app, source: {dockerfile: Dockerfile}}
`, repository),
	})
	if out, _ := s.publishIn(t, append(s.stepEnviron(t, j), b.environ...), dir); out.code != 0 {
		t.Fatalf("publish: %s", out)
	}
	plain := b.buildx(t, dir, "build", "--provenance=false", "--platform", "linux/amd64,linux/arm64", "--build-arg", "SOURCE_DATE_EPOCH="+epoch,
		"--output", "type=oci,dest=plain,tar=false,rewrite-timestamp=true", ".")
	if plain.code != 0 {
		t.Fatalf("buildx: %s", plain)
	}
	theirs := platformsOf(t, filepath.Join(dir, "plain"))
	loopback := "127.0.0.1:" + s.ports.distribution + "/" + repository

	const prefix = "org.opencontainers.image."
	labels := map[string]string{ // what is more, or other
		prefix + "title": "app", prefix + "url": "https://github.com/acme/app", prefix + "source": "https://github.com/acme/app",
		prefix + "version": "1.2.3", prefix + "revision": j.SHA, prefix + "created": "2026-03-04T05:06:07Z", prefix + "licenses": "MIT",
	}
	annotations := maps.Clone(labels)
	delete(annotations, prefix+"licenses")
	annotations["org.example.index"] = "1"
	_, raw := resolve(t, loopback+":1.2.3")
	var index v1.IndexManifest
	if err := json.Unmarshal(raw, &index); err != nil {
		t.Fatal(err)
	}
	type row struct {
		what         string
		theirs, ours any
	}
	rows := []row{{"annotations of the index", annotations, index.Annotations}, {"number of platforms", len(theirs), len(index.Manifests)}}
	for platform, annotation := range map[string]map[string]string{
		"linux/amd64": {"org.example.manifest": "2"}, "linux/arm64": {"org.example.manifest": "2", "org.example.arm": "3"},
	} {
		if theirs[platform] == nil {
			t.Fatalf("buildx made no %s", platform)
		}
		their, their2 := manifestOf(t, theirs[platform])
		our, our2 := manifestOf(t, built(t, loopback+":1.2.3", platform))
		want := maps.Clone(their2.Config.Labels)
		maps.Copy(want, labels)
		rows = append(rows,
			row{platform + ": media type", their.MediaType, our.MediaType},
			row{platform + ": labels", want, our2.Config.Labels},
			row{platform + ": annotations of the manifest", annotation, withoutDefaults(our.Annotations)},
			row{platform + ": layers", their.Layers, our.Layers},
			row{platform + ": history", their2.History, our2.History},
			row{platform + ": created", their2.Created, our2.Created},
			row{platform + ": platform", their2.Platform(), our2.Platform()},
		)
		their2.Config.Labels, our2.Config.Labels = nil, nil
		rows = append(rows, row{platform + ": configuration but for labels", their2, our2})
	}
	for _, r := range rows {
		a, b := asJSON(t, r.theirs), asJSON(t, r.ours)
		if a != b {
			t.Errorf("%s: buildx has (or we want)\n\t%s, published is\n\t%s", r.what, a, b)
		}
	}
}

// withoutDefaults are the annotations that the release file itself gives.
func withoutDefaults(annotations map[string]string) map[string]string {
	out := map[string]string{}
	for key, value := range annotations {
		if len(key) > 12 && key[:12] == "org.example." {
			out[key] = value
		}
	}
	return out
}

// platformsOf are the images of a layout whose index.json names one index, as buildx leaves it.
func platformsOf(t *testing.T, dir string) map[string]v1.Image {
	t.Helper()
	root, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := root.IndexManifest()
	if err != nil || len(manifest.Manifests) != 1 {
		t.Fatalf("index.json of %s: %+v %v", dir, manifest, err)
	}
	index, err := root.ImageIndex(manifest.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	if manifest, err = index.IndexManifest(); err != nil {
		t.Fatal(err)
	}
	out := map[string]v1.Image{}
	for _, d := range manifest.Manifests {
		if out[d.Platform.String()], err = index.Image(d.Digest); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func manifestOf(t *testing.T, img v1.Image) (*v1.Manifest, *v1.ConfigFile) {
	t.Helper()
	manifest, err := img.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	return manifest.DeepCopy(), config.DeepCopy()
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
