package ociref_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/taglast/taglast/internal/ociref"
)

var digits = strings.Repeat("0a", 32)

func TestDigestsAreReadStrictly(t *testing.T) {
	type reads struct{ digest, name, tag, like bool }
	for name, c := range map[string]struct {
		text string
		want reads
	}{
		"sha256 and a colon":             {"sha256:" + digits, reads{digest: true, name: true}},
		"sha256 and a hyphen":            {"sha256-" + digits, reads{name: true, tag: true, like: true}},
		"hex alone":                      {digits, reads{name: true}},
		"an empty text":                  {"", reads{}},
		"no hex":                         {"sha256:", reads{}},
		"no hex after a hyphen":          {"sha256-", reads{}},
		"a digit less":                   {"sha256:" + digits[1:], reads{}},
		"a digit more":                   {"sha256:" + digits + "0", reads{}},
		"digits in capitals":             {"sha256:" + strings.ToUpper(digits), reads{}},
		"digits in capitals, a hyphen":   {"sha256-" + strings.ToUpper(digits), reads{like: true}},
		"the algorithm in capitals":      {"SHA256:" + digits, reads{}},
		"a letter that is no digit":      {"sha256:" + digits[:63] + "g", reads{}},
		"a wide digit":                   {"sha256:" + digits[:61] + "\uff10", reads{}},
		"a line break at the end":        {"sha256:" + digits + "\n", reads{}},
		"a blank before it":              {" sha256:" + digits, reads{}},
		"a query at the end":             {"sha256:" + digits + "?x", reads{}},
		"a path":                         {"sha256:../../x", reads{}},
		"a path of the right length":     {"sha256-" + strings.Repeat("../", 21) + "x", reads{}},
		"both separators":                {"sha256:sha256-" + digits, reads{}},
		"both separators, the other way": {"sha256-sha256:" + digits, reads{}},
		"sha512":                         {"sha512:" + digits + digits, reads{}},
		"sha512 of a sha256's length":    {"sha512:" + digits, reads{}},
		"another algorithm":              {"md5:" + digits, reads{}},
		"no algorithm":                   {":" + digits, reads{}},
	} {
		t.Run(name, func(t *testing.T) {
			want := v1.Hash{Algorithm: "sha256", Hex: digits}
			check := func(what string, got v1.Hash, ok, wantOK bool) {
				t.Helper()
				if ok != wantOK || ok && got != want || !ok && got != (v1.Hash{}) {
					t.Errorf("%s: %v and %v, want %v", what, got, ok, wantOK)
				}
			}
			h, err := ociref.ParseDigest(c.text)
			check("as a digest", h, err == nil, c.want.digest)
			if (ociref.CheckDigest(c.text) == nil) != c.want.digest || err != nil && !errors.Is(err, ociref.ErrDigest) {
				t.Errorf("CheckDigest differs, or the error is no ErrDigest: %v", err)
			}
			raw, err := ociref.DigestBytes(c.text)
			if (err == nil) != c.want.digest || err == nil && !bytes.Equal(raw, bytes.Repeat([]byte{0x0a}, 32)) || err != nil && raw != nil {
				t.Errorf("its bytes are %x (%v)", raw, err)
			}
			h, err = ociref.ParseDigestName(c.text)
			check("as a file name", h, err == nil, c.want.name)
			h, ok := ociref.ParseFallbackTag(c.text)
			check("as a fallback tag", h, ok, c.want.tag)
			if got := ociref.LooksLikeFallbackTag(c.text); got != c.want.like {
				t.Errorf("it looks like a fallback tag: %v", got)
			}
		})
	}
}

func TestErrorsQuoteTheText(t *testing.T) {
	for text, want := range map[string]string{
		"abc":                          `"abc" is not a sha256 digest`,
		"a\x1b":                        `"a\x1b" is not a sha256 digest`,
		"sha512:" + digits:             `"sha512:` + digits + `" is not a sha256 digest: sha512 is not supported`,
		"a" + strings.Repeat("b", 999): `"a` + strings.Repeat("b", 196) + `…" is not a sha256 digest`,
	} {
		if err := ociref.CheckDigest(text); err == nil || err.Error() != want {
			t.Errorf("the error is %v, want %s", err, want)
		}
	}
}

func TestHashesAreCheckedAsTexts(t *testing.T) {
	for name, c := range map[string]struct {
		h  v1.Hash
		ok bool
	}{
		"a sha256 digest":       {v1.Hash{Algorithm: "sha256", Hex: digits}, true},
		"the zero value":        {v1.Hash{}, false},
		"another algorithm":     {v1.Hash{Algorithm: "sha512", Hex: digits}, false},
		"a path as digits":      {v1.Hash{Algorithm: "sha256", Hex: "../../etc"}, false},
		"a colon in the digits": {v1.Hash{Algorithm: "sha256", Hex: ":" + digits[1:]}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if err := ociref.CheckHash(c.h); (err == nil) != c.ok || err != nil && !errors.Is(err, ociref.ErrDigest) {
				t.Errorf("CheckHash is %v", err)
			}
			tag, err := ociref.FallbackTag(c.h)
			if (err == nil) != c.ok || c.ok && tag != "sha256-"+digits || !c.ok && tag != "" {
				t.Errorf("its fallback tag is %q (%v)", tag, err)
			}
		})
	}
}

func TestSumIsTheDigestOfContent(t *testing.T) {
	const want = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" // FIPS 180-2, B.1
	if got := ociref.Sum([]byte("abc")).String(); got != want {
		t.Errorf("it is %s", got)
	}
	if got := ociref.FromSum(sha256.Sum256([]byte("abc"))).String(); got != want {
		t.Errorf("it is %s", got)
	}
}

func FuzzParseDigest(f *testing.F) {
	for _, s := range []string{"sha256:" + digits, "sha256-" + digits, digits, "sha512:" + digits, "SHA256:" + digits, ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if h, err := ociref.ParseDigest(text); err == nil {
			library, err := v1.NewHash(text)
			if err != nil || library != h || h.String() != text || ociref.CheckHash(h) != nil {
				t.Errorf("%q is %v, the library's %v (%v)", text, h, library, err)
			}
		}
		h, err := ociref.ParseDigestName(text)
		if err != nil {
			return
		}
		tag, err := ociref.FallbackTag(h)
		if err != nil || !ociref.LooksLikeFallbackTag(tag) {
			t.Errorf("%q has the fallback tag %q (%v)", text, tag, err)
		}
		if back, ok := ociref.ParseFallbackTag(tag); !ok || back != h {
			t.Errorf("%q is under %q, which is of %v", text, tag, back)
		}
	})
}
