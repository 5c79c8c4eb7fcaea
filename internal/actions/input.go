package actions

import (
	"strings"

	"github.com/sethvargo/go-githubactions"
)

// InputVariable is the variable of the environment that an input of the action stands in: INPUT_ and its name in
// capitals, with underscores for its dashes, because no shell can export a name with a dash.
func InputVariable(name string) string { return "INPUT_" + strings.ToUpper(inputName(name)) }

func inputName(name string) string { return strings.ReplaceAll(name, "-", "_") }

// Input is the value of an input, without the blanks around it; empty where it is not given.
func (r *Runner) Input(name string) string { return r.action.GetInput(inputName(name)) }

// Job is what the runner says of the job that this step is in.
type Job struct {
	EventName string // what started the run: push, pull_request, …
	Workspace string // the folder that checkouts lie in; empty outside of a job
}

// Job reads the environment of the job.
func (r *Runner) Job() Job {
	// The library would read the event's payload whole, however large it is, and nothing here asks for it.
	withoutEvent := githubactions.WithGetenv(func(key string) string {
		if key == "GITHUB_EVENT_PATH" {
			return ""
		}
		return r.getenv(key)
	})
	c, _ := githubactions.New(withoutEvent).Context() // its errors are about numbers and switches, which nothing here asks for
	return Job{EventName: c.EventName, Workspace: c.Workspace}
}
