package actions

import (
	"errors"
	"testing"
)

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestALogThatCannotBeWrittenStopsNothing(t *testing.T) {
	r := New(func(string) string { return "true" }, broken{})
	r.Mask("secret")
	r.Group("push")
	r.EndGroup()
	r.Error("title", "message")
}

func TestPanicsOfTheLibraryAreErrorsAndOthersArePanics(t *testing.T) {
	cause := errors.New("disk full")
	if err := issue(func() { panic(cause) }); !errors.Is(err, cause) {
		t.Errorf("got %v", err)
	}
	for what, write := range map[string]func(){
		"a text":         func() { panic("x") },
		"a nil function": func() { var f func(); f() },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", what)
				}
			}()
			_ = issue(write)
		}()
	}
}
