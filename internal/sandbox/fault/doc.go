// Package fault breaks one request of many: a transport that numbers every request under a name that is the same from
// run to run, and injects one planned fault at one of them.
//
// A test runs once undisturbed, takes the Keys, and runs again for each key and each Kind that applies to it. Killer is
// the other half: it calls a function after the n-th write, for tests that kill a program in the middle.
package fault
