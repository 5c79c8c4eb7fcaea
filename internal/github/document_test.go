package github_test

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/taglast/taglast/internal/github"
	"github.com/taglast/taglast/internal/retry"
)

type answerer func(*http.Request) (int, string)

func (a answerer) RoundTrip(req *http.Request) (*http.Response, error) {
	status, body := a(req)
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: req}, nil
}

func TestGet(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		none   bool // ErrNoDocument
		ok     bool
	}{
		"a document":                      {200, `{"sha":"a"}`, false, true},
		"none":                            {404, `{"message":"Not Found"}`, true, false},
		"a name that is none":             {422, `{"message":"No commit found"}`, true, false},
		"one that this token may not see": {403, `{"message":"Resource not accessible by integration"}`, true, false},
		"too many requests":               {403, `{"message":"API rate limit exceeded for installation"}`, false, false},
		"an outage":                       {503, ``, false, false},
		"no JSON":                         {200, `<html>`, false, false},
		"too much of it":                  {200, `"` + strings.Repeat("a", 8<<20) + `"`, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			asked := ""
			api, err := github.New(github.Options{URL: "https://ghe.example/api/v3", Token: "ghs_x", Retry: retry.Policy{Budget: -1}, HTTP: answerer(func(req *http.Request) (int, string) {
				asked = req.Method + " " + req.URL.String() + " " + req.Header.Get("Authorization")
				return c.status, c.body
			})})
			if err != nil {
				t.Fatal(err)
			}
			var got struct{ SHA string }
			err = api.Get(t.Context(), &got, url.Values{"page": {"2"}}, "repos", "acme/app", "commits", "a")
			if (err == nil) != c.ok || errors.Is(err, github.ErrNoDocument) != c.none || c.ok && got.SHA != "a" {
				t.Errorf("%+v, %v", got, err)
			}
			if asked != "GET https://ghe.example/api/v3/repos/acme/app/commits/a?page=2 Bearer ghs_x" {
				t.Error(asked)
			}
			if err := api.Get(t.Context(), &got, nil, "repos", "../../user"); err == nil {
				t.Error("a path that leads elsewhere is asked")
			}
		})
	}
}
