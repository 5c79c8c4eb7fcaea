package tagrule

import "strings"

func checkSchedule(r *Rule) error {
	r.otherwise("pattern", "nightly")
	return nil
}

// scheduleValue is type=schedule: its pattern, on scheduled runs.
func scheduleValue(r Rule, f *facts) (made, string, error) {
	if !strings.Contains(f.Name, "schedule") {
		return made{}, "needs a scheduled run", nil
	}
	text, err := r.pattern.render(f.global)
	return made{text: text}, "", err
}
