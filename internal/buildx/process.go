package buildx

import (
	"context"
	"errors"
	"os/exec"
	"slices"
	"time"
)

// defaultGrace is how long a build that is told to end may take, before it is killed: BuildKit ends what runs for it.
const defaultGrace = 4 * time.Second

// newCommand is a child that ends with ctx: it is told to, with all that it started, and killed when it does not.
func newCommand(ctx context.Context, grace time.Duration, command, args []string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, command[0], slices.Concat(command[1:], args)...) //nolint:gosec // arguments are one --flag=value each
	ownGroup(cmd)
	cmd.Cancel = func() error { return interrupt(cmd.Process) }
	cmd.WaitDelay = grace
	return cmd
}

// runCommand runs the child to its end. Nothing that it started is left where it failed or was ended from here. One that
// ends well has ended well, even if something that it started holds its output open.
func runCommand(cmd *exec.Cmd) error {
	err := cmd.Run()
	if err != nil && cmd.Process != nil {
		killGroup(cmd.Process)
	}
	if errors.Is(err, exec.ErrWaitDelay) && cmd.ProcessState.Success() {
		return nil
	}
	return err
}
