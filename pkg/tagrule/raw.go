package tagrule

// rawValue is type=raw: its value, on every event.
func rawValue(r Rule, _ Event) (made, string) { return made{text: r.attrs["value"]}, "" }
