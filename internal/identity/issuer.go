package identity

import (
	"errors"
	"regexp"
	"strings"

	"github.com/taglast/taglast/internal/weburl"
)

var tenantServer = regexp.MustCompile(`^https://([a-z0-9-]+)\.ghe\.com$`)

// GitHubIssuer is the issuer of ID tokens for the jobs of a GitHub server: https://github.com, or a tenant's
// https://NAME.ghe.com. It is false for every other server, whose issuer nobody knows.
func GitHubIssuer(serverURL string) (string, bool) {
	serverURL = strings.TrimSuffix(serverURL, "/")
	if serverURL == "https://github.com" {
		return "https://token.actions.githubusercontent.com", true
	}
	if m := tenantServer.FindStringSubmatch(serverURL); m != nil {
		return "https://token.actions." + m[1] + ".ghe.com", true
	}
	return "", false
}

// checkIssuerURL accepts an issuer that weburl.ParseBase accepts: https, and plain http where nothing leaves the
// machine.
func checkIssuerURL(s string) error {
	_, err := weburl.ParseBase(s)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, weburl.ErrPlain), errors.Is(err, weburl.ErrNotHTTPS):
		return errors.New("not https")
	}
	return errors.New("not the plain URL of a host")
}

// checkKeysURL accepts an address of keys: any https one, and plain http where it is the origin of the issuer.
func checkKeysURL(issuer, address string) error {
	keys, err := weburl.Parse(address)
	switch {
	case errors.Is(err, weburl.ErrPlain), errors.Is(err, weburl.ErrNotHTTPS):
		return errors.New("neither https nor the issuer's own host")
	case err != nil:
		return errors.New("not the URL of a host")
	case keys.Scheme == "https":
		return nil
	}
	own, err := weburl.Parse(issuer)
	if err != nil || !weburl.SameOrigin(keys, own) {
		return errors.New("neither https nor the issuer's own host")
	}
	return nil
}
