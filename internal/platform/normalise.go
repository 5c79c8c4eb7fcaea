package platform

import "strings"

// Normalise returns p as containerd's platforms.Normalize does (containerd/platforms v1.0.0-rc.5, database.go): in lower
// case, other names of an architecture replaced by Go's, and the variant left out that is the architecture's usual one.
// What the table does not name stays. Unlike containerd, an empty OS stays empty: it is not the OS of this machine.
// Normalising twice is normalising once.
func (p Platform) Normalise() Platform {
	p = Platform{strings.ToLower(p.OS), strings.ToLower(p.Architecture), strings.ToLower(p.Variant)}
	if p.OS == "macos" {
		p.OS = "darwin"
	}
	switch p.Architecture {
	case "i386":
		p.Architecture, p.Variant = "386", ""
	case "x86_64", "x86-64", "amd64":
		p.Architecture, p.Variant = "amd64", amd64Variant(p.Variant)
	case "aarch64", "arm64":
		p.Architecture, p.Variant = "arm64", arm64Variant(p.Variant)
	case "armhf":
		p.Architecture, p.Variant = "arm", "v7"
	case "armel":
		p.Architecture, p.Variant = "arm", "v6"
	case "arm":
		p.Variant = armVariant(p.Variant)
	}
	return p
}

func amd64Variant(v string) string {
	if v == "v1" {
		return ""
	}
	return v
}

func arm64Variant(v string) string {
	switch v {
	case "8", "v8", "v8.0":
		return ""
	case "9", "9.0", "v9.0":
		return "v9"
	}
	return v
}

func armVariant(v string) string {
	switch v {
	case "":
		return "v7"
	case "5", "6", "7", "8":
		return "v" + v
	}
	return v
}
