package publish

import "testing"

func TestACommandThatIsShownCanBePasted(t *testing.T) {
	for _, c := range []struct {
		words []string
		want  string
	}{
		{[]string{"gh", "oci://ghcr.io/acme/app:1.2.3", "--repo", "acme/app"}, "gh oci://ghcr.io/acme/app:1.2.3 --repo acme/app"},
		{[]string{"gh", "my out/a.json"}, "gh 'my out/a.json'"},
		{[]string{"gh", "it's", "$(id)", ""}, `gh 'it'\''s' '$(id)' ''`},
	} {
		if got := command(c.words...); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}
