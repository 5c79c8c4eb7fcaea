package sbom

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/internal/hint"
	"github.com/taglast/taglast/internal/strictjson"
)

var (
	spdx2Version     = regexp.MustCompile(`^SPDX-(2\.[0-9]{1,3})$`)
	spdx3Context     = regexp.MustCompile(`^https://spdx\.org/rdf/3\.0\.[0-9]{1,3}/spdx-context\.jsonld$`)
	spdx3Version     = regexp.MustCompile(`^3\.0\.[0-9]{1,3}$`)
	cycloneDXVersion = regexp.MustCompile(`^[1-9][0-9]{0,2}\.[0-9]{1,3}$`)
)

type object = map[string]json.RawMessage

// recognise returns the predicate type of a document whose top level is top.
func recognise(top object) (string, error) {
	_, spdx2 := top["spdxVersion"]
	_, spdx3 := top["@context"]
	_, cycloneDX := top["bomFormat"]
	switch {
	case spdx2 && !spdx3 && !cycloneDX:
		return recogniseSPDX2(top)
	case spdx3 && !spdx2 && !cycloneDX:
		return recogniseSPDX3(top)
	case cycloneDX && !spdx2 && !spdx3:
		return recogniseCycloneDX(top)
	case spdx2 || spdx3 || cycloneDX:
		return "", errors.New("it has the marks of two formats: of spdxVersion, @context and bomFormat only one may be there")
	}
	err := errors.New("neither SPDX (spdxVersion, or @context in version 3) nor CycloneDX (bomFormat)")
	for _, key := range []string{"sbom", "SPDX", "predicate"} { // GitHub's API, docker buildx imagetools, an in-toto statement
		if _, ok := top[key]; ok {
			return "", hint.With(err, fmt.Sprintf("the document seems to stand under the key %s: write that value into the file (jq .%s)", key, key))
		}
	}
	return "", hint.With(err, jsonHint)
}

func recogniseSPDX2(top object) (string, error) {
	version, err := strictjson.Member(top, "spdxVersion")
	if err != nil {
		return "", fmt.Errorf("SPDX: %w", err)
	}
	m := spdx2Version.FindStringSubmatch(version)
	if m == nil {
		return "", fmt.Errorf(`SPDX: spdxVersion "%s" is not SPDX-2.x`, escape.Bounded(version, 60))
	}
	if id, err := strictjson.Member(top, "SPDXID"); err != nil || id == "" {
		return "", errors.New("SPDX: it has no SPDXID")
	}
	return spdxType + "/v" + m[1], nil
}

// recogniseSPDX3 reads the JSON-LD serialisation (SPDX 3.0.1, "Model and serializations").
func recogniseSPDX3(top object) (string, error) {
	contexts := []string{}
	if json.Unmarshal(top["@context"], &contexts) != nil { // a list, or one of them
		one, err := strictjson.Member(top, "@context")
		if err != nil {
			return "", fmt.Errorf("SPDX: %w", err)
		}
		contexts = []string{one}
	}
	known := false
	for _, c := range contexts {
		known = known || spdx3Context.MatchString(c)
	}
	if !known {
		return "", fmt.Errorf(`not SPDX 3.0: @context "%s" is not https://spdx.org/rdf/3.0.x/spdx-context.jsonld`, escape.Bounded(strings.Join(contexts, " "), 120))
	}
	var graph []json.RawMessage
	if err := json.Unmarshal(top["@graph"], &graph); err != nil {
		return "", errors.New("SPDX: it has no @graph")
	}
	versions := 0
	for _, raw := range graph {
		version, ok := specVersion(raw)
		if !ok {
			continue
		}
		if versions++; !spdx3Version.MatchString(version) {
			return "", fmt.Errorf(`SPDX: specVersion "%s" is not 3.0.x`, escape.Bounded(version, 60))
		}
	}
	if versions == 0 {
		return "", errors.New("SPDX: its @graph has no creation information with a specVersion")
	}
	return spdxType + "/v3.0", nil
}

// specVersion is that of an element's creation information: of the element itself, or of what stands in it.
func specVersion(element json.RawMessage) (string, bool) {
	for _, path := range [][]string{{"specVersion"}, {"creationInfo", "specVersion"}} {
		if _, ok := strictjson.Lookup(element, path...); ok {
			return strictjson.Text(element, path...), true
		}
	}
	return "", false
}

func recogniseCycloneDX(top object) (string, error) {
	format, err := strictjson.Member(top, "bomFormat")
	if err != nil || format != "CycloneDX" {
		return "", errors.New("CycloneDX: bomFormat is not CycloneDX")
	}
	version, err := strictjson.Member(top, "specVersion")
	if err != nil {
		return "", fmt.Errorf("CycloneDX: %w", err)
	}
	if !cycloneDXVersion.MatchString(version) {
		return "", fmt.Errorf(`CycloneDX: specVersion "%s" is not a version`, escape.Bounded(version, 60))
	}
	return cycloneDXType, nil
}
