package tagrule_test

import (
	"fmt"

	"github.com/taglast/taglast/pkg/tagrule"
)

func Example() {
	var rules []tagrule.Rule
	for _, line := range []string{"type=semver,pattern={{version}}", "type=semver,pattern={{major}}.{{minor}}", "stable"} {
		r, err := tagrule.Parse(line)
		if err != nil {
			fmt.Println(err)
			return
		}
		rules = append(rules, r)
	}
	result, err := tagrule.Evaluate(rules, tagrule.Flavor{}, tagrule.Event{Name: "push", Ref: "refs/tags/v1.2.3"})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, tag := range result.Tags {
		fmt.Println(tag.Text, tag.Class)
	}
	// Output:
	// 1.2.3 fixed
	// 1.2 moving
	// stable moving
	// latest moving
}
