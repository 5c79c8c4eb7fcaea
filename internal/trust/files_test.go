package trust_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/taglast/taglast/internal/trust"
)

// service is one service of a signing config, valid in these years.
func service(url, version, start, end string) string {
	s := `{"url":"` + url + `","majorApiVersion":` + version + `,"operator":"test","validFor":{"start":"` + start + `-01-01T00:00:00Z"`
	if end != "" {
		s += `,"end":"` + end + `-01-01T00:00:00Z"`
	}
	return s + "}}"
}

type config struct{ ca, oidc, rekor, tsa []string }

func (c config) json() []byte {
	list := func(s []string) string { return "[" + strings.Join(s, ",") + "]" }
	return []byte(`{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.2+json",` +
		`"caUrls":` + list(c.ca) + `,"oidcUrls":` + list(c.oidc) + `,"rekorTlogUrls":` + list(c.rekor) +
		`,"rekorTlogConfig":{"selector":"ANY"},"tsaUrls":` + list(c.tsa) + `,"tsaConfig":{"selector":"ANY"}}`)
}

func good() config {
	return config{
		ca:    []string{service("https://fulcio.example", "1", "2020", "")},
		oidc:  []string{service("https://oidc.example", "1", "2020", "")},
		rekor: []string{service("https://rekor.example/", "1", "2020", "")},
		tsa:   []string{service("https://tsa.example/api/v1/timestamp", "1", "2020", "")},
	}
}

func TestServicesAreChosenFromTheSigningConfig(t *testing.T) {
	want := trust.Services{
		Fulcio: "https://fulcio.example", Rekor: "https://rekor.example", TSA: "https://tsa.example/api/v1/timestamp",
		OIDCIssuers: []string{"https://oidc.example"},
	}
	for _, tt := range []struct {
		name   string
		config func(*config)
		want   func(*trust.Services)
	}{
		{"one of each kind", func(*config) {}, func(*trust.Services) {}},
		{
			"the newest valid certificate authority",
			func(c *config) {
				c.ca = append(c.ca, service("https://new.example", "1", "2021", ""), service("https://future.example", "1", "2999", ""),
					service("https://past.example", "1", "2022", "2023"))
			},
			func(s *trust.Services) { s.Fulcio = "https://new.example" },
		},
		{
			"Rekor v1 where there is v2 as well",
			func(c *config) { c.rekor = append(c.rekor, service("https://v2.example", "2", "2024", "")) },
			func(*trust.Services) {},
		},
		{
			"no timestamp authority where the config has none",
			func(c *config) { c.tsa = nil },
			func(s *trust.Services) { s.TSA = "" },
		},
		{
			"plain http on this machine",
			func(c *config) {
				c.ca = []string{service("http://127.0.0.1:5555", "1", "2020", "")}
				c.rekor = []string{service("http://localhost:3000", "1", "2020", "")}
				c.tsa = []string{service("http://[::1]:3004/api/v1/timestamp", "1", "2020", "")}
			},
			func(s *trust.Services) {
				s.Fulcio, s.Rekor, s.TSA = "http://127.0.0.1:5555", "http://localhost:3000", "http://[::1]:3004/api/v1/timestamp"
			},
		},
		{
			"an ended identity provider is not accepted",
			func(c *config) { c.oidc = append(c.oidc, service("https://old.example", "1", "2020", "2021")) },
			func(*trust.Services) {},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, want := good(), want
			tt.config(&c)
			tt.want(&want)
			got, m, err := trust.FromFiles(c.json(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if m.Root != nil {
				t.Error("a trusted root from nowhere")
			}
		})
	}
}

func TestSigningConfigsThatAreRefused(t *testing.T) {
	for _, tt := range []struct {
		name   string
		config func(*config)
		want   string
	}{
		{"without a certificate authority", func(c *config) { c.ca = nil }, "certificate authority"},
		{"without a log", func(c *config) { c.rekor = nil }, "transparency log"},
		{"with Rekor v2 alone", func(c *config) { c.rekor = []string{service("https://v2.example", "2", "2024", "")} }, "version 2"},
		{"whose log has ended", func(c *config) { c.rekor = []string{service("https://r.example", "1", "2020", "2021")} }, "valid now"},
		{"whose timestamp authority has ended", func(c *config) { c.tsa = []string{service("https://t.example", "1", "2020", "2021")} }, "timestamp"},
		{"with plain http elsewhere", func(c *config) { c.ca = []string{service("http://fulcio.example", "1", "2020", "")} }, "loopback"},
		{"with plain http to a name that looks local", func(c *config) { c.rekor = []string{service("http://localhost.example", "1", "2020", "")} }, "loopback"},
		{"with a password in a URL", func(c *config) { c.tsa = []string{service("https://me:secret@tsa.example", "1", "2020", "")} }, "URL"},
		{"with another scheme", func(c *config) { c.oidc = []string{service("ftp://oidc.example", "1", "2020", "")} }, "https"},
		{"without a host", func(c *config) { c.ca = []string{service("https:fulcio", "1", "2020", "")} }, "URL"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := good()
			tt.config(&c)
			_, _, err := trust.FromFiles(c.json(), nil)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
		})
	}
	for name, raw := range map[string][]byte{
		"garbage": []byte("{"), "another document": []byte(`{"mediaType":"x"}`), "empty": {}, "too large": bytes.Repeat([]byte(" "), 4<<20+1),
	} {
		t.Run(name, func(t *testing.T) {
			if _, _, err := trust.FromFiles(raw, nil); err == nil {
				t.Error("a signing config that was accepted")
			}
			if _, _, err := trust.FromFiles(nil, raw); err == nil {
				t.Error("a trusted root that was accepted")
			}
		})
	}
}

