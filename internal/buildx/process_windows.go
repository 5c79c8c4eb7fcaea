package buildx

import (
	"os"
	"os/exec"
	"syscall"
)

// ownGroup keeps a console's Ctrl-C, which this program handles itself, from the child.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

// interrupt kills: Windows has no signal that asks a process to end.
func interrupt(p *os.Process) error { return p.Kill() }

func killGroup(*os.Process) {}
