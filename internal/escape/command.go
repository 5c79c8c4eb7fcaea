package escape

import "strings"

var (
	commandData   = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	propertyValue = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

// CommandData returns s as the data of a workflow command (what follows "::name::"), which is one line. The runner
// reads the same s back: nothing is lost, so other control characters stay (see Text).
func CommandData(s string) string { return commandData.Replace(s) }

// CommandProperty returns s as the value of a workflow command's property ("::error title=VALUE::"). The runner reads
// the same s back.
func CommandProperty(s string) string { return propertyValue.Replace(s) }
