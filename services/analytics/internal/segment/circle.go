package segment

import (
	"context"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protopath"
	"google.golang.org/protobuf/reflect/protorange"
	"google.golang.org/protobuf/reflect/protoreflect"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/filter"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	"tandem.bank/services/analytics/internal/definition"
)

// factScore begins the names of facts that are values of scores.
const factScore = "score."

// link is a place in a definition that asks for the results of another.
type link struct{ field, to string }

// filterFields are the fields of definitions that hold filters, and factFields those that name a fact.
var (
	filterFields = []protoreflect.Name{"filter", "expression", "population", "target"}
	factFields   = []protoreflect.Name{"fact"}
)

// links are those of a definition, in the order of its fields.
func links(spec *definitionv1.Spec) []link {
	var out []link
	// Nothing here fails: the walk ends only with its own errors.
	_ = protorange.Range(spec.ProtoReflect(), func(at protopath.Values) error {
		step := at.Index(-1).Step
		if step.Kind() != protopath.FieldAccessStep || step.FieldDescriptor().Kind() != protoreflect.StringKind || step.FieldDescriptor().IsList() {
			return nil
		}
		name, text := step.FieldDescriptor().Name(), at.Index(-1).Value.String()
		var names []string
		switch {
		case slices.Contains(filterFields, name):
			names = asked(filter.Fields(text), filter.Texts(text, functionSegment))
		case slices.Contains(factFields, name):
			names = asked([]string{text}, nil)
		}
		for _, to := range names {
			out = append(out, link{fieldOf(at.Path), to})
		}
		return nil
	})
	return out
}

// asked are the definitions whose results facts and references tell.
func asked(facts, references []string) []string {
	out := slices.Clone(references)
	for i, name := range out {
		out[i], _, _ = strings.Cut(name, partSeparator)
	}
	for _, fact := range facts {
		if score, ok := strings.CutPrefix(fact, factScore); ok {
			out = append(out, score)
		}
	}
	return out
}

// fieldOf is a place as violations name it: "dimensions[0].criteria[1].when.filter".
func fieldOf(path protopath.Path) string {
	// The first two steps are the spec and its kind.
	return strings.TrimPrefix(path[2:].String(), ".")
}

// Circles are the places of a definition, of any kind, from which its own results are asked for, through other definitions or at once:
// by segment("…") and by the facts score.…
func (s *Service) Circles(ctx context.Context, name string, spec *definitionv1.Spec) ([]apperr.Violation, error) {
	from := links(spec)
	if len(from) == 0 {
		return nil, nil
	}
	all, err := s.definitions.All(ctx)
	if err != nil {
		return nil, err
	}
	saved := make(map[string]*definition.Definition, len(all))
	for _, d := range all {
		saved[d.Name] = d
	}
	var out []apperr.Violation
	for _, l := range from {
		t := trail{saved: saved, to: name, seen: map[string]bool{}}
		if path := t.find(l.to, []string{name}); path != nil {
			out = append(out, apperr.Violation{
				Field: l.field, Description: "definitions refer to each other in a circle: " + strings.Join(path, " → "),
			})
		}
	}
	return out, nil
}

// trail looks for a way from definition to definition.
type trail struct {
	saved map[string]*definition.Definition
	to    string
	seen  map[string]bool
}

// find goes on behind a path; nil when it leads nowhere.
func (t trail) find(at string, path []string) []string {
	path = append(slices.Clone(path), at)
	if at == t.to {
		return path
	}
	d := t.saved[at]
	if d == nil || t.seen[at] {
		return nil
	}
	t.seen[at] = true
	for _, l := range links(d.Spec) {
		if found := t.find(l.to, path); found != nil {
			return found
		}
	}
	return nil
}
