package publish

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/taglast/taglast/internal/commits"
	"github.com/taglast/taglast/internal/hint"
)

const annotationPrefix = "org.opencontainers.image."

// defaults are the annotations of an index that the file's own stand above (OCI image specification, "Pre-Defined
// Annotation Keys"), named as docker/metadata-action names them: from the ID token's claims, and what these lack from the
// event payload. What nothing tells is left out.
func (r *run) defaults(rec *record) func(context.Context) (map[string]string, error) {
	return func(ctx context.Context) (map[string]string, error) {
		source := r.serverURL + "/" + r.claims.Repository
		_, title, _ := strings.Cut(r.claims.Repository, "/")
		version := rec.file.ReleaseVersion
		if version == "" {
			version = rec.rules.Version
		}
		out := map[string]string{
			"title": title, "url": source, "source": source, "version": version, "revision": r.claims.SHA,
			"description": oneLine(r.plan.payload.Repository.Description),
		}
		if strings.Trim(r.claims.SHA, "0") == "" { // not a commit: a dry run outside of git
			delete(out, "revision")
		}
		if license := r.plan.payload.Repository.License; license != nil && license.SPDXID != "NOASSERTION" {
			out["licenses"] = oneLine(license.SPDXID)
		}
		created, err := r.createdAt(ctx)
		if err != nil {
			return nil, err
		}
		out["created"] = stamp(created)
		named := make(map[string]string, len(out))
		for key, value := range out {
			if value != "" {
				named[annotationPrefix+key] = value
			}
		}
		return named, nil
	}
}

// createdAt is SOURCE_DATE_EPOCH, else the date of the token's commit; never now, or each run would give another digest.
// Zero where nothing tells the date.
func (r *run) createdAt(ctx context.Context) (time.Time, error) {
	at, ok, err := r.env().SourceDate()
	if err != nil || ok {
		return at, err
	}
	at, err = r.commits.Date(ctx, r.claims.SHA)
	switch {
	case errors.Is(err, commits.ErrNoDate):
		return time.Time{}, nil
	case err != nil:
		return time.Time{}, hint.With(fmt.Errorf("annotation %screated: %w", annotationPrefix, err),
			"run again later; or check the commit out in this job, or set SOURCE_DATE_EPOCH: then GitHub is not asked")
	}
	return at, nil
}

func stamp(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(time.RFC3339)
}

// oneLine makes text of the payload fit for an annotation: without control characters.
func oneLine(s string) string {
	return strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)), " ")
}
