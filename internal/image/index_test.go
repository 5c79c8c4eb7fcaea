package image_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/taglast/taglast/internal/image"
	"github.com/taglast/taglast/pkg/release"
)

// layoutOf writes the layout "app" and gives its folder.
func layoutOf(t testing.TB, s store) string {
	t.Helper()
	dir := t.TempDir()
	s.writeDir(t, filepath.Join(dir, "app"))
	return dir
}

func mustBuild(t testing.TB, dir string, r image.Request) image.Built {
	t.Helper()
	b, err := build(t, dir, r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestTheIndexIsTheseBytes is a golden test: other bytes are another digest for everybody's next release.
func TestTheIndexIsTheseBytes(t *testing.T) {
	s := store{}
	arm, amd := s.image("linux/arm64/v8"), s.image("linux/amd64")
	arm7, win := s.image("linux/arm/v7"), s.image("windows/amd64")
	win["platform"].(object)["os.version"] = "10.0.20348.1"
	s.tops(win, arm, arm7, amd)
	b := mustBuild(t, layoutOf(t, s), image.Request{
		Source:      oci("app"),
		Annotations: []release.Annotation{{Key: "b", Value: "<&>"}, {Level: "index", Key: "a", Value: "ü"}},
	})
	entry := func(d object, platform string) string {
		m := b.Manifests()[slices.IndexFunc(b.Manifests(), func(c image.Child) bool { return c.Digest.String() == d["digest"] })]
		size, _ := json.Marshal(m.Size)
		return `{"mediaType":"application/vnd.oci.image.manifest.v1+json","size":` + string(size) +
			`,"digest":"` + d["digest"].(string) + `","platform":{` + platform + `}}`
	}
	want := `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[` + strings.Join([]string{
		entry(amd, `"architecture":"amd64","os":"linux"`),
		entry(arm7, `"architecture":"arm","os":"linux","variant":"v7"`),
		entry(arm, `"architecture":"arm64","os":"linux"`),
		entry(win, `"architecture":"amd64","os":"windows","os.version":"10.0.20348.1"`),
	}, ",") + `],"annotations":{"a":"ü","b":"<&>"}}`
	if diff := cmp.Diff(want, string(b.Root().Raw)); diff != "" {
		t.Errorf("index (-want +got):\n%s", diff)
	}
	if b.Root().MediaType != ociIndex || digestOf(b.Root().Raw) != b.Root().Digest.String() || b.Root().Size != int64(len(b.Root().Raw)) {
		t.Errorf("descriptor is %+v", b.Root().Descriptor)
	}
}

func TestTheDigestDoesNotDependOnTheOrderOfFiles(t *testing.T) {
	amd, arm := store{}, store{}
	amd.tops(amd.image("linux/amd64"))
	arm.tops(arm.image("linux/arm64"))
	dir := t.TempDir()
	amd.writeDir(t, filepath.Join(dir, "a"))
	arm.writeDir(t, filepath.Join(dir, "b"))
	one, other := mustBuild(t, dir, image.Request{Source: oci("a", "b")}), mustBuild(t, dir, image.Request{Source: oci("b", "a")})
	if one.Root().Digest != other.Root().Digest {
		t.Errorf("%s\n%s", one.Root().Raw, other.Root().Raw)
	}
}

func TestIndexAnnotations(t *testing.T) {
	for title, tc := range map[string]struct {
		own         object
		defaults    map[string]string
		annotations []release.Annotation
		want        map[string]string
	}{
		"the index's own are kept":     {object{"own": "1"}, nil, nil, map[string]string{"own": "1"}},
		"ours replace its own":         {object{"own": "1"}, nil, []release.Annotation{{Key: "own", Value: "2"}}, map[string]string{"own": "2"}},
		"an empty value removes":       {object{"own": "1"}, nil, []release.Annotation{{Key: "own"}}, nil},
		"ours replace defaults":        {nil, map[string]string{"a": "1", "b": "1"}, []release.Annotation{{Key: "a", Value: "2"}, {Key: "b"}}, map[string]string{"a": "2"}},
		"a manifest's are not here":    {nil, nil, []release.Annotation{{Level: "manifest", Key: "a", Value: "2"}}, nil},
		"defaults replace the index's": {object{"a": "1"}, map[string]string{"a": "2"}, nil, map[string]string{"a": "2"}},
	} {
		t.Run(title, func(t *testing.T) {
			s := store{}
			i := indexOf(s.image("linux/amd64"))
			if tc.own != nil {
				i["annotations"] = tc.own
			}
			s.tops(named(s.document(ociIndex, i), "latest"))
			b := mustBuild(t, layoutOf(t, s), image.Request{Source: oci("app"), Defaults: defaults(tc.defaults), Annotations: tc.annotations})
			if diff := cmp.Diff(tc.want, parse[indexJSON](t, b.Root().Raw).Annotations); diff != "" {
				t.Errorf("annotations (-want +got):\n%s", diff)
			}
		})
	}
}

// defaults gives always the same.
func defaults(values map[string]string) image.Defaults {
	return func(context.Context) (map[string]string, error) { return values, nil }
}

func TestDefaultsAreCheckedAndAskedOnlyForAnIndexOfOurs(t *testing.T) {
	s := store{}
	s.tops(named(s.image("linux/amd64"), "latest"))
	for title, tc := range map[string]struct {
		defaults image.Defaults
		want     string
	}{
		"a control character": {defaults(map[string]string{"a": "\r"}), "control characters"},
		"too many bytes":      {defaults(map[string]string{"a": strings.Repeat("a", 1<<20)}), "more than"},
		"an error":            {func(context.Context) (map[string]string, error) { return nil, errors.New("no date") }, "no date"},
	} {
		t.Run(title, func(t *testing.T) {
			_, err := build(t, layoutOf(t, s), image.Request{Source: oci("app"), Defaults: tc.defaults})
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error is %v, want one with %q", err, tc.want)
			}
		})
	}
}

func TestChildrenKeepTheirBytes(t *testing.T) {
	s := store{}
	amd, arm := s.docker("linux/amd64"), named(s.image("linux/arm64"), "arm")
	s.tops(amd, arm)
	b := mustBuild(t, layoutOf(t, s), image.Request{Source: oci("app"), Annotations: []release.Annotation{{Key: "a", Value: "b"}}})
	for i, want := range []object{amd, arm} {
		c := b.Manifests()[i]
		if c.Digest.String() != want["digest"] || string(c.MediaType) != want["mediaType"] {
			t.Errorf("child is %s %s, want %s %s", c.MediaType, c.Digest, want["mediaType"], want["digest"])
		}
		if e := parse[indexJSON](t, b.Root().Raw).Manifests[i]; e.MediaType != want["mediaType"] || e.Annotations != nil {
			t.Errorf("it is listed as %+v", e)
		}
	}
}

func TestManifestAnnotationsAndLabels(t *testing.T) {
	s := store{}
	amd, arm := s.docker("linux/amd64"), s.image("linux/arm64", func(m object) {
		m["annotations"] = object{"own": "1", "old": "1"}
		m["unknown"] = []int{1, 2}
	})
	s.tops(amd, arm)
	b := mustBuild(t, layoutOf(t, s), image.Request{
		Source: oci("app"),
		Annotations: []release.Annotation{
			{Level: "manifest", Key: "all", Value: "yes"},
			{Level: "manifest", Platform: required(t, "linux/arm64/v8")[0], Key: "arm", Value: "yes"},
			{Level: "manifest", Key: "old"},
		},
		Labels: map[string]string{"label": "<1>", "keep": ""},
	})
	type manifest struct {
		SchemaVersion int
		MediaType     string
		Config        struct{ MediaType, Digest string }
		Layers        []struct{ MediaType, Digest string }
		Annotations   map[string]string
		Unknown       []int
	}
	for i, want := range []map[string]string{{"all": "yes"}, {"all": "yes", "arm": "yes", "own": "1"}} {
		c := b.Manifests()[i]
		m := parse[manifest](t, c.Raw)
		if diff := cmp.Diff(want, m.Annotations); diff != "" {
			t.Errorf("%s: annotations (-want +got):\n%s", c.Platform, diff)
		}
		types := []string{m.MediaType, string(c.MediaType), m.Config.MediaType, m.Layers[0].MediaType, m.Layers[1].MediaType}
		if diff := cmp.Diff([]string{ociManifest, ociManifest, ociConfig, ociLayer, ociLayer}, types); diff != "" {
			t.Errorf("%s: media types (-want +got):\n%s", c.Platform, diff)
		}
		if digestOf(c.Raw) != c.Digest.String() || len(c.From) != 0 || m.SchemaVersion != 2 || c.Blobs[0].Digest.String() != m.Config.Digest {
			t.Errorf("%s: child is %+v", c.Platform, c)
		}
		for j, blob := range c.Blobs {
			if digestOf(read(t, blob)) != blob.Digest.String() || strings.Contains(string(blob.MediaType), "docker") {
				t.Errorf("%s: blob %d is %+v", c.Platform, j, blob.Descriptor)
			}
		}
		config := string(read(t, c.Blobs[0]))
		if !strings.Contains(config, `"config":{"Labels":{"label":"<1>"},"Unknown":1.5}`) || !strings.Contains(config, `"rootfs":{"type":"layers"}`) {
			t.Errorf("%s: config is %s", c.Platform, config)
		}
		if c.Platform.String() == "linux/arm64" && len(m.Unknown) != 2 {
			t.Errorf("a field that is not ours is lost: %s", c.Raw)
		}
	}
}

func TestLabelsOnAConfigWithoutAny(t *testing.T) {
	for config, want := range map[string]string{
		`{"os":"linux","architecture":"amd64"}`:                             `{"architecture":"amd64","config":{"Labels":{"a":"b"}},"os":"linux"}`,
		`{"os":"linux","architecture":"amd64","config":null}`:               `{"architecture":"amd64","config":{"Labels":{"a":"b"}},"os":"linux"}`,
		`{"os":"linux","architecture":"amd64","config":{"Labels":null}}`:    `{"architecture":"amd64","config":{"Labels":{"a":"b"}},"os":"linux"}`,
		`{"os":"linux","architecture":"amd64","config":{"Cmd":["&","\n"]}}`: `{"architecture":"amd64","config":{"Cmd":["&","\n"],"Labels":{"a":"b"}},"os":"linux"}`,
	} {
		s := store{}
		s.tops(s.image("linux/amd64", func(m object) { m["config"] = s.blob(ociConfig, []byte(config)) }))
		b := mustBuild(t, layoutOf(t, s), image.Request{Source: oci("app"), Labels: map[string]string{"a": "b", "absent": ""}})
		if got := string(read(t, b.Manifests()[0].Blobs[0])); got != want {
			t.Errorf("config is %s, want %s", got, want)
		}
	}
}

func TestAManifestAnnotationForAPlatformThatIsNotThere(t *testing.T) {
	s := store{}
	s.tops(s.image("linux/amd64"))
	_, err := build(t, layoutOf(t, s), image.Request{
		Source:      oci("app"),
		Annotations: []release.Annotation{{Level: "manifest", Platform: required(t, "linux/s390x")[0], Key: "a", Value: "b"}},
	})
	if want := "image app: annotation manifest[linux/s390x]:a: no linux/s390x; found linux/amd64 in app"; err == nil || err.Error() != want {
		t.Errorf("error is %v, want %s", err, want)
	}
}

func TestAttestationsOfALayout(t *testing.T) {
	s := store{}
	amd, arm := s.image("linux/amd64"), s.image("linux/arm64")
	stray := s.attestation(object{"digest": "sha256:" + strings.Repeat("2", 64)})
	s.tops(s.index(s.attestation(arm), s.attestation(amd), stray, arm, amd))
	dir := layoutOf(t, s)
	if got := platforms(mustBuild(t, dir, image.Request{Source: oci("app")})); !slices.Equal(got, []string{"linux/amd64", "linux/arm64"}) {
		t.Errorf("without keep-attestations: %q", got)
	}
	b := mustBuild(t, dir, image.Request{Source: oci("app"), Env: image.Env{KeepAttestations: true}})
	if got := platforms(b); !slices.Equal(got, []string{"linux/amd64", "linux/arm64", "", ""}) {
		t.Fatalf("with keep-attestations: %q", got)
	}
	for i, about := range []object{amd, arm} {
		e := parse[indexJSON](t, b.Root().Raw).Manifests[2+i]
		want := map[string]string{"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": about["digest"].(string)}
		if diff := cmp.Diff(want, e.Annotations); diff != "" || e.Platform.String() != "unknown/unknown" {
			t.Errorf("attestation of %s is listed as %+v", about["digest"], e)
		}
		if blobs := b.Manifests()[2+i].Blobs; len(blobs) != 2 || string(read(t, blobs[1])) != "statement about "+about["digest"].(string) {
			t.Errorf("its blobs are %+v", blobs)
		}
	}
}

// TestASharedLayerIsOneBlob holds that a layer of several layouts is opened in one of them alone.
func TestASharedLayerIsOneBlob(t *testing.T) {
	dir := t.TempDir()
	for title, platform := range map[string]string{"a": "linux/amd64", "b": "linux/arm64"} {
		s := store{}
		s.tops(s.image(platform)).writeDir(t, filepath.Join(dir, title))
	}
	b := mustBuild(t, dir, image.Request{Source: oci("a", "b")})
	if err := os.RemoveAll(filepath.Join(dir, "b")); err != nil {
		t.Fatal(err)
	}
	shared := b.Manifests()[1].Blobs[1]
	if shared.Digest != b.Manifests()[0].Blobs[1].Digest || string(read(t, shared)) != "shared layer" {
		t.Errorf("the layer of both is %s", shared.Digest)
	}
}

func TestMergedIndexesLoseTheirOwnAnnotations(t *testing.T) {
	dir := t.TempDir()
	for title, platform := range map[string]string{"a": "linux/amd64", "b": "linux/arm64"} {
		s := store{}
		i := indexOf(s.image(platform))
		i["annotations"] = object{"title": title}
		s.tops(s.document(ociIndex, i)).writeDir(t, filepath.Join(dir, title))
	}
	b := mustBuild(t, dir, image.Request{Source: oci("a", "b")})
	if got := parse[indexJSON](t, b.Root().Raw).Annotations; got != nil {
		t.Errorf("annotations are %v", got)
	}
}

func TestAConfigThatIsInlinedIsReplaced(t *testing.T) {
	s := store{}
	s.tops(s.image("linux/amd64", func(m object) { m["config"].(object)["data"] = "e30=" }))
	b := mustBuild(t, layoutOf(t, s), image.Request{Source: oci("app"), Labels: map[string]string{"a": "b"}})
	if raw := string(b.Manifests()[0].Raw); strings.Contains(raw, `"data"`) {
		t.Errorf("the old config is still in %s", raw)
	}
}

func TestARewrittenChildIsFromNowhereButItsLayersAre(t *testing.T) {
	s := store{}
	reg, r := digestsOf(t, s, s.manifest("linux/amd64"))
	r.Labels = map[string]string{"a": "b"}
	b, err := buildFrom(t, reg, r)
	if err != nil {
		t.Fatal(err)
	}
	c := b.Manifests()[0]
	if len(c.From) != 0 || len(c.Blobs[0].From) != 0 || len(c.Blobs[1].From) != 1 {
		t.Errorf("manifest is from %v, config from %v, layer from %v", c.From, c.Blobs[0].From, c.Blobs[1].From)
	}
	if dep := b.Dependencies()[0]; dep.Digest["sha256"] == c.Digest.Hex {
		t.Error("the dependency is the manifest that was made here")
	}
}

func TestMoreThan64ImagesOfSeveralLayouts(t *testing.T) {
	dir := t.TempDir()
	for _, title := range []string{"a", "b"} {
		s := store{}
		var images []object
		for i := range 33 {
			images = append(images, s.image("linux/"+title+strconv.Itoa(i)))
		}
		s.tops(s.index(images...)).writeDir(t, filepath.Join(dir, title))
	}
	if _, err := build(t, dir, image.Request{Source: oci("a", "b")}); err == nil || !strings.Contains(err.Error(), "66 manifests are more than the 64") {
		t.Errorf("error is %v", err)
	}
}

func TestWindowsImagesDifferByOSVersion(t *testing.T) {
	s := store{}
	var tops []object
	for _, version := range []string{"10.0.26100.1", "10.0.20348.1"} {
		config := platformOf("windows/amd64")
		config["os.version"] = version
		d := s.image("windows/amd64", func(m object) { m["config"] = s.document(ociConfig, config) })
		tops = append(tops, d)
	}
	b := mustBuild(t, layoutOf(t, s.tops(tops...)), image.Request{Source: oci("app"), Env: image.Env{Platforms: required(t, "windows/amd64")}})
	for i, want := range []string{"10.0.20348.1", "10.0.26100.1"} {
		if got := parse[indexJSON](t, b.Root().Raw).Manifests[i].Platform.OSVersion; got != want {
			t.Errorf("manifest %d is for os.version %s, want %s", i, got, want)
		}
	}
	tops[0]["platform"].(object)["os.version"] = "10.0.1.1"
	if _, err := build(t, layoutOf(t, s.tops(tops...)), image.Request{Source: oci("app")}); err == nil || !strings.Contains(err.Error(), "os.version") {
		t.Errorf("error is %v", err)
	}
}

func TestTheZeroBuiltIsRefused(t *testing.T) {
	if (image.Built{}).Ok() {
		t.Error("a zero value passes as an image")
	}
}
