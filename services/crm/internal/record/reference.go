package record

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"tandem.bank/pkg/apperr"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

// Target is a kind of record that others refer to.
type Target interface {
	// Entity is its name.
	Entity() string
	idColumn() string
}

// Named is a target that stands for a kind of record by its name, where the rooms' imports run the other way.
type Named string

// Entity implements Target.
func (n Named) Entity() string { return string(n) }

func (n Named) idColumn() string { return string(n) + "_id" }

// Reference is one field of a row that names another record, by id or by external key.
type Reference struct {
	// Field is the id's field in the message, for example "region_id"; the key's field is the same with _key.
	Field string
	// Target is the kind of record named.
	Target Target
	// Key, when the caller gave one; the id is then looked up.
	Key *crmv1.ExternalKey
	// ID is the id that the row points to, 0 until the key is looked up; nil when there is no reference. The row and its
	// copies share it.
	ID *int64
}

// Ref builds a reference from the two fields of a message; an id of 0 is none. The row's own field, into, stays nil when
// there is no reference.
func Ref(field string, target Target, id int64, key *crmv1.ExternalKey, into **int64) Reference {
	if id != 0 || key != nil {
		*into = &id
	}
	return Reference{Field: field, Target: target, Key: key, ID: *into}
}

// Resolve looks up the references of many rows at once. It returns, for each row, what is wrong with its references.
func Resolve(ctx context.Context, q Batcher, refs [][]Reference) ([]error, error) {
	items, errs := make([]*item, len(refs)), make([]error, len(refs))
	for i := range refs {
		items[i] = &item{refs: refs[i]}
	}
	err := resolve(ctx, q, items)
	for i, it := range items {
		errs[i] = it.err
	}
	return errs, err
}

// item is one row on its way in: what it refers to, and what is wrong with it.
type item struct {
	refs []Reference
	err  error
}

// resolve looks up the references of all items, one statement for each kind of record in one round trip, and sets the error of items
// that name a record which does not exist. More is read beside it.
func resolve(ctx context.Context, q Batcher, items []*item, more ...Part) error {
	byTarget := map[string][]Reference{}
	for _, it := range items {
		if it.err != nil {
			continue
		}
		for _, ref := range it.refs {
			if ref.ID != nil {
				byTarget[ref.Target.Entity()] = append(byTarget[ref.Target.Entity()], ref)
			}
		}
	}
	found, parts := map[string]*lookup{}, more
	for _, entity := range slices.Sorted(maps.Keys(byTarget)) {
		found[entity] = &lookup{byKey: map[string]int64{}, ids: map[int64]bool{}}
		parts = append(parts, found[entity].part(byTarget[entity]))
	}
	if len(parts) > 0 {
		if err := Read(ctx, q, parts...); err != nil {
			return err
		}
	}
	for _, it := range items {
		if it.err == nil {
			it.err = assign(it.refs, found)
		}
	}
	return nil
}

func assign(refs []Reference, found map[string]*lookup) error {
	for _, ref := range refs {
		switch {
		case ref.ID == nil:
		case ref.Key != nil && *ref.ID != 0:
			return apperr.InvalidField(ref.keyField(), "set either this or %s", ref.Field)
		case ref.Key != nil:
			id, ok := found[ref.Target.Entity()].byKey[keyText(ref.Key)]
			if !ok {
				return apperr.ReferenceNotFound(ref.keyField(), "%s %s does not exist", ref.Target.Entity(), keyText(ref.Key))
			}
			*ref.ID = id
		case !found[ref.Target.Entity()].ids[*ref.ID]:
			return apperr.ReferenceNotFound(ref.Field, "%s %d does not exist", ref.Target.Entity(), *ref.ID)
		}
	}
	return nil
}

func (r Reference) keyField() string { return r.Field[:len(r.Field)-len("_id")] + "_key" }

type lookup struct {
	byKey map[string]int64
	ids   map[int64]bool
}

// part reads the records that references of one kind name.
func (l *lookup) part(refs []Reference) Part {
	var sources, externalIDs []string
	var ids []int64
	for _, ref := range refs {
		if ref.Key != nil {
			sources, externalIDs = append(sources, ref.Key.GetSource()), append(externalIDs, ref.Key.GetExternalId())
		} else {
			ids = append(ids, *ref.ID)
		}
	}
	target := refs[0].Target
	columns := fmt.Sprintf("SELECT %[1]s, source, external_id FROM %[2]s WHERE ", target.idColumn(), target.Entity())
	// The array comes by a subquery: its length would be a reason to plan each statement anew, which costs several times the
	// look-up itself.
	part := Part{SQL: columns + target.idColumn() + " = ANY((SELECT $1::bigint[])::bigint[])", Args: []any{ids}, Take: l.take}
	if len(sources) > 0 {
		// Mostly all references of a kind are keys or all are ids: the shorter statement costs half.
		part.SQL = columns + "(source, external_id) IN (SELECT * FROM unnest($1::text[], $2::text[]))"
		part.Args = []any{sources, externalIDs}
		if len(ids) > 0 {
			part.SQL += " UNION " + columns + target.idColumn() + " = ANY($3::bigint[])"
			part.Args = append(part.Args, ids)
		}
	}
	return part
}

func (l *lookup) take(rows pgx.Rows) error {
	var id int64
	var source, externalID *string
	_, err := pgx.ForEachRow(rows, []any{&id, &source, &externalID}, func() error {
		l.ids[id] = true
		if source != nil && externalID != nil {
			l.byKey[*source+"/"+*externalID] = id
		}
		return nil
	})
	return err
}
