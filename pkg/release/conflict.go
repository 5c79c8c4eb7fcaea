package release

import (
	"fmt"
	"strings"

	"github.com/taglast/taglast/pkg/tagrule"
)

// Wanted is what one image of a release wants to write.
type Wanted struct {
	Image        string
	Repositories []string
	Tags         []tagrule.Tag
}

// Conflicts refuses one tag for several images of the same repository; nil where there is none. The first such tag, in
// the order of images and tags, is named.
func Conflicts(wanted []Wanted) error {
	owners := map[string][]string{} // by reference
	for _, w := range wanted {
		for _, repo := range w.Repositories {
			for _, t := range w.Tags {
				ref := repo + ":" + t.Text
				owners[ref] = append(owners[ref], w.Image)
			}
		}
	}
	for _, w := range wanted {
		for _, t := range w.Tags {
			for _, repo := range w.Repositories {
				if images := owners[repo+":"+t.Text]; len(images) > 1 {
					return conflict(t, images)
				}
			}
		}
	}
	return nil
}

func conflict(t tagrule.Tag, images []string) *Error {
	e := position{}.errorf("tag `%s` is wanted by %d images: %s", t.Text, len(images), firstNames(images))
	if t.Latest {
		return e.withHint("images with `flavor: [latest=true]` need a suffix: `suffix=-{{image}},onlatest=true`; or leave flavor out")
	}
	return e.withHint("give each image tags of its own: `suffix=-{{image}}` on the rule, or {{image}} in its repository")
}

// firstNames are the first three of names, and how many more there are.
func firstNames(names []string) string {
	shown := strings.Join(names[:min(3, len(names))], ", ")
	if more := len(names) - 3; more > 0 {
		shown += fmt.Sprintf(" and %d more", more)
	}
	return shown
}
