//go:build e2e

package e2e

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Everything that a build is given arrives in the image, the image is accepted by its consumers, its provenance names
// what it was made of, and a secret stands nowhere.
func TestADockerfileIsBuiltAndPublished(t *testing.T) {
	s, b := builders(t)
	j, dir, temp := release(), t.TempDir(), t.TempDir()
	base := pushBases(t)
	p := s.public("acme/" + secret("built-"))
	token, key := secret("token-"), secret("key-")
	writeFiles(t, dir, map[string]string{
		"build/Dockerfile": `FROM step:1 AS base
ARG GREETING
ARG FROM_ENVIRONMENT
RUN --mount=type=secret,id=token ["/step","sum","/run/secrets/token","/token"]
RUN --mount=type=secret,id=key ["/step","sum","/run/secrets/key","/key"]
RUN --mount=type=secret,id=token ["/step","say","/run/secrets/token"]
RUN ["/step","write","/arguments","$GREETING, $FROM_ENVIRONMENT"]
WORKDIR /srv
COPY hello.txt .
COPY --from=extra extra.txt .
FROM base AS unwanted
RUN ["/step","fail","this target was not asked for"]
FROM base AS wanted
LABEL org.example.stage=wanted org.example.both=Dockerfile
FROM unwanted
`,
		"build/hello.txt": "hello\n", "more/extra.txt": "extra\n", "key.pem": key,
		"taglast.yaml": fmt.Sprintf(`repositories: [%s]
platforms: [%s]
tags: ["type=semver,pattern={{version}}"]
labels: {org.example.both: release file}
images:
  - name: app
    source:
      dockerfile: build/Dockerfile
      context: build
      target: wanted
      args: {GREETING: hello, FROM_ENVIRONMENT: }
      secrets: ["id=token,env=APP_TOKEN", "id=key,src=key.pem"]
      contexts: {extra: more}
`, strings.Join(p.repositories, ", "), hostPlatform),
	})
	environ := append(s.stepEnviron(t, j), b.environ...)
	mark := s.gateway.mark()
	out, r := s.publishIn(t, append(environ, "APP_TOKEN="+token, "FROM_ENVIRONMENT=from outside", "TMPDIR="+temp), dir)
	if out.code != 0 || r.Outcome != "published" || len(r.Images) != 1 {
		t.Fatalf("publish: %s", out)
	}
	checkTraffic(t, s, s.gateway.since(mark))

	img := built(t, p.loopback[0]+":1.2.3", hostPlatform)
	files := contents(t, img)
	for path, want := range map[string]string{
		"token": fmt.Sprintf("%x", sha256.Sum256([]byte(token))), "key": fmt.Sprintf("%x", sha256.Sum256([]byte(key))),
		"arguments": "hello, from outside", "srv/hello.txt": "hello\n", "srv/extra.txt": "extra\n",
	} {
		if files[path] != want {
			t.Errorf("/%s is %q, want %q", path, files[path], want)
		}
	}
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	for label, want := range map[string]string{
		"org.example.stage": "wanted", "org.example.both": "release file",
		"org.opencontainers.image.version": "1.2.3", "org.opencontainers.image.revision": j.SHA,
		"org.opencontainers.image.source": "https://github.com/" + j.Repository,
	} {
		if got := config.Config.Labels[label]; got != want {
			t.Errorf("label %s is %q, want %q", label, got, want)
		}
	}

	for name, secret := range map[string]string{"token": token, "key": key} {
		noSecret(t, secret, name+" in the output", out.stdout+out.stderr)
		for path, content := range files {
			noSecret(t, secret, name+" in /"+path, content)
		}
		noSecret(t, secret, name+" in the configuration", configText(t, img))
		filesWithout(t, secret, filepath.Join(dir, "taglast-out"))
	}
	if !strings.Contains(out.stderr, "***") {
		t.Errorf("the step that prints a secret does not show where it stood: %s", out)
	}
	if rest, err := os.ReadDir(temp); err != nil || len(rest) > 0 {
		t.Errorf("left in the folder for temporary files: %v %v", rest, err)
	}

	bundle := filepath.Join(dir, "taglast-out", "app.sigstore.json")
	checkDependencies(t, bundle, base)
	var platform string
	for _, one := range r.Images[0].Platforms {
		platform = one.Digest
	}
	for i, repository := range p.repositories {
		for _, ref := range []string{":1.2.3", "@" + platform} {
			if gh := s.gh(t, "oci://"+repository+ref, "-R", j.Repository); gh.code != 0 {
				t.Errorf("gh on %s%s: %s", repository, ref, gh)
			}
			_, raw := resolve(t, p.loopback[i]+ref)
			if c := s.cosign(t, bundle, j.identity(), write(t, t.TempDir(), "manifest.json", raw)); c.code != 0 {
				t.Errorf("cosign on %s%s: %s", repository, ref, c)
			}
		}
	}
}

