package image_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/taglast/taglast/internal/hint"
	"github.com/taglast/taglast/internal/image"
	"github.com/taglast/taglast/pkg/release"
)

func TestCheck(t *testing.T) {
	annotation := func(level, on, key, value string) image.Request {
		var p release.Platform
		if on != "" {
			p = required(t, on)[0]
		}
		return image.Request{Source: oci("a"), Annotations: []release.Annotation{{Level: level, Platform: p, Key: key, Value: value}}}
	}
	keeping := func(r image.Request) image.Request {
		r.Env.KeepAttestations = true
		return r
	}
	labels := func(l map[string]string) image.Request { return image.Request{Source: oci("a"), Labels: l} }
	for name, tc := range map[string]struct {
		r    image.Request
		want string // empty: good
	}{
		"index annotation":                      {annotation("", "", "a", "b"), ""},
		"text in any language":                  {annotation("index", "", "a", "größer – 大きい"), ""},
		"an annotation that is removed":         {annotation("index", "", "a", ""), ""},
		"just 64 KiB":                           {annotation("", "", "a", strings.Repeat("b", 64<<10-1)), ""},
		"more than 64 KiB":                      {annotation("", "", "a", strings.Repeat("b", 64<<10)), "more than 65536 bytes"},
		"more than 64 KiB of labels":            {labels(map[string]string{"a": strings.Repeat("b", 40<<10), "b": strings.Repeat("b", 40<<10)}), "more than 65536 bytes"},
		"a line break":                          {annotation("", "", "a", "b\nc"), "control characters"},
		"a terminal sequence in a key":          {annotation("", "", "a\x1b[0m", "b"), "control characters"},
		"a C1 control character":                {annotation("", "", "a", "\u009b0m"), "control characters"},
		"invalid UTF-8":                         {annotation("", "", "a", "\xff"), "not UTF-8"},
		"invalid UTF-8 in a key":                {annotation("", "", "\xff", "a"), "not UTF-8"},
		"an empty key":                          {annotation("", "", "", "b"), "its key is empty"},
		"an unknown level":                      {annotation("descriptor", "", "a", "b"), "neither index nor manifest"},
		"a platform at the index":               {annotation("index", "linux/amd64", "a", "b"), "only manifest annotations"},
		"a label with a control character":      {labels(map[string]string{"a": "\x00"}), "control characters"},
		"attestations and manifest annotations": {keeping(annotation("manifest", "", "a", "b")), "keep-attestations"},
		"attestations and index annotations":    {keeping(annotation("", "", "a", "b")), ""},
		"attestations and labels":               {keeping(labels(map[string]string{"a": "b"})), "keep-attestations"},
		"no source":                             {image.Request{}, "no source"},
	} {
		t.Run(name, func(t *testing.T) {
			tc.r.Name = "app"
			err := tc.r.Check(t.Context())
			if tc.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.HasPrefix(err.Error(), "image app: ") {
				t.Errorf("error is %v, want %q in it", err, tc.want)
			}
			if err != nil && strings.ContainsAny(err.Error(), "\x1b\r\n\x00") {
				t.Errorf("error has control characters: %q", err)
			}
			// Build refuses the same, and reads nothing first: this request's source is not there.
			if _, built := build(t, t.TempDir(), tc.r); built == nil || built.Error() != err.Error() {
				t.Errorf("build says %v, check %v", built, err)
			}
		})
	}
}

