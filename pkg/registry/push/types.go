// Package push is the third stage: it takes what was built and puts children, then index, by digest, into every
// repository, reads the index back by digest and hashes it. No tag is written here.
package push

import (
	"github.com/google/go-containerregistry/pkg/name"

	"github.com/taglast/taglast/pkg/image"
)

// Pushed is an image that every one of its repositories holds, untagged. Made by Image alone.
type Pushed struct{ p *pushed }

type pushed struct {
	built image.Built
	repos []name.Repository
}

// Ok says whether p was made by Image.
func (p Pushed) Ok() bool { return p.p != nil }

// Built is the image.
func (p Pushed) Built() image.Built { return p.p.built }

// Repositories that hold it.
func (p Pushed) Repositories() []name.Repository { return p.p.repos }
