package main

import (
	"syscall"
	"testing"
)

func TestNobodyElseReadsTheProcess(t *testing.T) {
	keepPrivate()
	defer func() { _, _, _ = syscall.RawSyscall(syscall.SYS_PRCTL, prSetDumpable, 1, 0) }()
	if dumpable, _, _ := syscall.RawSyscall(syscall.SYS_PRCTL, prGetDumpable, 0, 0); dumpable != 0 {
		t.Errorf("PR_GET_DUMPABLE is %d", dumpable)
	}
}
