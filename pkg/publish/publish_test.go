package publish_test

import (
	"slices"
	"testing"

	"github.com/taglast/taglast/internal/sandbox"
	"github.com/taglast/taglast/pkg/publish"
)

func TestPublishTagsWhatIsAttested(t *testing.T) {
	s := newScene(t, twoByTwo, sandbox.Options{})
	r, err := s.publish(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if r.Outcome != publish.Published || publish.ExitCode(r, err) != 0 {
		t.Errorf("outcome %s, exit %d", r.Outcome, publish.ExitCode(r, err))
	}
	state := s.world.State()
	for _, im := range r.Images {
		if state.Attested[im.Digest] == 0 {
			t.Errorf("%s is not attested", im.Digest)
		}
		for _, p := range im.Platforms {
			if state.Attested[p.Digest] == 0 {
				t.Errorf("platform %s of %s is not attested", p.Platform, im.Name)
			}
		}
	}
	if got := len(tagLines(state)); got != 10 {
		t.Errorf("%d tags, want 10: %v", got, tagLines(state))
	}
	if v := s.world.Violations(); len(v) > 0 {
		t.Errorf("violations: %v", v)
	}
}

func TestSecondRunWritesNothing(t *testing.T) {
	s := newScene(t, twoByTwo, sandbox.Options{})
	if _, err := s.publish(t.Context()); err != nil {
		t.Fatal(err)
	}
	before, seen := s.world.State(), len(s.world.Requests())
	next := s.world.Identity()
	next.RunAttempt = "2"
	s.world.SetIdentity(next)
	r, err := s.publish(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := withoutProbes(writes(s.world.Requests()[seen:])); len(got) > 0 {
		t.Errorf("the second run wrote: %v", got)
	}
	after := s.world.State()
	a, b := tagLines(before), tagLines(after)
	slices.Sort(a)
	slices.Sort(b)
	if !slices.Equal(a, b) {
		t.Errorf("the state changed:\n%v\n%v", a, b)
	}
	for _, im := range r.Images {
		if !im.Adopted || !im.Attestations[0].Reused {
			t.Errorf("image %s: adopted %v, reused %v", im.Name, im.Adopted, im.Attestations[0].Reused)
		}
		for _, tag := range im.Tags {
			if tag.Action != "unchanged" {
				t.Errorf("%s: %s, want unchanged", tag.Ref, tag.Action)
			}
		}
	}
}
