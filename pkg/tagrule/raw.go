package tagrule

// rawValue is type=raw: its value, on every event.
func rawValue(r Rule, e *evaluation) (ruleValue, string, error) {
	text, err := r.value.Render(e.expressionValue)
	return ruleValue{text: text}, "", err
}
