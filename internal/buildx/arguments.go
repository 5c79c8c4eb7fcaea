package buildx

import (
	"encoding/csv"
	"maps"
	"slices"
	"strings"

	"github.com/taglast/taglast/internal/buildcontext"
)

// arguments are those of `buildx build`: each flag with its value in one, so that no value is taken for a flag. layout is
// the folder that the build leaves, metadata the file that it describes itself in.
func (r Request) arguments(layout, metadata string, bars bool) []string {
	args := []string{"build"}
	flag := func(name, value string) {
		if value != "" {
			args = append(args, "--"+name+"="+value)
		}
	}
	each := func(name string, values []string) {
		for _, v := range values {
			flag(name, v)
		}
	}
	if r.File != "" {
		flag("file", local(r.File))
	}
	flag("platform", strings.Join(r.Platforms, ","))
	flag("target", r.Target)
	for _, a := range r.Args {
		if a.FromEnvironment {
			flag("build-arg", a.Name)
			continue
		}
		flag("build-arg", a.Name+"="+a.Value)
	}
	for _, key := range slices.Sorted(maps.Keys(r.Labels)) {
		flag("label", key+"="+r.Labels[key])
	}
	for _, s := range r.Secrets {
		if s.Env != "" {
			flag("secret", fields("id="+s.ID, "env="+s.Env))
			continue
		}
		flag("secret", fields("id="+s.ID, "src="+s.Src))
	}
	for _, c := range r.Contexts {
		flag("build-context", c.Name+"="+c.value())
	}
	each("cache-from", r.CacheFrom)
	each("cache-to", r.CacheTo)
	flag("builder", r.Builder)
	if r.Pull {
		flag("pull", "true")
	}
	if r.NoCache {
		flag("no-cache", "true")
	}
	each("no-cache-filter", r.NoCacheFilters)
	for _, h := range r.AddHosts {
		flag("add-host", fields(h)) // the one flag of these that splits its value at commas
	}
	each("allow", r.Allow)
	flag("network", r.Network)
	flag("shm-size", r.ShmSize)
	each("ulimit", r.Ulimits)
	each("ssh", r.SSH)
	if r.SBOM {
		flag("sbom", "true")
	}
	if r.Provenance {
		flag("provenance", "mode=min") // max has the values of all arguments, those of stages that are not in the image too
	} else {
		flag("provenance", "false")
	}
	progress := "plain"
	if bars {
		progress = "auto"
	}
	flag("progress", progress)
	flag("metadata-file", metadata)
	flag("output", fields("type=oci", "dest="+layout, "tar=false", "oci-mediatypes=true", "rewrite-timestamp=true"))
	return append(args, r.contextArgument())
}

func (r Request) contextArgument() string {
	if buildcontext.IsAddress(r.Context) {
		return r.Context
	}
	return local(r.Context)
}

// value is a named context as buildx takes it.
func (c NamedContext) value() string {
	switch {
	case c.Layout != "":
		return "oci-layout://" + c.Layout + "@" + c.Digest
	case strings.HasPrefix(c.Value, "-"):
		return local(c.Value)
	}
	return c.Value
}

// fields are one record of comma-separated values, quoted where a value has a comma or a quote, as buildx reads it.
func fields(values ...string) string {
	var b strings.Builder
	w := csv.NewWriter(&b)
	_ = w.Write(values) // a strings.Builder takes everything
	w.Flush()
	return strings.TrimSuffix(b.String(), "\n")
}
