package release

import (
	"net/netip"
	"regexp"
	"strings"
	"unicode"

	"github.com/taglast/taglast/internal/nearest"
)

// checkPlain refuses control characters: an option of a build is one line. The text is not repeated, for it can be secret.
func (e entry) checkPlain(key string) error {
	if strings.ContainsFunc(e.text, unicode.IsControl) {
		return e.at.errorf("`%s` has a control character", key)
	}
	return nil
}

// optionalText is the text of a key of a source on one line. It is empty where nothing is written, or nothing is left of
// its placeholders.
func (r *resolver) optionalText(n *node, key string) (entry, error) {
	value := n.value(key)
	if value == nil {
		return entry{at: n.at}, nil
	}
	lines, err := r.entries(value, false)
	if err != nil {
		return entry{}, err
	}
	if value.kind != scalar || len(lines) > 1 {
		return entry{}, value.at.errorf("one text is asked for here")
	}
	if len(lines) == 0 {
		return entry{at: value.at}, nil
	}
	return lines[0], lines[0].checkPlain(key)
}

// plainEntries are the lines of a list of a source, without control characters.
func (r *resolver) plainEntries(n *node, key string) ([]entry, error) {
	lines, err := r.entries(n.value(key), false)
	if err != nil {
		return nil, err
	}
	for _, line := range lines {
		if err := line.checkPlain(key); err != nil {
			return nil, err
		}
	}
	return lines, nil
}

// checkedTexts are the lines of a list of a source that each pass a check.
func (r *resolver) checkedTexts(n *node, key string, check func(entry) error) ([]string, error) {
	lines, err := r.plainEntries(n, key)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, line := range lines {
		if err := check(line); err != nil {
			return nil, err
		}
		out = append(out, line.text)
	}
	return out, nil
}

// checkHost reads HOST:IP or HOST=IP; an address may stand in brackets, and host-gateway is the builder's host.
func checkHost(e entry) error {
	host, addresses, found := strings.Cut(e.text, "=")
	if !found {
		host, addresses, found = strings.Cut(e.text, ":")
	}
	ok := found && host != ""
	for _, address := range strings.Split(addresses, ",") {
		if inside, bracketed := strings.CutPrefix(address, "["); bracketed {
			address = strings.TrimSuffix(inside, "]")
		}
		if _, err := netip.ParseAddr(address); err != nil && addresses != "host-gateway" {
			ok = false
		}
	}
	if !ok {
		return e.at.errorf("host %s: it is HOST:IP, or HOST:host-gateway", quote(e.text))
	}
	return nil
}

var entitlements = []string{"network.host", "security.insecure", "device"}

// checkEntitlement reads an entitlement that BuildKit knows; device may name one: device=NAME.
func checkEntitlement(e entry) error {
	name, _, hasValue := strings.Cut(e.text, "=")
	for _, known := range entitlements {
		if name == known && (!hasValue || name == "device") {
			return nil
		}
	}
	err := e.at.errorf("unknown entitlement %s; it is one of %s", quote(e.text), strings.Join(entitlements, ", "))
	if near := nearest.Word(name, entitlements); near != "" {
		err.Msg = "unknown entitlement " + quote(e.text) + "; did you mean `" + near + "`?"
	}
	return err
}

var (
	limitText = regexp.MustCompile(`^[a-z]+=(-1|\d{1,18})(:(-1|\d{1,18}))?$`)
	sizeText  = regexp.MustCompile(`(?i)^\d{1,15}(\.\d{1,9})? ?([kmgtp]i?)?b?$`)
)

func checkUlimit(e entry) error {
	if !limitText.MatchString(e.text) {
		return e.at.errorf("ulimit %s: it is NAME=SOFT or NAME=SOFT:HARD", quote(e.text))
	}
	return nil
}

func checkSize(e entry) error {
	if !sizeText.MatchString(e.text) {
		return e.at.errorf("`shm-size` is %s; it is a number of bytes, or one with a unit: 512m", quote(e.text))
	}
	return nil
}

func checkSSH(e entry) error {
	if id, paths, hasPaths := strings.Cut(e.text, "="); id == "" || hasPaths && paths == "" {
		return e.at.errorf("ssh %s: it is default, or ID=SOCKET or ID=KEY,KEY", quote(e.text))
	}
	return nil
}
