//go:build e2e

package e2e

import (
	"strings"
	"testing"
)

func TestTheConsumersRun(t *testing.T) {
	s := servers(t)
	for _, c := range []struct {
		tool tool
		args []string
	}{
		{ghTool, []string{"--version"}},
		{cosignTool, []string{"version"}},
	} {
		if out := s.consume(t, c.tool, c.args...); out.code != 0 {
			t.Errorf("%s: %s", c.tool.name, out)
		}
	}
}

// The harness itself is right: what sigstore-go signs on it, gh and cosign accept, and they refuse what they should.
func TestABundleOfSigstoreGoIsAcceptedByTheConsumers(t *testing.T) {
	s, j := servers(t), release()
	img := newImage(t, 64)
	ref := "ghcr.io/acme/smoke"
	img.push(t, "127.0.0.1:"+s.ports.distribution+"/acme/smoke:1.2.3")
	amd64 := img.platforms["linux/amd64"]
	bundle := s.sign(t, j, statement(t, provenanceType, ref, img.digest, amd64))
	s.store(t, j, bundle)
	file := write(t, t.TempDir(), "app.sigstore.json", bundle)
	_, raw := resolve(t, "127.0.0.1:"+s.ports.distribution+"/acme/smoke:1.2.3")
	manifest := write(t, t.TempDir(), "manifest.json", raw)
	changed := write(t, t.TempDir(), "changed.sigstore.json", []byte(strings.Replace(string(bundle), `"sig":"M`, `"sig":"N`, 1)))
	for _, c := range []struct {
		name string
		good bool
		out  func() outcome
	}{
		{"gh by bundle", true, func() outcome { return s.gh(t, "oci://"+ref+":1.2.3", "-b", file, "-R", j.Repository) }},
		{"gh by bundle and a platform's digest", true, func() outcome { return s.gh(t, "oci://"+ref+"@"+amd64, "-b", file, "-R", j.Repository) }},
		{"gh on the manifest as a file", true, func() outcome { return s.gh(t, manifest, "-b", file, "-R", j.Repository) }},
		{"gh through the API", true, func() outcome { return s.gh(t, "oci://"+ref+":1.2.3", "-R", j.Repository) }},
		{"gh through the API by owner", true, func() outcome { return s.gh(t, "oci://"+ref+"@"+amd64, "-o", j.owner()) }},
		{"gh of another repository", false, func() outcome { return s.gh(t, "oci://"+ref+":1.2.3", "-R", "acme/other") }},
		{"gh by a changed bundle", false, func() outcome { return s.gh(t, "oci://"+ref+":1.2.3", "-b", changed, "-R", j.Repository) }},
		{"cosign", true, func() outcome { return s.cosign(t, file, j.identity(), manifest) }},
		{"cosign of another identity", false, func() outcome { return s.cosign(t, file, j.identity()+"x", manifest) }},
	} {
		if out := c.out(); (out.code == 0) != c.good {
			t.Errorf("%s: %s", c.name, out)
		}
	}
}
