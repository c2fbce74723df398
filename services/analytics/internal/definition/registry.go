package definition

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/reflect/protoreflect"

	"tandem.bank/pkg/apperr"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	"tandem.bank/services/analytics/internal/warehouse"
)

// Compiler compiles a spec of one kind as a run would. The violations name what is wrong in it, by paths that begin at the
// message of the kind, for example "segments[2].cells"; the error is for what kept it from finding out. name is that of the
// definition, empty when it has none yet. The rules of the contract were checked before.
type Compiler func(ctx context.Context, name string, spec *definitionv1.Spec) ([]apperr.Violation, error)

// Registry knows how each kind is compiled. It is filled while the service is built, and only read later.
type Registry struct{ compilers map[string]Compiler }

// NewRegistry returns one that knows no kind.
func NewRegistry() *Registry { return &Registry{compilers: map[string]Compiler{}} }

// Register says how a kind is compiled. The kind must be a field of Spec, and registered once: anything else is a fault of
// the program.
func (r *Registry) Register(kind string, compile Compiler) {
	if specOneof.Fields().ByName(protoreflect.Name(kind)) == nil {
		panic(fmt.Sprintf("definition: %q is no kind of a spec", kind))
	}
	if r.compilers[kind] != nil {
		panic(fmt.Sprintf("definition: %q is registered twice", kind))
	}
	r.compilers[kind] = compile
}

// specOneof has a field for each kind.
var specOneof = (&definitionv1.Spec{}).ProtoReflect().Descriptor().Oneofs().ByName("kind")

// KindOf is the kind of a spec; empty when it has none that this version knows.
func KindOf(spec *definitionv1.Spec) string {
	if field := spec.ProtoReflect().WhichOneof(specOneof); field != nil {
		return string(field.Name())
	}
	return ""
}

// Compile compiles a spec. What is wrong in it is INVALID_ARGUMENT, with paths that begin with "spec".
func (r *Registry) Compile(ctx context.Context, name string, spec *definitionv1.Spec) error {
	kind := KindOf(spec)
	compile := r.compilers[kind]
	if compile == nil {
		return apperr.InvalidField("spec", "is of a kind that this version can't run")
	}
	violations, err := compile(ctx, name, spec)
	if err != nil {
		return warehouse.Public(err)
	}
	prefixed := make([]apperr.Violation, len(violations))
	for i, v := range violations {
		prefixed[i] = apperr.Violation{Field: "spec." + kind + "." + v.Field, Description: v.Description}
	}
	return apperr.Invalid(prefixed...)
}
