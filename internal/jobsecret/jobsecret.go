// Package jobsecret names the variables of a job's environment that no other program may have: neither a build, a
// credential helper, nor anything that is published.
package jobsecret

import (
	"slices"
	"strings"
)

// Names are the variables, as Actions and this program spell them. With the first three somebody could sign as the job, or
// write its caches and artifacts; the last has every registry's password.
func Names() []string {
	return []string{"ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_RUNTIME_TOKEN", "TAGLAST_REGISTRY_AUTH"}
}

// Is reports whether a variable is one of them. Upper and lower case are the same, as Windows has it.
func Is(name string) bool {
	return slices.ContainsFunc(Names(), func(n string) bool { return strings.EqualFold(n, name) })
}
