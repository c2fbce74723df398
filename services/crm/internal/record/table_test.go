package record

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"tandem.bank/pkg/testkit"
)

// meterRow has a column that only other statements write.
type meterRow struct {
	Place   string              `json:"place"`
	Reading decimal.NullDecimal `json:"reading" record:"readonly"`
}

var meters = NewTable[meterRow]("meter")

var meterTemplate = testkit.Template{Name: "meter", Migrate: func(ctx context.Context, url string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, `CREATE TABLE meter (
meter_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, source text, external_id text, place text NOT NULL, reading numeric,
version bigint NOT NULL DEFAULT 1, content_hash bytea, import_id uuid,
created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), UNIQUE (source, external_id))`)
	return errors.Join(err, conn.Close(ctx))
}}

func meter(externalID, place string) *Record[meterRow] {
	source := "test"
	return &Record[meterRow]{Source: &source, ExternalID: &externalID, Row: meterRow{Place: place, Reading: reading(99)}}
}

func reading(value int64) decimal.NullDecimal {
	return decimal.NewNullDecimal(decimal.NewFromInt(value))
}

// A read-only column is shown, and neither an insert nor an update of the record touches it.
func TestReadOnlyColumns(t *testing.T) {
	t.Parallel()
	pool := testkit.Postgres(t, meterTemplate)
	err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
		m := meter("1", "cellar")
		if err := meters.insert(t.Context(), tx, []*Record[meterRow]{m}); err != nil {
			return err
		}
		stored, err := meters.Get(t.Context(), tx, m.ID)
		if err != nil {
			return err
		}
		if stored.Row.Reading.Valid {
			t.Errorf("an insert wrote the reading %v", stored.Row.Reading)
		}
		if _, err := tx.Exec(t.Context(), "UPDATE meter SET reading = 7"); err != nil {
			return err
		}
		m.Row.Place = "attic"
		if err := meters.update(t.Context(), tx, []*Record[meterRow]{m}); err != nil {
			return err
		}
		if stored, err = meters.Get(t.Context(), tx, m.ID); err != nil {
			return err
		}
		if diff := cmp.Diff(meterRow{Place: "attic", Reading: reading(7)}, stored.Row); diff != "" {
			t.Errorf("after an update (-want +got):\n%s", diff)
		}
		meters.carry(&stored.Row, &m.Row)
		if diff := cmp.Diff(stored.Row, m.Row); diff != "" {
			t.Errorf("carried (-want +got):\n%s", diff)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Ids follow the order of the batch, whatever the order of keys in which rows are inserted.
func TestInsertNumbersInOrder(t *testing.T) {
	t.Parallel()
	pool := testkit.Postgres(t, meterTemplate)
	records := []*Record[meterRow]{meter("9", ""), meter("10", ""), meter("1", ""), meter("2", "")}
	err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error { return meters.insert(t.Context(), tx, records) })
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range records {
		if r.ID != int64(i+1) || r.Version != 1 {
			t.Errorf("row %d (key %s) has id %d, version %d", i, *r.ExternalID, r.ID, r.Version)
		}
	}
}