// trustedRoot is an empty one: enough to tell documents apart.
const trustedRoot = `{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1","tlogs":[],"certificateAuthorities":[]}`

func TestTrustedRootKeepsItsDocument(t *testing.T) {
	s, m, err := trust.FromFiles(nil, []byte(trustedRoot))
	if err != nil {
		t.Fatal(err)
	}
	if m.Root == nil || string(m.JSON) != trustedRoot {
		t.Errorf("got %v, %s", m.Root, m.JSON)
	}
	if diff := cmp.Diff(trust.Services{}, s); diff != "" {
		t.Error(diff)
	}
}

func TestRootsOfAConsumer(t *testing.T) {
	pretty := strings.ReplaceAll(trustedRoot, ",", ",\n  ")
	for _, tt := range []struct {
		name, content string
		want          int // documents; 0 is an error
	}{
		{"one line", trustedRoot + "\n", 1},
		{"one line that does not end", trustedRoot, 1},
		{"one document on several lines", pretty, 1},
		{"JSON lines", trustedRoot + "\n" + trustedRoot + "\n", 2},
		{"JSON lines whose last does not end", trustedRoot + "\n" + trustedRoot, 2},
		{"nothing", "", 0},
		{"blank lines", "\n\n", 0},
		{"a second line that is cut", trustedRoot + "\n" + trustedRoot[:20], 0},
		{"another document behind", trustedRoot + "\n{}", 0},
		{"more than 32", strings.Repeat(trustedRoot+"\n", 33), 0},
		{"too large", strings.Repeat(" ", 4<<20+1), 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "trusted_root.jsonl")
			if err := os.WriteFile(path, []byte(tt.content), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := trust.ReadRoots(path)
			if len(got) != tt.want || (err == nil) != (tt.want > 0) {
				t.Errorf("got %d roots, %v; want %d", len(got), err, tt.want)
			}
		})
	}
	if _, err := trust.ReadRoots(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a file that is not there was read")
	}
}

func FuzzParseRoots(f *testing.F) {
	f.Add([]byte(trustedRoot))
	f.Add([]byte(trustedRoot + "\n" + trustedRoot))
	f.Fuzz(func(t *testing.T, raw []byte) {
		roots, err := trust.ParseRoots(raw)
		if (err == nil) != (len(roots) > 0) {
			t.Errorf("%d roots, %v", len(roots), err)
		}
	})
}

func FuzzSigningConfig(f *testing.F) {
	f.Add(good().json())
	f.Fuzz(func(t *testing.T, raw []byte) {
		s, _, err := trust.FromFiles(raw, nil)
		if err == nil && raw != nil && (s.Fulcio == "" || s.Rekor == "") {
			t.Errorf("accepted without services: %+v", s)
		}
	})
}
