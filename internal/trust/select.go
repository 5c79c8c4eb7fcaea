package trust

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sigstore/sigstore-go/pkg/root"

	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/internal/weburl"
)

// selectServices returns the newest valid service of each kind: Fulcio API v1, Rekor v1, RFC 3161 timestamps.
func selectServices(config *root.SigningConfig, now time.Time) (Services, error) {
	fulcio, err := root.SelectService(config.FulcioCertificateAuthorityURLs(), []uint32{1}, now)
	if err != nil {
		return Services{}, errors.New("it names no certificate authority (caUrls) of API version 1 that is valid now")
	}
	rekor, err := root.SelectService(config.RekorLogURLs(), []uint32{1}, now)
	if err != nil {
		if _, err := root.SelectService(config.RekorLogURLs(), []uint32{2}, now); err == nil {
			return Services{}, errors.New("it names no transparency log of API version 1; it has version 2 (Rekor v2), which this version of taglast does not write to")
		}
		return Services{}, errors.New("it names no transparency log (rekorTlogUrls) of API version 1 that is valid now")
	}
	s := Services{Fulcio: fulcio.URL, Rekor: rekor.URL}
	if all := config.TimestampAuthorityURLs(); len(all) > 0 {
		tsa, err := root.SelectService(all, []uint32{1}, now)
		if err != nil {
			return Services{}, errors.New("none of its timestamp authorities (tsaUrls) has API version 1 and is valid now")
		}
		s.TSA = tsa.URL
	}
	for _, u := range []struct {
		kind string
		url  *string
	}{{"caUrls", &s.Fulcio}, {"rekorTlogUrls", &s.Rekor}, {"tsaUrls", &s.TSA}} {
		if *u.url == "" && u.kind == "tsaUrls" {
			continue
		}
		if err := checkURL(*u.url); err != nil {
			return Services{}, fmt.Errorf("%s: %w", u.kind, err)
		}
		*u.url = strings.TrimRight(*u.url, "/")
	}
	return s, nil
}

// validIssuers returns the URLs of the OIDC providers that are valid now.
func validIssuers(config *root.SigningConfig, now time.Time) ([]string, error) {
	var out []string
	for _, s := range config.OIDCProviderURLs() {
		if s.MajorAPIVersion != 1 || !s.ValidAtTime(now) {
			continue
		}
		if err := checkURL(s.URL); err != nil {
			return nil, fmt.Errorf("oidcUrls: %w", err)
		}
		out = append(out, s.URL)
	}
	return out, nil
}

// checkURL accepts https, and plain http to this machine alone.
func checkURL(s string) error {
	_, err := weburl.Parse(s)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, weburl.ErrPlain):
		return fmt.Errorf("plain http is for loopback addresses only: %s", escape.Text(s))
	case errors.Is(err, weburl.ErrNotHTTPS):
		return fmt.Errorf("not an https URL: %s", escape.Text(s))
	}
	return fmt.Errorf("not a service URL: %s", escape.Text(s))
}
