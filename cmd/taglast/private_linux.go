package main

import "syscall"

// The options of prctl(2), which package syscall does not name.
const (
	prGetDumpable = 3
	prSetDumpable = 4
)

// keepPrivate has the kernel show memory and environment of this process to nobody but root: what its children run (builders,
// credential helpers) is run by the same user, and taking a variable out of the environment does not take it out of
// /proc/PID/environ. The shell that started this process has its own.
func keepPrivate() {
	_, _, _ = syscall.RawSyscall(syscall.SYS_PRCTL, prSetDumpable, 0, 0) // every Linux has it
}
