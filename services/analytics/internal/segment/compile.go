package segment

import (
	"context"
	"errors"
	"maps"

	"google.golang.org/grpc/codes"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/auth"
	"tandem.bank/pkg/date"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	"tandem.bank/services/analytics/internal/definition"
)

// Compile checks a definition of a segment as an evaluation would; it is a definition.Compiler. Expressions are refused with the
// place, the cause and the nearest known name; so are references that nobody may follow, and those that come back.
func (s *Service) Compile(ctx context.Context, name string, spec *definitionv1.Spec) ([]apperr.Violation, error) {
	known, err := s.readable(ctx)
	if err != nil {
		return nil, err
	}
	switch kind := spec.GetSegment().GetKind().(type) {
	case *definitionv1.SegmentDefinition_Dynamic:
		wrong, err := s.compileExpression(ctx, known, &definition.Definition{Name: name, Kind: definition.KindSegment, Spec: spec})
		if err != nil || len(wrong) > 0 {
			return wrong, err
		}
		return s.Circles(ctx, name, spec) // through other definitions than segments
	case *definitionv1.SegmentDefinition_Frozen:
		return s.compileFrozen(ctx, known, name, kind.Frozen)
	default:
		return nil, nil
	}
}

// readable are the segments that the caller of a context may read; all of them when nobody calls.
func (s *Service) readable(ctx context.Context) (library, error) {
	all, err := s.library(ctx)
	if caller, ok := auth.FromContext(ctx); ok {
		maps.DeleteFunc(all, func(_ string, d *definition.Definition) bool { return !d.MayRead(caller) })
	}
	return all, err
}

// compileExpression compiles an expression over the segments that are known.
func (s *Service) compileExpression(ctx context.Context, known library, d *definition.Definition) ([]apperr.Violation, error) {
	const field = "dynamic.expression"
	order, err := ordered(ctx, known.find, d)
	if circle, ok := errors.AsType[*circleError](err); ok {
		return []apperr.Violation{{Field: field, Description: circle.Error()}}, nil
	}
	if err != nil {
		return nil, err
	}
	catalogue, err := s.facts.Catalogue(ctx)
	if err != nil {
		return nil, err
	}
	p := s.newPlan(catalogue, s.facts.Today(), nil)
	for _, other := range known {
		// A reference is near to any name, and leads to those in the order only.
		p.byName[other.Name] = &rule{definition: other, condition: "true"}
	}
	delete(p.byName, d.Name)
	for _, other := range order {
		if other != d {
			s.add(ctx, p, other)
		}
	}
	_, err = p.expression(d.Spec.GetSegment().GetDynamic().GetExpression())
	return violations(field, err)
}

// violations are what an error of the language says, of a field.
func violations(field string, err error) ([]apperr.Violation, error) {
	var refused *apperr.Error
	if err == nil || !errors.As(err, &refused) || len(refused.Violations) == 0 {
		return nil, err
	}
	out := make([]apperr.Violation, len(refused.Violations))
	for i, v := range refused.Violations {
		out[i] = apperr.Violation{Field: field, Description: v.Description}
	}
	return out, nil
}

func (s *Service) compileFrozen(ctx context.Context, known library, name string, f *definitionv1.FrozenSegment) ([]apperr.Violation, error) {
	asOf, err := date.Time(f.GetAsOf())
	switch {
	case err != nil:
		return []apperr.Violation{{Field: "frozen.as_of", Description: err.Error()}}, nil
	case asOf.After(s.facts.Today()):
		return []apperr.Violation{{Field: "frozen.as_of", Description: date.Text(asOf) + " has not come yet"}}, nil
	case f.GetSegment() == name:
		return []apperr.Violation{{Field: "frozen.segment", Description: "a segment is not frozen from itself"}}, nil
	case known[f.GetSegment()] == nil || isPart(known[f.GetSegment()]):
		p := plan{byName: map[string]*rule{}}
		for other := range known {
			p.byName[other] = nil
		}
		return []apperr.Violation{{Field: "frozen.segment", Description: p.unknown(f.GetSegment()).Error()}}, nil
	}
	_, err = s.definitions.Resolve(ctx, definition.Ref{Name: f.GetSegment(), Version: uint64(f.GetDefinitionVersion())}) //nolint:gosec // positive
	var missing *apperr.Error
	if errors.As(err, &missing) && missing.Code == codes.NotFound {
		return []apperr.Violation{{Field: "frozen.definition_version", Description: missing.Message}}, nil
	}
	return nil, err
}

// unsaved is an expression as a definition that nobody keeps; it has no name, so nothing refers to it.
func unsaved(expression string) *definition.Definition {
	return &definition.Definition{Kind: definition.KindSegment, Spec: &definitionv1.Spec{Kind: &definitionv1.Spec_Segment{
		Segment: &definitionv1.SegmentDefinition{Kind: &definitionv1.SegmentDefinition_Dynamic{
			Dynamic: &definitionv1.DynamicSegment{Expression: expression},
		}},
	}}}
}

// refused turns violations of an expression into an error on a field of a request.
func refused(field string, found []apperr.Violation, err error) error {
	if err != nil {
		return err
	}
	for i := range found {
		found[i].Field = field
	}
	return apperr.Invalid(found...)
}
