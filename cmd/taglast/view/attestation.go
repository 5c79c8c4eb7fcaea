package view

import (
	"fmt"
	"strings"

	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/internal/sbom"
	"github.com/taglast/taglast/pkg/publish"
)

// attestationCell links to where the attestations can be seen, those of SBOMs by their platforms; those of a dry run are
// nowhere.
func attestationCell(im publish.ImageReport, hypothetical bool) string {
	var out, sboms []string
	reused := true // all SBOMs
	for _, a := range im.Attestations {
		if sbom.IsType(a.PredicateType) {
			sboms = append(sboms, sbomLink(im, a, hypothetical))
			reused = reused && a.Reused
			continue
		}
		if hypothetical {
			out = append(out, "rehearsed")
			continue
		}
		if a.URL != "" {
			out = append(out, anchor(a.ID, a.URL))
		}
		if a.LogIndex != nil {
			out = append(out, fmt.Sprintf("log %d", *a.LogIndex))
		}
		if a.Reused {
			out = append(out, "reused")
		}
	}
	if len(sboms) > 0 {
		line := "SBOM " + strings.Join(sboms, " ")
		if reused && !hypothetical {
			line += " reused"
		}
		out = append(out, line)
	}
	return strings.Join(out, " · ")
}

// sbomLink is the platform of an SBOM, a link where the store has a page of the attestation.
func sbomLink(im publish.ImageReport, a publish.AttestationReport, hypothetical bool) string {
	name := short(a.Subject)
	for _, p := range im.Platforms {
		if p.Digest == a.Subject {
			name = shortPlatform(p.Platform)
		}
	}
	if a.URL == "" || hypothetical {
		return escape.Markdown(name)
	}
	return anchor(name, a.URL)
}
