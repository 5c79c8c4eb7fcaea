package registry

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	"go.yaml.in/yaml/v3"

	"github.com/taglast/taglast/internal/ociref"
)

const maxRegistryAuth = 64 << 10

type authEntry struct{ registry, username, password string }

var yamlLine = regexp.MustCompile(`line (\d+)`)

// parseRegistryAuth reads a YAML list of {registry, username, password}, strictly: every key once, all three given,
// each the text that is written. Errors give the line and never a value; an unknown key is not named either, because it
// may be half of a password.
func parseRegistryAuth(text string) ([]authEntry, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	if len(text) > maxRegistryAuth {
		return nil, fmt.Errorf("registry-auth: more than %d bytes", maxRegistryAuth)
	}
	var doc yaml.Node
	decoder := yaml.NewDecoder(strings.NewReader(text))
	if err := decoder.Decode(&doc); err != nil {
		if at := yamlLine.FindString(err.Error()); at != "" {
			return nil, fmt.Errorf("registry-auth: %s: not YAML", at)
		}
		return nil, errors.New("registry-auth: not YAML")
	}
	if decoder.Decode(new(yaml.Node)) == nil {
		return nil, errors.New("registry-auth: more than one YAML document")
	}
	if len(doc.Content) != 1 || doc.Content[0].Kind != yaml.SequenceNode {
		return nil, errors.New("registry-auth: not a list of {registry, username, password}")
	}
	var entries []authEntry
	for _, item := range doc.Content[0].Content {
		e, err := parseAuthEntry(item)
		if err != nil {
			return nil, fmt.Errorf("registry-auth: %w", err)
		}
		entries = append(entries, e)
	}
	return entries, nil
}

func parseAuthEntry(item *yaml.Node) (authEntry, error) {
	var e authEntry
	if item.Kind != yaml.MappingNode {
		return e, fmt.Errorf("line %d: not {registry, username, password}", item.Line)
	}
	fields := map[string]*string{"registry": &e.registry, "username": &e.username, "password": &e.password}
	for i := 0; i+1 < len(item.Content); i += 2 {
		key, value := item.Content[i], item.Content[i+1]
		field, known := fields[key.Value]
		switch {
		case !known || key.Kind != yaml.ScalarNode:
			return e, fmt.Errorf("line %d: a key that is none of registry, username, password", key.Line)
		case *field != "":
			return e, fmt.Errorf("line %d: %s is there twice", key.Line, key.Value)
		case value.Kind != yaml.ScalarNode || value.Value == "":
			return e, fmt.Errorf("line %d: %s is no text", value.Line, key.Value)
		}
		*field = value.Value
	}
	for _, key := range []string{"registry", "username", "password"} {
		if *fields[key] == "" {
			return e, fmt.Errorf("line %d: no %s", item.Line, key)
		}
	}
	e.registry = strings.ToLower(e.registry)
	if strings.ContainsAny(e.registry, "/@ \t") {
		return e, fmt.Errorf("line %d: registry is no host: write it without https:// and without a path", item.Line)
	}
	if _, err := name.NewRegistry(e.registry); err != nil {
		return e, fmt.Errorf("line %d: registry is no host", item.Line)
	}
	e.registry = ociref.WireHost(e.registry)
	return e, nil
}
