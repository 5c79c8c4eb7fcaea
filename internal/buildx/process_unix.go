//go:build !windows

package buildx

import (
	"os"
	"os/exec"
	"syscall"
)

// ownGroup gives the child a process group of its own: `docker` runs buildx as a child of its own, which a signal to the
// one process would not reach.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

func interrupt(p *os.Process) error { return signalGroup(p, syscall.SIGINT) }

func killGroup(p *os.Process) { _ = signalGroup(p, syscall.SIGKILL) } // an error says that nobody is left

func signalGroup(p *os.Process, s syscall.Signal) error {
	err := syscall.Kill(-p.Pid, s)
	if err == syscall.ESRCH { //nolint:errorlint // a plain errno
		return os.ErrProcessDone
	}
	return err
}
