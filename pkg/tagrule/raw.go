package tagrule

// rawValue is type=raw: its value, on every event.
func rawValue(r Rule, f *facts) (made, string, error) {
	text, err := r.value.render(f.global)
	return made{text: text}, "", err
}
