// Package timeline tells everything that happened with a customer in one list. It reads from the other rooms and writes
// nothing.
package timeline

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"tandem.bank/pkg/filter"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/record"
)

// farFuture lies after everything that can be recorded: the first page begins there.
var farFuture = time.Date(3000, 1, 1, 0, 0, 0, 0, time.UTC)

// entry is an entry with its place: entries are ordered by time, kind and id, the greatest first.
type entry struct {
	at    time.Time
	id    int64
	proto *crmv1.TimelineEntry
}

// position is where a page ended.
type position struct {
	Time time.Time          `json:"t"`
	Kind crmv1.TimelineKind `json:"k"`
	ID   int64              `json:"i"`
}

func (e *entry) position() position { return position{Time: e.at, Kind: e.proto.GetKind(), ID: e.id} }

// source is one kind of entries: how they are found, in their own order, newest first, by an index.
type source struct {
	kind crmv1.TimelineKind
	// sql has the conditions at %[1]s (and the limit $4 beside), and the accounts at %[2]s; $1 is the customer.
	sql string
	// time and id are the columns of the order. day says that time is a day of the bank's calendar.
	time, id string
	day      bool
	// columns of what a filter may name; those left out have no value here.
	channel, accountID, contractID, cardID, subject, source string

	scan func(row pgx.CollectableRow, location *time.Location) (*entry, error)
}

// schema is what this source answers to the fields of the one filter. The kind is a constant, so that Postgres does not even
// look where a filter asks for another.
func (s *source) schema(location *time.Location) filter.Schema {
	or := func(column, none string) string { return cmp.Or(column, none) }
	at := s.time
	if s.day {
		at = fmt.Sprintf("(%s::timestamp AT TIME ZONE '%s')", s.time, location)
	}
	return filter.Schema{
		{Name: "kind", Column: "'" + record.EnumText(s.kind) + "'::text", Kind: filter.Enum, Values: record.EnumTexts[crmv1.TimelineKind]()},
		{Name: "time", Column: at, Kind: filter.Time},
		{Name: "channel", Column: or(s.channel, "''::text"), Kind: filter.Text},
		{Name: "account_id", Column: or(s.accountID, "NULL::bigint"), Kind: filter.Int},
		{Name: "contract_id", Column: or(s.contractID, "NULL::bigint"), Kind: filter.Int},
		{Name: "card_id", Column: or(s.cardID, "NULL::bigint"), Kind: filter.Int},
		{Name: "subject", Column: or(s.subject, "''::text"), Kind: filter.Text},
		{Name: "source", Column: "coalesce(" + or(s.source, "NULL::text") + ", 'crm')", Kind: filter.Text},
	}
}

// ask is what a page is asked for.
type ask struct {
	customerID int64
	filter     string
	after      position
	// limit is how many entries are read of each source.
	limit    int
	location *time.Location
}

// part reads the next entries of this source behind a position.
func (s *source) part(ctx context.Context, into *[]*entry, a *ask) (record.Part, error) {
	at, id := s.bound(a.after, a.location)
	where, args, err := filter.Postgres(a.filter, s.schema(a.location), []any{a.customerID, at, id, a.limit})
	if err != nil {
		return record.Part{}, err
	}
	kind := "timestamptz"
	if s.day {
		kind = "date"
	}
	var held string
	if strings.Contains(s.sql, "%[2]s") {
		held, args = accounts(ctx, args)
	}
	where = fmt.Sprintf("(%s, %s) < ($2::%s, $3::bigint) AND (%s)", s.time, s.id, kind, where)
	return record.Part{SQL: fmt.Sprintf(s.sql, where, held), Args: args, Take: func(rows pgx.Rows) error {
		found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (*entry, error) { return s.scan(row, a.location) })
		for _, e := range found {
			e.proto.Kind = s.kind
		}
		*into = append(*into, found...)
		return err
	}}, nil
}

// bound is where this source goes on: strictly below (time, id). At the very time of the position, kinds below its own are
// still to come, and those above are done.
func (s *source) bound(after position, location *time.Location) (any, int64) {
	id := after.ID
	switch {
	case s.kind < after.Kind:
		id = math.MaxInt64
	case s.kind > after.Kind:
		id = 0
	}
	if !s.day {
		return after.Time, id
	}
	year, month, day := after.Time.In(location).Date()
	if time.Date(year, month, day, 0, 0, 0, 0, location).Before(after.Time) {
		id = math.MaxInt64 // the day began before the position: all of it is still to come
	}
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC), id
}

// merge puts the entries of all sources into one order and cuts off what belongs to later pages.
func merge(found []*entry, size int) (page []*entry, more bool) {
	slices.SortFunc(found, func(a, b *entry) int {
		return cmp.Or(b.at.Compare(a.at), cmp.Compare(b.proto.GetKind(), a.proto.GetKind()), cmp.Compare(b.id, a.id))
	})
	if len(found) > size {
		return found[:size], true
	}
	return found, false
}
