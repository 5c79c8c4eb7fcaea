//go:build !linux

package main

// keepPrivate does nothing: other systems show a process's environment to its own user in ways that cannot be closed from
// within it.
func keepPrivate() {}
