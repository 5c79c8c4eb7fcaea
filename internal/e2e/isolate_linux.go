//go:build e2e

package e2e

import (
	"os/exec"
	"runtime"
	"syscall"
)

// isolate makes a command the first process of a process namespace, which the kernel ends with it: whatever it has
// started, and however the leash itself ends. The mounts of a mount namespace below it go then, too.
func isolate(cmd *exec.Cmd) {
	runtime.LockOSThread() // the signal comes when the thread that started the command ends
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID, Pdeathsig: syscall.SIGKILL}
}
