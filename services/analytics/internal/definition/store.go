package definition

import (
	"context"
	"database/sql"
	_ "embed" // the SQL files
	"errors"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"google.golang.org/protobuf/encoding/protojson"

	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	"tandem.bank/services/analytics/internal/warehouse"
)

var (
	//go:embed sql/newest.sql
	newestSQL string
	//go:embed sql/version.sql
	versionSQL string
	//go:embed sql/all.sql
	allSQL string
)

// Store finds definitions among the copies in the warehouse.
type Store struct{ conn driver.Conn }

// NewStore reads the warehouse.
func NewStore(conn driver.Conn) *Store { return &Store{conn} }

// Resolve finds a definition. Its spec is that of the version named; all else is as it is at ref.At. Errors: NOT_FOUND,
// UNAVAILABLE.
func (s *Store) Resolve(ctx context.Context, ref Ref) (*Definition, error) {
	found, err := s.Newest(ctx, []string{ref.Name}, ref.At)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, notFound(ref)
	}
	newest := found[0]
	if ref.Version == 0 || ref.Version == newest.Version {
		return newest, nil
	}
	var spec string
	err = s.conn.QueryRow(ctx, versionSQL, clickhouse.Named("id", newest.ID), clickhouse.Named("version", ref.Version)).
		Scan(&newest.Version, &spec, &newest.SpecTime)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, notFound(ref)
	}
	if err != nil {
		return nil, warehouse.Public(fmt.Errorf("definition: read version %d of %s: %w", ref.Version, ref.Name, err))
	}
	newest.Spec, err = parse(spec)
	return newest, err
}

// Newest finds definitions by one question: the newest versions at a moment, now for the zero time, or the first ones of what came
// later: a bank arrives here with a past in which nothing was defined. Those that there are not are left
// out. Errors: UNAVAILABLE.
func (s *Store) Newest(ctx context.Context, names []string, at time.Time) ([]*Definition, error) {
	if at.IsZero() {
		at = time.Now().Add(clockSlack)
	}
	found, err := s.read(ctx, newestSQL, clickhouse.Named("names", names), clickhouse.Named("at", at.UnixMicro()))
	return found, warehouse.Public(err)
}

// clockSlack is how far the clock of Postgres, by which changes have their times, may be ahead of this one.
const clockSlack = time.Hour

// ForCaller is Resolve for the caller of a context: what they may not read is not found.
func (s *Store) ForCaller(ctx context.Context, ref Ref) (*Definition, error) {
	d, err := s.Resolve(ctx, ref)
	if err != nil {
		return nil, err
	}
	if err := d.Shown(ctx, ref); err != nil {
		return nil, err
	}
	return d, nil
}

// All returns the newest version of every definition, archived ones too, by id.
func (s *Store) All(ctx context.Context) ([]*Definition, error) {
	found, err := s.read(ctx, allSQL)
	return found, warehouse.Public(err)
}

func (s *Store) read(ctx context.Context, query string, args ...any) ([]*Definition, error) {
	var out []*Definition
	err := warehouse.Each(ctx, s.conn, "definition: read", warehouse.Query{SQL: query, Args: args}, func(rows driver.Rows) error {
		d, err := scan(rows)
		out = append(out, d)
		return err
	})
	return out, err
}

func scan(rows driver.Rows) (*Definition, error) {
	var d Definition
	var spec, cron string
	var archived, paused uint8
	var daysBack uint32
	err := rows.Scan(&d.ID, &d.Name, &d.Title, &d.Kind, &archived, &d.Owner, &d.ReaderRoles, &d.EditorRoles, &d.Version, &spec, &d.SpecTime,
		&cron, &daysBack, &paused, &d.ScheduledSince)
	if err != nil {
		return nil, err
	}
	d.Archived = archived != 0
	if cron != "" {
		d.Schedule = &definitionv1.Schedule{Cron: cron, DaysBack: int32(daysBack), Paused: paused != 0}
	}
	d.Spec, err = parse(spec)
	return &d, err
}

// parse reads a spec. What a newer version put into it is left out here, and refused when it is compiled.
func parse(text string) (*definitionv1.Spec, error) {
	spec := &definitionv1.Spec{}
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal([]byte(text), spec); err != nil {
		return nil, fmt.Errorf("a stored spec can't be read: %w", err)
	}
	return spec, nil
}
