package rooms

import (
	"fmt"
	"go/types"
	"slices"
	"strings"
	"testing"
)

// What the test above would find, of each kind, in a package that breaks the rule; and what it lets pass.
func TestInternalTypesAreFoundWhereverTheyStand(t *testing.T) {
	inside := types.NewPackage(module+"/internal/retry", "retry")
	policy := types.NewNamed(types.NewTypeName(0, inside, "Policy", nil), types.NewStruct(nil, nil), nil)
	outside := types.NewPackage("example.com/other/internal/x", "x")
	other := types.NewNamed(types.NewTypeName(0, outside, "X", nil), types.NewStruct(nil, nil), nil)
	params := func(p *types.Package, of ...types.Type) *types.Tuple {
		var vars []*types.Var
		for _, typ := range of {
			vars = append(vars, types.NewParam(0, p, "", typ))
		}
		return types.NewTuple(vars...)
	}
	for _, c := range []struct {
		name string
		add  func(p *types.Package) types.Object
		want int
	}{
		{"a variable", func(p *types.Package) types.Object { return types.NewVar(0, p, "V", policy) }, 1},
		{"a variable that is not exported", func(p *types.Package) types.Object { return types.NewVar(0, p, "v", policy) }, 0},
		{"a type of another module", func(p *types.Package) types.Object { return types.NewVar(0, p, "V", other) }, 0},
		{"a parameter in a map of functions", func(p *types.Package) types.Object {
			f := types.NewSignatureType(nil, nil, nil, params(p, types.NewSlice(policy)), nil, false)
			return types.NewVar(0, p, "V", types.NewMap(types.Typ[types.String], f))
		}, 1},
		{"a result", func(p *types.Package) types.Object {
			return types.NewFunc(0, p, "F", types.NewSignatureType(nil, nil, nil, nil, params(p, types.NewPointer(policy)), false))
		}, 1},
		{"an alias", func(p *types.Package) types.Object {
			name := types.NewTypeName(0, p, "A", nil)
			types.NewAlias(name, policy)
			return name
		}, 1},
		{"an exported field", func(p *types.Package) types.Object { return structOf(p, types.NewField(0, p, "Retry", policy, false)) }, 1},
		{"a field that is not exported", func(p *types.Package) types.Object { return structOf(p, types.NewField(0, p, "retry", policy, false)) }, 0},
		{"an embedded field", func(p *types.Package) types.Object { return structOf(p, types.NewField(0, p, "Policy", policy, true)) }, 1},
		{"a field of a type that is not exported", func(p *types.Package) types.Object {
			hidden := structOf(p, types.NewField(0, p, "Retry", policy, false))
			return types.NewVar(0, p, "V", hidden.Type())
		}, 1},
		{"a parameter of a method", func(p *types.Package) types.Object {
			name := structOf(p)
			named := name.Type().(*types.Named)
			receiver := types.NewVar(0, p, "", types.NewPointer(named))
			named.AddMethod(types.NewFunc(0, p, "Set", types.NewSignatureType(receiver, nil, nil, params(p, policy), nil, false)))
			return name
		}, 1},
		{"a method of an interface", func(p *types.Package) types.Object {
			name := types.NewTypeName(0, p, "I", nil)
			f := types.NewFunc(0, p, "Do", types.NewSignatureType(nil, nil, nil, params(p, policy), nil, false))
			types.NewNamed(name, types.NewInterfaceType([]*types.Func{f}, nil).Complete(), nil)
			return name
		}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := types.NewPackage(module+"/pkg/x", "x")
			p.Scope().Insert(c.add(p))
			if got := internalMentions(p); len(got) != c.want {
				t.Errorf("found %q", got)
			}
		})
	}
}

// structOf is an exported struct type; with a field, one that is not exported.
func structOf(p *types.Package, fields ...*types.Var) *types.TypeName {
	name := types.NewTypeName(0, p, "S", nil)
	types.NewNamed(name, types.NewStruct(fields, nil), nil)
	return name
}

// internalMentions says which exported declarations of pkg mention a type of an internal package of this module.
func internalMentions(pkg *types.Package) []string {
	w := walker{pkg: pkg, seen: map[types.Type]bool{}}
	for _, name := range pkg.Scope().Names() {
		if object := pkg.Scope().Lookup(name); object.Exported() {
			w.object(object)
		}
	}
	return w.mentions
}

// walker follows types from one package's declarations to the first of another package.
type walker struct {
	pkg      *types.Package
	seen     map[types.Type]bool
	mentions []string
}

func (w *walker) object(o types.Object) {
	if name, ok := o.(*types.TypeName); ok && name.IsAlias() {
		w.typ(o.Name(), types.Unalias(o.Type()))
		return
	}
	w.typ(o.Name(), o.Type())
}

// typ looks at a type that stands at a place, "Options.Retry".
func (w *walker) typ(place string, typ types.Type) {
	switch typ := typ.(type) {
	case *types.Alias:
		w.named(place, typ.Obj(), typ)
	case *types.Named:
		w.named(place, typ.Obj(), typ)
		for arg := range typ.TypeArgs().Types() {
			w.typ(place, arg)
		}
	case *types.Pointer:
		w.typ(place, typ.Elem())
	case *types.Slice:
		w.typ(place, typ.Elem())
	case *types.Array:
		w.typ(place, typ.Elem())
	case *types.Chan:
		w.typ(place, typ.Elem())
	case *types.Map:
		w.typ(place, typ.Key())
		w.typ(place, typ.Elem())
	case *types.Signature:
		for v := range typ.Params().Variables() {
			w.typ(place, v.Type())
		}
		for v := range typ.Results().Variables() {
			w.typ(place, v.Type())
		}
	case *types.Struct:
		for f := range typ.Fields() {
			if f.Exported() || f.Embedded() {
				w.typ(place+"."+f.Name(), f.Type())
			}
		}
	case *types.Interface:
		for m := range typ.Methods() {
			w.typ(place+"."+m.Name(), m.Type())
		}
		for embedded := range typ.EmbeddedTypes() {
			w.typ(place, embedded)
		}
	case *types.TypeParam:
		w.typ(place, typ.Constraint())
	case *types.Union:
		for term := range typ.Terms() {
			w.typ(place, term.Type())
		}
	}
}

// named reports a type of an internal package, and looks into one of the package's own, once.
func (w *walker) named(place string, name *types.TypeName, typ types.Type) {
	switch {
	case name.Pkg() == nil: // error, comparable
	case name.Pkg() != w.pkg:
		if room, own := strings.CutPrefix(name.Pkg().Path(), module+"/"); own && internal(room) {
			w.mentions = append(w.mentions, fmt.Sprintf("%s mentions %s.%s", place, room, name.Name()))
		}
	case !w.seen[typ]:
		w.seen[typ] = true
		if alias, ok := typ.(*types.Alias); ok {
			w.typ(place, alias.Rhs())
			return
		}
		w.typ(name.Name(), typ.Underlying())
		for m := range typ.(*types.Named).Methods() {
			if m.Exported() {
				w.typ(name.Name()+"."+m.Name(), m.Type())
			}
		}
	}
}

// internal says that a room of this module is behind an internal folder.
func internal(room string) bool { return slices.Contains(strings.Split(room, "/"), "internal") }
