package sandbox

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

func TestCompareTellsHowTwoCommitsStandToEachOther(t *testing.T) {
	c := func(digit string) string { return strings.Repeat(digit, 40) }
	o := Options{History: []string{c("1"), c("2"), c("3"), c("4")}, Branch: []string{c("b"), c("c")}}
	behindAPath := o
	behindAPath.APIURL = "https://github.example.com/api/v3"
	for _, w := range []*World{newWorld(t, o), newWorld(t, behindAPath)} {
		api := w.Env()["GITHUB_API_URL"]
		for pair, want := range map[string]struct {
			status        string // empty: 404
			ahead, behind int
		}{
			c("1") + "..." + c("4"):             {"ahead", 3, 0},
			c("4") + "..." + c("3"):             {"behind", 0, 1},
			c("2") + "..." + c("2"):             {"identical", 0, 0},
			c("3") + "..." + c("c"):             {"diverged", 2, 2},
			c("b") + "..." + c("4"):             {"diverged", 3, 1},
			c("1") + "..." + c("b"):             {"ahead", 1, 0},
			c("c") + "..." + c("b"):             {"behind", 0, 1},
			c("c") + "..." + c("1"):             {"behind", 0, 2},
			c("1") + "..." + c("9"):             {},
			c("9") + "..." + c("1"):             {},
			c("1") + ".." + c("2"):              {},
			c("1"):                              {},
			"...":                               {},
			c("1") + "..." + c("2") + "?page=2": {"ahead", 1, 0},
		} {
			status, _, body := answerTo(t, w, http.MethodGet, api+"/repos/Acme/app/compare/"+pair, w.Env()["GITHUB_TOKEN"], "")
			if want.status == "" {
				if status != http.StatusNotFound {
					t.Errorf("%s: %d %s", pair, status, body)
				}
				continue
			}
			var got struct {
				Status   string
				AheadBy  int `json:"ahead_by"`
				BehindBy int `json:"behind_by"`
			}
			if err := json.Unmarshal(body, &got); err != nil || status != http.StatusOK || got.Status != want.status || got.AheadBy != want.ahead || got.BehindBy != want.behind {
				t.Errorf("%s: %d %s, want %+v", pair, status, body, want)
			}
		}
		pair := c("1") + "..." + c("2")
		for token, want := range map[string]int{"": 401, "other": 401} {
			if status, _, body := answerTo(t, w, http.MethodGet, api+"/repos/acme/app/compare/"+pair, token, ""); status != want {
				t.Errorf("token %q: %d %s", token, status, body)
			}
		}
		if status, _, _ := answerTo(t, w, http.MethodGet, api+"/repos/acme/other/compare/"+pair, w.Env()["GITHUB_TOKEN"], ""); status != http.StatusNotFound {
			t.Errorf("another repository: %d", status)
		}
		if status, _, _ := answerTo(t, w, http.MethodPost, api+"/repos/acme/app/compare/"+pair, w.Env()["GITHUB_TOKEN"], ""); status != http.StatusMethodNotAllowed {
			t.Errorf("POST: %d", status)
		}
	}
}
