package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets this binary be the program as well: started under the name taglast it runs main.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"taglast": main})
}
