package tagrule_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/taglast/taglast/pkg/tagrule"
)

// clock is that of docker/metadata-action's tests.
var clock = time.Date(2020, 1, 10, 0, 30, 0, 0, time.UTC)

// commits are those of its fixtures (repository octocat/Hello-World); of two only the first characters matter.
var commits = map[string]string{
	"@860c190": "860c1904a1ce19322e91ac35af1ab07466440c37",
	"@2665741": "266574110acf203503badf966df2ea24b5d732d7",
	"@983315b": "983315b000000000000000000000000000000000",
	"@a9c8c58": "a9c8c58000000000000000000000000000000000",
}

// fixture is an event in one line: name, ref without refs/, commit, base branch.
func fixture(line string) tagrule.Event {
	fields := append(strings.Fields(line), "", "", "", "")
	e := tagrule.Event{Name: fields[0], SHA: commits[fields[2]], BaseRef: fields[3], DefaultBranch: "master", Now: clock}
	if fields[1] != "" {
		e.Ref = "refs/" + fields[1]
	}
	return e
}

// TestMetadataAction holds the rows of docker/metadata-action's own tests, under their names there, and of its README.
func TestMetadataAction(t *testing.T) {
	for _, tc := range []struct{ name, event, rules, flavor, tags string }{
		{"null02", "", "type=sha ; type=raw,{{branch}}", "", ""},
		{"push01", "push heads/dev @860c190", "", "", "dev"},
		{"push02", "push heads/master @2665741", "type=edge", "", "edge"},
		{"push03", "push heads/master @2665741", "", "", "master"},
		{"push04", "workflow_dispatch heads/master", "type=edge", "", "edge"},
		{"push07", "push heads/dev @860c190", "type=ref,event=branch ; type=sha", "", "dev sha-860c190"},
		{"push09", "push heads/dev @860c190", "type=edge,branch=dev ; type=sha", "", "edge sha-860c190"},
		{"push10", "push heads/master @2665741", "type=edge,branch=dev ; type=sha", "", "sha-2665741"},
		{"push11", "push heads/my/feature#1245 @983315b", "type=edge ; type=sha", "", "sha-983315b"},
		{"push12", "push heads/my/feature#1245 @983315b", "type=semver,pattern={{version}} ; type=pep440,pattern={{version}} ; type=edge", "", ""},
		{"push13", "push heads/master @2665741", "type=ref,priority=2000,event=branch ; type=edge", "", "master edge"},
		{"push14", "push heads/master @2665741", "type=semver,pattern={{version}},value=v1.2.3 ; type=pep440,pattern={{version}},value=v1.2.3 ; type=edge", "", "1.2.3 edge latest"},
		{"push15", "push heads/master @2665741", "type=match,pattern=v(.*),group=1,value=v1.2.3 ; type=edge", "", "1.2.3 edge latest"},
		{"push16", "push heads/master @2665741", "type=match,enable=false,pattern=v(.*),group=1,value=v1.2.3 ; type=edge", "", "edge"},
		{"push17", "push heads/master @2665741", "type=raw,value=mytag-{{branch}} ; type=raw,value=mytag-{{date 'YYYYMMDD'}} ; type=raw,value=mytag-cd-{{commit_date 'YYYYMMDD'}} ; type=raw,value=mytag-{{date 'YYYYMMDD-HHmmss' tz='Asia/Tokyo'}} ; type=raw,value=mytag-tag-{{tag}} ; type=raw,value=mytag-baseref-{{base_ref}} ; type=raw,value=mytag-defbranch,enable={{is_default_branch}}", "", "mytag-master mytag-20200110 mytag-cd-20200110 mytag-20200110-093000 mytag-tag- mytag-baseref- mytag-defbranch"},
		{"push18", "push heads/dev @860c190", "type=ref,event=branch ; type=sha,format=long", "", "dev sha-860c1904a1ce19322e91ac35af1ab07466440c37"},
		{"push19", "push heads/dev @860c190", "type=edge,branch=master ; type=ref,event=branch,enable=false ; type=sha,format=long ; type=raw,value=defbranch,enable={{is_default_branch}}", "", "sha-860c1904a1ce19322e91ac35af1ab07466440c37"},
		{"push20", "push heads/dev @860c190", "type=edge,branch=master ; type=ref,event=branch,enable=false ; type=sha,format=long", "", "sha-860c1904a1ce19322e91ac35af1ab07466440c37"},
		{"push22", "push heads/dev @860c190", "type=edge,branch=master ; type=sha,format=long ; type=raw,value=notdefbranch,enable={{is_not_default_branch}}", "", "notdefbranch sha-860c1904a1ce19322e91ac35af1ab07466440c37"},
		{"tag01", "push tags/release1 @860c190", "", "", "release1 latest"},
		{"tag02", "push tags/20200110-RC2 @860c190", "", "", "20200110-RC2 latest"},
		{"tag03", "push tags/20200110-RC2 @860c190", `type=match,pattern=\d{8}`, "latest=false", "20200110"},
		{"tag04", "push tags/20200110-RC2 @860c190", "type=match,pattern=(.*)-RC,group=1", "latest=false", "20200110"},
		{"tag05", "push tags/v1.1.1 @860c190", `type=match,"pattern=\d.\d.\d"`, "", "1.1.1 latest"},
		{"tag06", "push tags/v1.1.1 @860c190", `type=match,"pattern=^v(\d.\d.\d)$",group=1`, "", "1.1.1 latest"},
		{"tag07", "push tags/v2.0.8-beta.67 @860c190", `type=match,"pattern=\d.\d.\d-(alpha|beta).\d+"`, "", "2.0.8-beta.67 latest"},
		{"tag08", "push tags/v2.0.8-beta.67 @860c190", `type=match,"pattern=\d.\d"`, "", "2.0 latest"},
		{"tag09", "push tags/v2.0.8-beta.67 @860c190", `type=match,"pattern=v(.*)-beta.(.*)",group=1 ; type=match,"pattern=v(.*)-beta.(.*)",group=2`, "", "2.0.8 67 latest"},
		{"tag10", "push tags/sometag @860c190", `type=match,"pattern=\d.\d"`, "", ""},
		{"tag11", "push tags/v1.1.1 @860c190", "type=semver,pattern={{version}} ; type=semver,pattern={{major}}.{{minor}} ; type=semver,pattern={{major}}", "", "1.1.1 1.1 1 latest"},
		{"tag12", "push tags/v1.1.1 @860c190", "type=semver,pattern={{version}} ; type=semver,pattern={{major}}.{{minor}}.{{patch}}", "", "1.1.1 latest"},
		{"tag13", "push tags/v2.0.8-beta.67 @860c190", "type=semver,pattern={{major}}.{{minor}} ; type=semver,pattern={{major}}", "", "2.0.8-beta.67"},
		{"tag14", "push tags/sometag @860c190", "type=ref,event=tag ; type=semver,pattern={{version}} ; type=semver,pattern={{major}}.{{minor}} ; type=semver,pattern={{major}}", "latest=false", "sometag"},
		{"tag15", "push tags/v2.0.8-beta.67 @860c190", `type=raw,priority=2000,foo ; type=semver,pattern={{version}} ; type=match,"pattern=\d.\d"`, "", "foo 2.0.8-beta.67 2.0"},
		{"tag16", "push tags/v1.1.1 @860c190", "type=raw,priority=2000,foo ; type=ref,event=tag ; type=edge", "", "foo v1.1.1"},
		{"tag17", "push tags/p1/v1.0.0 @860c190", `type=match,"pattern=/^v(\d.\d.\d)$/ig",group=1 ; type=match,pattern=\d.\d.\d ; type=match,pattern=\d.\d ; type=ref,event=pr ; type=sha`, "", "1.0.0 1.0 sha-860c190 latest"},
		{"tag18", "push tags/p1/v1.0.0 @860c190", `type=match,pattern=p1/v(\d.\d.\d),group=1 ; type=match,pattern=p1/v(\d.\d),group=1 ; type=match,pattern=p1/v(\d.\d),group=3 ; type=ref,event=pr ; type=sha`, "", "1.0.0 1.0 sha-860c190 latest"},
		{"tag19", "push tags/p1/v1.0.0 @860c190", `type=match,pattern=p1/v(\d.\d.\d),group=1 ; type=match,pattern=p1/v(\d.\d),group=1,suffix= ; type=ref,event=pr ; type=sha`, "suffix=-dev", "1.0.0-dev 1.0 sha-860c190-dev latest"},
		{"tag20", "push tags/v1.1.1 @860c190 master", "type=raw,{{tag}}-{{sha}}-foo ; type=raw,{{base_ref}}-foo ; type=raw,defbranch-foo,enable={{is_default_branch}}", "", "v1.1.1-860c190-foo master-foo"},
		{"tag21", "push tags/v1.1.1 @860c190", "type=semver,pattern={{version}} ; type=semver,pattern={{major}}.{{minor}}.{{patch}}", "suffix=-dev,onlatest=true", "1.1.1-dev latest-dev"},
		{"tag22", "push tags/v1.1.1 @860c190", "type=semver,pattern={{version}} ; type=semver,pattern={{major}}.{{minor}}.{{patch}}", "prefix=foo-,onlatest=true ; suffix=-dev,onlatest=true", "foo-1.1.1-dev foo-latest-dev"},
		{"tag23", "push tags/v1.1.1 @860c190", "type=pep440,pattern={{raw}} ; type=pep440,pattern={{major}}.{{minor}}", "", "v1.1.1 1.1 latest"},
		{"tag24", "push tags/1.2 @860c190", "type=pep440,pattern={{version}} ; type=pep440,pattern={{major}}.{{minor}}", "", "1.2 latest"},
		{"tag25", "push tags/1.1beta2 @860c190", "type=pep440,pattern={{major}}.{{minor}} ; type=pep440,pattern={{major}}", "", "1.1b2"},
		{"tag26", "push tags/1.0dev4 @860c190", "type=pep440,pattern={{major}}.{{minor}} ; type=pep440,pattern={{major}}", "", "1.0.dev4"},
		{"tag27", "push tags/1.2.3rc2 @860c190", "type=pep440,pattern={{raw}} ; type=pep440,pattern={{version}} ; type=pep440,pattern={{major}}.{{minor}} ; type=pep440,pattern={{major}}", "", "1.2.3rc2"},
		{"tag28", "push tags/v1.1.1 @860c190", "type=pep440,pattern={{version}} ; type=pep440,pattern={{major}}.{{minor}}.{{patch}} ; type=pep440,pattern={{major}}.{{minor}} ; type=pep440,pattern={{major}}", "", "1.1.1 1.1 1 latest"},
		{"tag29", "push tags/1.2post1 @860c190", "type=pep440,pattern={{version}} ; type=pep440,pattern={{major}}.{{minor}} ; type=pep440,pattern={{major}}", "", "1.2.post1"},
		{"tag30", "push tags/sometag @860c190", "type=ref,event=tag ; type=pep440,pattern={{version}} ; type=pep440,pattern={{major}}.{{minor}} ; type=pep440,pattern={{major}}", "latest=false", "sometag"},
		{"tag31", "push tags/v2.0.8-beta.67 @860c190", "type=semver,pattern={{raw}}", "", "v2.0.8-beta.67"},
		{"tag32", "push tags/v1.2.3rc2 @860c190", "type=pep440,pattern={{raw}} ; type=pep440,pattern={{major}}.{{minor}}", "", "v1.2.3rc2 1.2.3rc2"},
		{"tag34", "push tags/p1/v1.0.0 @860c190", `type=semver,pattern={{version}},"match=v(\d.\d.\d)$"`, "", "1.0.0 latest"},
		{"push35", "push heads/master @2665741", `type=semver,pattern={{version}},value=p1/v1.2.3,"match=v(\d.\d.\d)$" ; type=pep440,pattern={{version}},value=p1/v1.2.3,"match=v(\d.\d.\d)$" ; type=edge`, "", "1.2.3 edge latest"},
		{"latest03", "push tags/20200110-RC2 @860c190", `type=match,pattern=\d{8}`, "", "20200110 latest"},
		{"latest05", "push tags/v1.1.1 @860c190", "", "", "v1.1.1 latest"},
		{"latest06", "push tags/v2.0.8-beta.67 @860c190", `type=match,"pattern=\d.\d.\d"`, "", "2.0.8 latest"},
		{"latest07", "push tags/v1.1.1 @860c190", "type=ref,event=tag", "latest=false", "v1.1.1"},
		{"latest08", "push tags/v1.1.1 @860c190", "type=ref,event=tag", "latest=false", "v1.1.1"},
		{"pr01", "pull_request pull/15/merge @a9c8c58", "", "", "pr-15"},
		{"pr03", "pull_request pull/15/merge @a9c8c58", "type=ref,event=pr ; type=sha", "", "pr-15 sha-a9c8c58"},
		{"pr04", "pull_request pull/15/merge @a9c8c58", "type=sha,priority=2000 ; type=ref,event=pr", "", "sha-a9c8c58 pr-15"},
		{"pr05", "pull_request pull/15/merge @a9c8c58", "type=ref,event=pr", "prefix=glo- ; suffix=-bal", "pr-15-bal"},
		{"pr06", "pull_request pull/15/merge @a9c8c58", "type=ref,event=pr,prefix=", "prefix=glo- ; suffix=-bal", "15-bal"},
		{"pr07", "pull_request_target pull/15/merge @2665741 master", "type=sha,priority=2000 ; type=ref,event=pr", "", "sha-2665741 pr-15"},
		{"pr08", "pull_request_target pull/15/merge @2665741 master", "type=ref,event=pr,prefix=", "prefix=glo- ; suffix=-bal", "15-bal"},
		{"pr09", "pull_request_target pull/15/merge @2665741 master", "type=ref,event=tag ; type=ref,event=pr ; type=ref,event=branch ; type=sha ; type=sha,format=long", "", "pr-15 sha-2665741 sha-266574110acf203503badf966df2ea24b5d732d7"},
		{"pr10", "pull_request_target pull/15/merge @2665741 master", "type=raw,value=mytag-{{base_ref}} ; type=raw,mytag-defbranch,enable={{is_default_branch}}", "", "mytag-master"},
		{"pr12", "pull_request pull/15/merge @a9c8c58", "type=raw,value={{commit_date YYYY-MM-DD-HHmmSS}}", "", "2020-01-10T00-30-00Z"},
		{"schedule01", "schedule heads/master @860c190", "", "", "nightly master"},
		{"schedule02", "schedule heads/master @860c190", "type=schedule,pattern={{date 'YYYYMMDD'}} ; type=schedule,pattern=source-date-{{commit_date 'YYYY-MM-DD'}}", "", "20200110 source-date-2020-01-10"},
		{"schedule05", "schedule heads/master @860c190", "type=schedule ; type=sha", "", "nightly sha-860c190"},
		{"schedule06", "schedule heads/master @860c190", "type=schedule ; type=sha,priority=2000 ; type=raw,value=defbranch,enable={{is_default_branch}}", "", "sha-860c190 nightly defbranch"},
		{"schedule07", "schedule heads/master @860c190", "type=schedule", "prefix=glo- ; suffix=-bal", "glo-nightly-bal"},
		{"schedule08", "schedule heads/master @860c190", "type=schedule,pattern={{date 'YYYYMMDD-HHmmss' tz='Asia/Tokyo'}} ; type=schedule,pattern=src-{{commit_date 'YYYYMMDD-HHmmss' tz='Asia/Tokyo'}}", "", "20200110-093000 src-20200110-093000"},
		{"release01", "release tags/v1.1.1 @860c190", "", "", "v1.1.1 latest"},
		{"release02", "release tags/v1.1.1 @860c190", "type=ref,event=tag ; type=raw,value=baseref-{{base_ref}} ; type=raw,value=defbranch,enable={{is_default_branch}}", "", "v1.1.1 baseref- latest"},
		{"release03", "release tags/v1.1.1 @860c190", "type=raw,value=src-{{commit_date 'YYYYMMDD-HHmmss'}} ; type=raw,value={{date 'YYYYMMDD-HHmmss'}}", "", "src-20200110-003000 20200110-003000"},
		{"raw01", "push heads/dev @860c190", "type=ref,event=branch ; type=raw,my ; type=raw,custom ; type=raw,tags", "", "dev my custom tags"},
		{"raw03", "push tags/release1 @860c190", "type=ref,event=tag ; type=raw,my ; type=raw,custom ; type=raw,tags", "", "release1 my custom tags latest"},
		{"raw04", "push tags/20200110-RC2 @860c190", `type=match,pattern=\d{8} ; type=raw,my ; type=raw,custom ; type=raw,tags`, "latest=false", "20200110 my custom tags"},
		{"raw05", "push tags/v1.1.1 @860c190", "type=semver,pattern={{version}} ; type=semver,pattern={{major}}.{{minor}} ; type=semver,pattern={{major}} ; type=raw,my ; type=raw,custom ; type=raw,tags", "", "1.1.1 1.1 1 my custom tags latest"},
		{"raw06", "push tags/v1.1.1 @860c190", "type=raw,my ; type=raw,custom ; type=raw,tags", "", "my custom tags"},
		{"raw07", "push heads/dev @860c190", "type=ref,priority=90,event=branch ; type=raw,my ; type=raw,custom ; type=raw,tags", "latest=true", "my custom tags dev latest"},
		{"raw09", "push heads/dev @860c190", `type=match,pattern=\d{8} ; type=raw,my,prefix=foo-,suffix=-bar ; type=raw,custom ; type=raw,tags`, "latest=false ; prefix=glo- ; suffix=-bal", "foo-my-bar glo-custom-bal glo-tags-bal"},
		{"raw10", "push heads/dev @860c190", "type=raw,foo ; type=raw,bar,enable=false ; type=raw,baz,enable=true", "latest=false", "foo baz"},
		{"README semver {{raw}}", "push tags/v1.2.3 @860c190", "type=semver,pattern={{raw}}", "latest=false", "v1.2.3"},
		{"README semver {{version}}", "push tags/v1.2.3 @860c190", "type=semver,pattern={{version}}", "latest=false", "1.2.3"},
		{"README semver {{major}}.{{minor}}", "push tags/v1.2.3 @860c190", "type=semver,pattern={{major}}.{{minor}}", "latest=false", "1.2"},
		{"README semver v{{major}}", "push tags/v1.2.3 @860c190", "type=semver,pattern=v{{major}}", "latest=false", "v1"},
		{"README semver {{minor}}", "push tags/v1.2.3 @860c190", "type=semver,pattern={{minor}}", "latest=false", "2"},
		{"README semver {{patch}}", "push tags/v1.2.3 @860c190", "type=semver,pattern={{patch}}", "latest=false", "3"},
		{"README semver match", "push tags/p1/v1.2.3 @860c190", `type=semver,pattern={{version}},match=v(\d.\d.\d)$`, "latest=false", "1.2.3"},
		{"README semver pre-release {{raw}}", "push tags/v2.0.8-beta.67 @860c190", "type=semver,pattern={{raw}}", "latest=false", "v2.0.8-beta.67"},
		{"README semver pre-release {{version}}", "push tags/v2.0.8-beta.67 @860c190", "type=semver,pattern={{version}}", "latest=false", "2.0.8-beta.67"},
		{"README semver pre-release {{major}}", "push tags/v2.0.8-beta.67 @860c190", "type=semver,pattern={{major}}", "latest=false", "2.0.8-beta.67"},
		{"README semver pre-release {{major}}.{{minor}}", "push tags/v2.0.8-beta.67 @860c190", "type=semver,pattern={{major}}.{{minor}}", "latest=false", "2.0.8-beta.67"},
		{"README pep440 1.2.3rc2", "push tags/1.2.3rc2 @860c190", "type=pep440,pattern={{major}}.{{minor}}", "latest=false", "1.2.3rc2"},
		{"README pep440 1.2.3post1", "push tags/1.2.3post1 @860c190", "type=pep440,pattern={{major}}.{{minor}}", "latest=false", "1.2.3.post1"},
		{"README pep440 1.2.3beta2", "push tags/1.2.3beta2 @860c190", "type=pep440,pattern={{major}}.{{minor}}", "latest=false", "1.2.3b2"},
		{"README pep440 1.0dev4", "push tags/1.0dev4 @860c190", "type=pep440,pattern={{major}}.{{minor}}", "latest=false", "1.0.dev4"},
		{"README pep440 raw pre-release", "push tags/v1.2.3rc2 @860c190", "type=pep440,pattern={{raw}}", "latest=false", "v1.2.3rc2"},
		{"README pep440 raw", "push tags/1.2.3 @860c190", "type=pep440,pattern={{raw}}", "latest=false", "1.2.3"},
		{"README pep440 v{{major}}", "push tags/1.2.3 @860c190", "type=pep440,pattern=v{{major}}", "latest=false", "v1"},
		{`README match \d.\d.\d`, "push tags/v1.2.3 @860c190", `type=match,pattern=\d.\d.\d`, "latest=false", "1.2.3"},
		{"README match v(.*),group=1", "push tags/v2.0.8-beta.67 @860c190", "type=match,pattern=v(.*),group=1", "latest=false", "2.0.8-beta.67"},
		{`README match v(\d.\d),group=1`, "push tags/v2.0.8-beta.67 @860c190", `type=match,pattern=v(\d.\d),group=1`, "latest=false", "2.0"},
		{`README match \d+`, "push tags/20200110-RC2 @860c190", `type=match,pattern=\d+`, "latest=false", "20200110"},
		{`README match p1/v(\d.\d.\d),group=1`, "push tags/p1/v1.2.3 @860c190", `type=match,pattern=p1/v(\d.\d.\d),group=1`, "latest=false", "1.2.3"},
		{"README ref branch", "push heads/my/branch @860c190", "type=ref,event=branch", "", "my-branch"},
		{"README ref branch of a release", "push heads/releases/v1 @860c190", "type=ref,event=branch", "", "releases-v1"},
		{"README ref pr", "push pull/2/merge @860c190", "type=ref,event=pr", "", "pr-2"},
		{"README semver example", "push tags/v1.2.3 @860c190", "type=ref,event=branch ; type=ref,event=pr ; type=semver,pattern={{version}} ; type=semver,pattern={{major}}.{{minor}}", "", "1.2.3 1.2 latest"},
		{"README semver example, pre-release", "push tags/v2.0.8-beta.67 @860c190", "type=ref,event=branch ; type=ref,event=pr ; type=semver,pattern={{version}} ; type=semver,pattern={{major}}.{{minor}}", "", "2.0.8-beta.67"},
		{"README default rules", "push tags/v1.2.3 @860c190", "", "", "v1.2.3 latest"},
		{"README default rules, pre-release", "push tags/v2.0.8-beta.67 @860c190", "", "", "v2.0.8-beta.67 latest"},
		{"README schedule", "schedule heads/master @860c190", "type=schedule,pattern={{date 'YYYYMMDD-HHmmss' tz='Asia/Tokyo'}}", "", "20200110-093000"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			lines := split(tc.rules)
			if tc.rules == "" {
				lines = tagrule.DefaultRules()
			}
			result := evaluate(t, lines, split(tc.flavor), fixture(tc.event))
			var tags []string
			for i, tag := range result.Tags {
				tags = append(tags, tag.Text)
				if latest := strings.Contains(tag.Text, "latest"); tag.Latest != latest || latest && i != len(result.Tags)-1 {
					t.Errorf("tag %d is %+v", i, tag)
				}
			}
			if want := strings.Fields(tc.tags); !slices.Equal(tags, want) {
				t.Errorf("tags are %q, want %q", tags, want)
			}
			if len(tags) > 0 && result.Version != tags[0] {
				t.Errorf("version is %q, want the first tag", result.Version)
			}
		})
	}
}

func split(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, " ; ")
}

func evaluate(t *testing.T, lines, flavor []string, e tagrule.Event) tagrule.Result {
	t.Helper()
	f, err := tagrule.ParseFlavor(flavor)
	if err != nil {
		t.Fatal(err)
	}
	result, err := tagrule.Evaluate(rules(t, lines), f, e)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func rules(t *testing.T, lines []string) []tagrule.Rule {
	t.Helper()
	var rules []tagrule.Rule
	for _, line := range lines {
		r, err := tagrule.Parse(line)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		rules = append(rules, r)
	}
	return rules
}