// checkDependencies finds the base image with its digest among what the image was made of, and buildx with its version
// among what made it.
func checkDependencies(t *testing.T, bundle, base string) {
	t.Helper()
	var statement slsaStatement
	payload(t, bundle, &statement)
	materials, builders := statement.Predicate.BuildDefinition.ResolvedDependencies, statement.Predicate.RunDetails.Builder.BuilderDependencies
	hex := strings.TrimPrefix(base, "sha256:")
	if !slices.ContainsFunc(materials, func(d dependency) bool {
		return d.Digest["sha256"] == hex && strings.Contains(d.URI+d.Name, "step")
	}) {
		t.Errorf("the base image %s is not among the resolved dependencies: %+v", base, materials)
	}
	if !slices.ContainsFunc(builders, func(d dependency) bool {
		return strings.Contains(d.URI+d.Name, "buildx") && strings.Contains(fmt.Sprintf("%+v", d), buildxTool.version)
	}) {
		t.Errorf("buildx %s is not among the builder's dependencies: %+v", buildxTool.version, builders)
	}
}

func noSecret(t *testing.T, secret, where, text string) {
	t.Helper()
	if strings.Contains(text, secret) {
		t.Errorf("the secret stands as %s: %q", where, text)
	}
}

func configText(t *testing.T, img v1.Image) string {
	t.Helper()
	raw, err := img.RawConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// filesWithout fails where a file below a folder holds the secret.
func filesWithout(t *testing.T, secret, dir string) {
	t.Helper()
	seen := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		seen++
		raw, err := os.ReadFile(path)
		noSecret(t, secret, "content of "+path, string(raw))
		return err
	})
	if err != nil || seen == 0 {
		t.Errorf("%d files in %s: %v", seen, dir, err)
	}
}

// COPY needs no machine of the platform. An image of the release is the base of another one, without a tag and a registry
// in between.
func TestAnImageOfTheReleaseIsTheBaseOfAnother(t *testing.T) {
	s, b := builders(t)
	j, dir := release(), t.TempDir()
	repository := "acme/" + secret("chain-")
	writeFiles(t, dir, map[string]string{
		"base/Dockerfile": "FROM scratch\nCOPY base.txt /\nENV FROM_BASE=yes\n", "base/base.txt": "base\n",
		"app/Dockerfile": "FROM base\nARG TARGETARCH\nCOPY ${TARGETARCH}.txt /arch.txt\n", "app/amd64.txt": "amd64", "app/arm64.txt": "arm64",
		"taglast.yaml": fmt.Sprintf(`repositories: ["ghcr.io/%s-{{image}}"]
platforms: [linux/amd64, linux/arm64]
tags: [1.2.3]
images:
  - name: app
    source: {dockerfile: app/Dockerfile, context: app, contexts: {base: "image:base"}}
  - name: base
    source: {dockerfile: base/Dockerfile, context: base}
`, repository),
	})
	out, r := s.publishIn(t, append(s.stepEnviron(t, j), b.environ...), dir)
	if out.code != 0 || len(r.Images) != 2 {
		t.Fatalf("publish: %s", out)
	}
	loopback := "127.0.0.1:" + s.ports.distribution + "/" + repository
	for _, arch := range []string{"amd64", "arm64"} {
		img := built(t, loopback+"-app:1.2.3", "linux/"+arch)
		config, err := img.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		if files := contents(t, img); files["base.txt"] != "base\n" || files["arch.txt"] != arch || config.Architecture != arch || !slices.Contains(config.Config.Env, "FROM_BASE=yes") {
			t.Errorf("linux/%s: %v, %+v", arch, files, config)
		}
		app, base := layersOf(t, img), layersOf(t, built(t, loopback+"-base:1.2.3", "linux/"+arch))
		if len(base) == 0 || len(app) <= len(base) || !slices.Equal(app[:len(base)], base) {
			t.Errorf("linux/%s: the layers are %v, of the base %v", arch, app, base)
		}
	}
	for _, name := range []string{"-app", "-base"} {
		if gh := s.gh(t, "oci://ghcr.io/"+repository+name+":1.2.3", "-R", j.Repository); gh.code != 0 {
			t.Errorf("gh on %s: %s", name, gh)
		}
	}
}

