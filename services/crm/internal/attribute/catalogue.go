package attribute

import (
	"context"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/filter"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/crm/internal/record"
)

// freshFor is how long definitions are taken as known: a change made by another copy of the service is seen after it.
const freshFor = 4 * time.Second

// Catalogue knows the definitions in force. Every write of customers asks it, so it keeps them in memory.
type Catalogue struct {
	mu     sync.Mutex
	known  map[string]*Row
	loaded time.Time
	// changes counts what was forgotten: a load that began before a change must not be kept after it.
	changes int
}

// NewCatalogue makes one that has yet to read.
func NewCatalogue() *Catalogue { return &Catalogue{} }

// Forget makes the next call read anew.
func (c *Catalogue) Forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.loaded = time.Time{}
	c.changes++
}

// Load returns the definitions by name, retired ones too.
func (c *Catalogue) Load(ctx context.Context, q record.Querier) (map[string]*Row, error) {
	c.mu.Lock()
	known, fresh, began := c.known, time.Since(c.loaded) < freshFor, c.changes
	c.mu.Unlock()
	if fresh {
		return known, nil
	}
	found, err := Table.Select(ctx, q, "true ORDER BY attribute_definition_id")
	if err != nil {
		return nil, err
	}
	known = make(map[string]*Row, len(found))
	for _, d := range found {
		known[d.Row.Name] = &d.Row
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.changes == began {
		c.known, c.loaded = known, time.Now()
	}
	return known, nil
}

// Last returns what was read last.
func (c *Catalogue) Last() map[string]*Row {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.known
}

// Settle puts what a write says of attributes over what is stored, and checks what is new. kind is the customer's. Who has
// attributes must have those required.
func (c *Catalogue) Settle(stored, sent Values, kind string) (Values, error) {
	if len(stored) == 0 && len(sent) == 0 {
		return nil, nil
	}
	definitions := c.Last()
	out := maps.Clone(stored)
	if out == nil {
		out = Values{}
	}
	var in record.Reader
	for _, name := range slices.Sorted(maps.Keys(sent)) {
		value, before := sent[name], stored[name]
		switch definition := definitions[name]; {
		case value.empty():
			delete(out, name)
		case reflect.DeepEqual(value, before):
		case definition == nil:
			in.Refuse(path(name), unknown(name, definitions))
		case definition.Retired:
			in.Refuse(path(name), "is retired")
		default:
			if why := definition.refuses(value, kind); why != "" {
				in.Refuse(path(name), why)
			}
			out[name] = value
		}
	}
	if !reflect.DeepEqual(out, stored) {
		need(&in, definitions, out, kind)
	}
	if len(out) == 0 {
		out = nil
	}
	return out, apperr.Invalid(in.Violations...)
}

// need refuses values without those that a customer of a kind must have.
func need(in *record.Reader, definitions map[string]*Row, values Values, kind string) {
	for _, name := range slices.Sorted(maps.Keys(definitions)) {
		d := definitions[name]
		_, has := values[name]
		if d.Required && !d.Retired && !has && (d.AppliesTo == "" || d.AppliesTo == kind) {
			in.Refuse(path(name), "is required of a customer who has attributes")
		}
	}
}

func unknown(name string, definitions map[string]*Row) string {
	names := slices.Sorted(maps.Keys(definitions))
	if like := filter.Nearest(name, names); like != "" {
		return "is not defined; did you mean " + like + "?"
	}
	if len(names) == 0 {
		return "is not defined; no attribute is"
	}
	return "is not defined; there are " + strings.Join(names[:min(len(names), 20)], ", ")
}

// States renders what events may carry: no value of a personal attribute, nor of one that is not defined.
func (c *Catalogue) States(values Values) map[string]*eventsv1.AttributeState {
	if len(values) == 0 {
		return nil
	}
	definitions, out := c.Last(), map[string]*eventsv1.AttributeState{}
	for name, value := range values {
		if d := definitions[name]; d != nil && !d.Personal {
			out[name] = value.state()
		}
	}
	return out
}

// Schema is what customers can be filtered by: their own fields and, behind them, the attributes in force, as
// attributes.<name>. Without attributes it is own itself: many calls ask, and own is long.
func (c *Catalogue) Schema(ctx context.Context, q record.Querier, own filter.Schema) (filter.Schema, error) {
	definitions, err := c.Load(ctx, q)
	if err != nil {
		return nil, err
	}
	out := slices.Clip(own) // what comes behind goes into a copy
	for _, name := range slices.Sorted(maps.Keys(definitions)) {
		if !definitions[name].Retired {
			out = append(out, definitions[name].field())
		}
	}
	return out, nil
}

// Searchable are the names, in order, of the attributes in force by whose values customers are searched.
func (c *Catalogue) Searchable(ctx context.Context, q record.Querier) ([]string, error) {
	definitions, err := c.Load(ctx, q)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, name := range slices.Sorted(maps.Keys(definitions)) {
		if d := definitions[name]; d.Searchable && !d.Retired {
			out = append(out, name)
		}
	}
	return out, nil
}

// field is the attribute as filters see it. Names hold nothing that SQL could mistake.
func (r *Row) field() filter.Field {
	f := filter.Field{Name: "attributes." + r.Name, Column: r.Expression(), Values: r.AllowedValues}
	switch r.Type {
	case typeInteger:
		f.Kind = filter.Int
	case typeDecimal, typeMoney:
		f.Kind = filter.Decimal
	case typeBoolean:
		f.Kind = filter.Bool
	case typeDate:
		f.Kind, f.Column = filter.Date, "("+f.Column+")::date"
	case typeOption:
		f.Kind = filter.Enum
	case typeOptions:
		f.Kind, f.Repeated = filter.Enum, filter.JSONArray
	}
	return f
}

// Expression is the SQL of a value in the column attributes, such as an index can have.
func (r *Row) Expression() string {
	switch r.Type {
	case typeInteger:
		return "((attributes #>> '{" + r.Name + ",integer}')::bigint)"
	case typeDecimal:
		return "((attributes #>> '{" + r.Name + ",decimal}')::numeric)"
	case typeMoney:
		return "((attributes #>> '{" + r.Name + ",money,amount}')::numeric)"
	case typeBoolean:
		return "((attributes #>> '{" + r.Name + ",boolean}')::boolean)"
	case typeOptions:
		return "(attributes #> '{" + r.Name + ",options}')"
	default:
		return "(attributes #>> '{" + r.Name + "," + r.Type + "}')"
	}
}