func TestDigestNames(t *testing.T) {
	hex := strings.Repeat("0123456789abcdef", 4)
	for name, tc := range map[string]struct {
		files     []string
		err, hint string
	}{
		"bare hex":            {[]string{hex}, "", ""},
		"sha256- before it":   {[]string{"sha256-" + hex}, "", ""},
		"a build record":      {[]string{hex, "acme~app~LWAMVV.dockerbuild"}, `digests: "acme~app~LWAMVV.dockerbuild" is not a digest; it is docker/build-push-action's build record`, "download only the digests: `pattern: digests-*`"},
		"another file":        {[]string{hex, "README"}, `digests: "README" is not a digest`, "a digest is 64 hex digits, with or without sha256- or sha256: before them"},
		"upper case":          {[]string{strings.ToUpper(hex)}, `digests: "` + strings.ToUpper(hex) + `" is not a digest`, "a digest is 64 hex digits, with or without sha256- or sha256: before them"},
		"sha512":              {[]string{"sha512-" + hex + hex}, `digests: "sha512-` + hex + hex + `" is not a digest that is supported: only sha256 is`, ""},
		"a terminal sequence": {[]string{"\x1b[31m"}, `digests: "\x1b[31m" is not a digest`, "a digest is 64 hex digits, with or without sha256- or sha256: before them"},
		"a directory":         {[]string{"digests-amd64/" + hex}, `digests: "digests-amd64" is a directory, not a file named by a digest`, "set `merge-multiple: true` on download-artifact: then the files of all artifacts are in one directory"},
		"nothing":             {nil, "digests: file does not exist", "the directory is relative to the folder of the release file. Is `merge-multiple: true` set on download-artifact, and did both build jobs upload?"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for _, f := range tc.files {
				writeFile(t, filepath.Join(dir, "digests", f), nil)
			}
			err := image.Request{
				Name: "app", Env: image.Env{Dir: dir, Platforms: required(t, "linux/amd64", "linux/arm64")},
				Source: source(t, release.DigestsSource{Dir: "digests/", Repository: repo(t, "ghcr.io/acme/app")}),
			}.Check(t.Context())
			if tc.err == "" && err != nil || tc.err != "" && (err == nil || err.Error() != tc.err) {
				t.Errorf("error is\n%v, want\n%v", err, tc.err)
			}
			if got := hint.Of(err); got != tc.hint {
				t.Errorf("hint is\n%s, want\n%s", got, tc.hint)
			}
		})
	}
}

func TestAnEmptyDigestDirectory(t *testing.T) {
	err := image.Request{Name: "app", Env: image.Env{Dir: t.TempDir()}, Source: source(t, release.DigestsSource{Dir: "."})}.Check(t.Context())
	if err == nil || err.Error() != ".: the directory is empty" {
		t.Errorf("error is %v", err)
	}
}

func TestDigestLists(t *testing.T) {
	hex := strings.Repeat("0123456789abcdef", 4)
	one := v1.Hash{Algorithm: "sha256", Hex: hex}
	var many []v1.Hash
	for i := range 65 {
		many = append(many, v1.Hash{Algorithm: "sha256", Hex: strings.Replace(hex, "01", string("0123456789abcdef"[i%16])+string("0123456789abcdef"[i/16]), 1)})
	}
	for name, tc := range map[string]struct {
		d    release.DigestsSource
		want string
	}{
		"one digest twice":           {release.DigestsSource{List: []v1.Hash{one, one}}, ""},
		"a list with no digest":      {release.DigestsSource{List: []v1.Hash{one, {}}}, `digests: ":" is not a sha256 digest`},
		"a digest of sha512":         {release.DigestsSource{List: []v1.Hash{{Algorithm: "sha512", Hex: hex + hex}}}, "sha512 is not supported"},
		"a list of nothing":          {release.DigestsSource{}, "the list is empty"},
		"a list and a directory":     {release.DigestsSource{List: []v1.Hash{one}, Dir: "."}, "it is one of them"},
		"more than 64":               {release.DigestsSource{List: many}, "65 digests are more than 64"},
		"a digest with a path in it": {release.DigestsSource{List: []v1.Hash{{Algorithm: "sha256", Hex: "../" + hex}}}, "is not a sha256 digest"},
	} {
		t.Run(name, func(t *testing.T) {
			err := image.Request{Name: "app", Source: source(t, tc.d)}.Check(t.Context())
			if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("error is %v, want %q in it", err, tc.want)
			}
		})
	}
}

func TestHubIsDockerIO(t *testing.T) {
	hub, err := name.NewRepository("acme/app")
	if err != nil {
		t.Fatal(err)
	}
	s := store{}
	d := s.manifest("linux/amd64")
	reg := newServer(t)
	reg.push("acme/app", s)
	b, err := buildFrom(t, reg.clients(), image.Request{
		Name: "app", Source: source(t, release.DigestsSource{List: []v1.Hash{hash(t, d["digest"])}, Repository: hub}),
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := b.Dependencies()[0].URI, "pkg:oci/app@"+d["digest"].(string)+"?repository_url=docker.io/acme/app"; got != want {
		t.Errorf("dependency is %s, want %s", got, want)
	}
}