// layersOf are the digests of an image's layers.
func layersOf(t *testing.T, img v1.Image) (digests []string) {
	t.Helper()
	manifest, err := img.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range manifest.Layers {
		digests = append(digests, l.Digest.String())
	}
	return digests
}

// A context in a Git repository is named in the provenance by the commit that was fetched.
func TestAGitContextIsNamedByItsCommit(t *testing.T) {
	s, b := builders(t)
	dir, origin := t.TempDir(), t.TempDir()
	work, bare := filepath.Join(origin, "work"), filepath.Join(origin, "app.git")
	writeFiles(t, work, map[string]string{"Dockerfile": "FROM scratch\nCOPY hello.txt /\n", "hello.txt": "hello\n"})
	git := func(args ...string) string {
		t.Helper()
		environ := append(base(origin), "GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_DATE=@1772600767 +0000", "GIT_COMMITTER_DATE=@1772600767 +0000")
		out, err := run(t.Context(), work, "git", environ, append([]string{"-c", "user.name=octocat", "-c", "user.email=octocat@github.com"}, args...)...)
		if err != nil || out.code != 0 {
			t.Fatalf("git %v: %v %s", args, err, out)
		}
		return strings.TrimSpace(out.stdout)
	}
	git("init", "--quiet", "--initial-branch=main")
	git("add", ".")
	git("commit", "--quiet", "--message=one")
	commit := git("rev-parse", "HEAD")
	git("clone", "--quiet", "--bare", work, bare)
	git("--git-dir", bare, "update-server-info") // for clients that fetch files over http
	server := httptest.NewServer(http.FileServer(http.Dir(origin)))
	t.Cleanup(server.Close)

	writeFiles(t, dir, map[string]string{"taglast.yaml": fmt.Sprintf(`repositories: [ghcr.io/acme/%s]
platforms: [linux/amd64, linux/arm64]
tags: [1.2.3]
images:
  - {name: app, source: {dockerfile: Dockerfile, context: "%s/app.git#%s"}}
`, secret("git-"), server.URL, commit)})
	out, _ := s.publishIn(t, append(s.stepEnviron(t, release()), b.environ...), dir)
	if out.code != 0 {
		t.Fatalf("publish: %s", out)
	}
	var statement slsaStatement
	payload(t, filepath.Join(dir, "taglast-out", "app.sigstore.json"), &statement)
	if !slices.ContainsFunc(statement.Predicate.BuildDefinition.ResolvedDependencies, func(d dependency) bool {
		return strings.Contains(d.URI, server.URL+"/app.git") && slices.Contains(slices.Collect(maps.Values(d.Digest)), commit)
	}) {
		t.Errorf("%s at %s is not among the resolved dependencies: %+v", server.URL, commit, statement.Predicate.BuildDefinition.ResolvedDependencies)
	}
}
