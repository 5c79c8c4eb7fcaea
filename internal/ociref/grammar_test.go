package ociref_test

import (
	"strings"
	"testing"

	"github.com/taglast/taglast/internal/ociref"
)

func TestTagsFollowTheSpecification(t *testing.T) {
	for text, want := range map[string]bool{
		"1.2.3": true, "_x": true, "A-b.c_d": true, strings.Repeat("a", 128): true,
		"": false, ".x": false, "-x": false, "a b": false, "a:b": false, "a/b": false, "a\n": false, "é": false, strings.Repeat("a", 129): false,
	} {
		if got := ociref.IsTag(text); got != want {
			t.Errorf("IsTag(%q) is %v", text, got)
		}
	}
}

func TestPathsFollowTheSpecification(t *testing.T) {
	for text, want := range map[string]bool{
		"app": true, "acme/app": true, "a.b_c__d--e/f0": true,
		"": false, "Acme/app": false, "/app": false, "app/": false, "a//b": false, "a..b": false, "a___b": false, "-a": false, "a-": false,
		"a:b": false, "a@b": false, "a\n": false,
	} {
		if got := ociref.IsPath(text); got != want {
			t.Errorf("IsPath(%q) is %v", text, got)
		}
	}
}
