package inputs

import (
	"encoding/csv"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// builderVariable begins the names of the variables that the values of secrets go to the builder in. Nobody else has a
// variable of such a name, and only the builder's environment has these.
const builderVariable = "TAGLAST_BUILD_SECRET_"

// secretInputs are the three ways to give a secret.
const (
	secretsInput = "secrets"
	secretEnvs   = "secret-envs"
	secretFiles  = "secret-files"
)

// namedValue is a name and what stands after its `=`.
type namedValue struct{ name, value string }

var errNoSecretID = errors.New("an entry is not ID=VALUE; a value of several lines stands in double quotes, with its ID: \"ID=line\nline\"")

// secretValues are the secrets whose values are given. No error quotes one. Blanks at the end of a value are part of it.
func secretValues(get func(string) string) ([]namedValue, error) {
	all, err := records(get(secretsInput))
	if err != nil {
		return nil, fmt.Errorf("input `%s`: %w", secretsInput, err)
	}
	var out []namedValue
	for _, r := range all {
		id, value, found := strings.Cut(r.text, "=")
		if id = strings.TrimSpace(id); !found || id == "" {
			return nil, fmt.Errorf("input `%s`: %w", secretsInput, errNoSecretID)
		}
		if strings.Contains(value, "\x00") {
			return nil, errorf(secretsInput, "secret %s has a NUL character", quote(id))
		}
		out = append(out, namedValue{id, value})
	}
	return out, nil
}

// secrets are the build's secrets as buildx takes them. Values are given to the builder alone, by variables, so that they
// stand neither in a file nor in the arguments of a process.
func (r *reader) secrets() ([]string, error) {
	var out, ids []string
	add := func(input, id, how, value string) error {
		if slices.Contains(ids, id) {
			return errorf(input, "secret %s stands twice", quote(id))
		}
		ids = append(ids, id)
		out = append(out, csvLine("id="+id, how+"="+value))
		return nil
	}
	values, err := secretValues(r.get)
	if err != nil {
		return nil, err
	}
	for i, v := range values {
		variable := fmt.Sprintf("%s%d", builderVariable, i+1)
		r.in.BuildEnviron = append(r.in.BuildEnviron, variable+"="+v.value)
		if err := add(secretsInput, v.name, "env", variable); err != nil {
			return nil, err
		}
	}
	for _, list := range []struct {
		input, how, what string
		read             func(string) ([]string, error)
	}{{secretEnvs, "env", "VARIABLE", items}, {secretFiles, "src", "PATH", texts}} {
		entries, err := r.plain(list.input, list.read)
		if err != nil {
			return nil, err
		}
		for _, entry := range entries {
			id, value, _ := strings.Cut(entry, "=")
			if id == "" || value == "" {
				return nil, errorf(list.input, "%s is not ID=%s", quote(entry), list.what)
			}
			if err := add(list.input, id, list.how, value); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// arguments are build arguments, as they are written. One that names the variable of a secret would put its value into the
// image's history.
func arguments(text string) ([]string, error) {
	out, err := texts(text)
	for _, one := range out {
		if strings.HasPrefix(strings.ToUpper(strings.TrimSpace(one)), builderVariable) {
			return nil, fmt.Errorf("an argument begins with %s, which secrets have for themselves", builderVariable)
		}
	}
	return out, err
}

// csvLine is a record of fields as buildx reads it.
func csvLine(fields ...string) string {
	var b strings.Builder
	w := csv.NewWriter(&b)
	_ = w.Write(fields) // a strings.Builder takes everything
	w.Flush()
	return strings.TrimSuffix(b.String(), "\n")
}
