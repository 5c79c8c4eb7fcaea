package tagrule

import "strings"

func checkSchedule(r *Rule) error {
	r.setDefault("pattern", "nightly")
	return nil
}

// scheduleValue is type=schedule: its pattern, on scheduled runs.
func scheduleValue(r Rule, e *evaluation) (ruleValue, string, error) {
	if !strings.Contains(e.Name, "schedule") {
		return ruleValue{}, "needs a scheduled run", nil
	}
	text, err := r.pattern.Render(e.expressionValue)
	return ruleValue{text: text}, "", err
}
