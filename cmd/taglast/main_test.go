package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/taglast/taglast/internal/testkit/buildxtest"
)

// TestMain lets this binary be the program as well: started under the name taglast it runs main, and under the name
// docker it is a stand-in for buildx.
func TestMain(m *testing.M) {
	buildxtest.Main()
	testscript.Main(m, map[string]func(){"taglast": main})
}
