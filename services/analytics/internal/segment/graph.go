package segment

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"tandem.bank/pkg/filter"
	"tandem.bank/services/analytics/internal/definition"
)

// functionSegment is what expressions refer to another segment by.
const functionSegment = "segment"

// finder finds the definition of a segment that is referred to. It returns nil when there is none.
type finder func(ctx context.Context, name string) (*definition.Definition, error)

// library are segments by name.
type library map[string]*definition.Definition

// library reads the newest version of every segment, archived ones too, and of what clusterings and profile schemes divide customers
// into.
func (s *Service) library(ctx context.Context) (library, error) {
	all, err := s.definitions.All(ctx)
	if err != nil {
		return nil, err
	}
	out := library{}
	for _, d := range all {
		if d.Kind == definition.KindSegment {
			out[d.Name] = d
		} else {
			out.addParts(d)
		}
	}
	return out, nil
}

// find is a finder.
func (l library) find(_ context.Context, name string) (*definition.Definition, error) {
	if d := l[name]; d != nil {
		return d, nil
	}
	return l.cluster(name), nil
}

// names of the segments in use, sorted; parts are none.
func (l library) names() []string {
	var out []string
	for name, d := range l {
		if !d.Archived && !isPart(d) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// references are the names of the segments that one refers to.
func references(d *definition.Definition) []string {
	return filter.Texts(d.Spec.GetSegment().GetDynamic().GetExpression(), functionSegment)
}

// circleError says that segments refer to each other in a circle.
type circleError struct{ names []string }

func (e *circleError) Error() string {
	return "segments refer to each other in a circle: " + strings.Join(e.names, " → ")
}

// ordered returns segments with all that they refer to, each behind those that it refers to. References that lead nowhere are left
// out: compiling tells of them. A circle is a *circleError.
func ordered(ctx context.Context, find finder, roots ...*definition.Definition) ([]*definition.Definition, error) {
	w := walk{find: find, done: map[string]bool{}, roots: map[string]*definition.Definition{}}
	for _, root := range roots {
		w.roots[root.Name] = root
	}
	for _, root := range roots {
		if err := w.visit(ctx, root, nil); err != nil {
			return nil, err
		}
	}
	return w.out, nil
}

type walk struct {
	find  finder
	roots map[string]*definition.Definition
	done  map[string]bool
	out   []*definition.Definition
}

func (w *walk) visit(ctx context.Context, d *definition.Definition, path []string) error {
	if at := slices.Index(path, d.Name); at >= 0 && d.Name != "" {
		return &circleError{append(slices.Clone(path[at:]), d.Name)}
	}
	if w.done[d.Name] {
		return nil
	}
	path = append(slices.Clone(path), d.Name)
	for _, name := range references(d) {
		next := w.roots[name]
		if next == nil {
			var err error
			if next, err = w.find(ctx, name); err != nil {
				return err
			}
		}
		if next == nil {
			continue
		}
		if err := w.visit(ctx, next, path); err != nil {
			return err
		}
	}
	w.done[d.Name] = true
	w.out = append(w.out, d)
	return nil
}

// signature names the versions that members were found by.
func signature(order []*definition.Definition) string {
	parts := make([]string, len(order))
	for i, d := range order {
		parts[i] = fmt.Sprintf("%s@%d", d.Name, d.Version)
	}
	return strings.Join(parts, " ")
}
