// Package snapshot is what the rooms share whose results are runs: how a run is named, kept, found, listed, run by hand, by a
// definition or by schedule, and how its results go home.
//
// A run is computed once and never changed. Its results are written first and its row last: so a run that breaks off is
// never seen, and is done again under another id. Runs with equal settings keys continue each other from day to day.
//
// A room describes its runs with a Store, and itself with a Room; the Room is an insight.Source and a schedule.Runner.
package snapshot

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"tandem.bank/pkg/apperr"
	"tandem.bank/services/analytics/internal/operation"
	"tandem.bank/services/analytics/internal/warehouse"
)

// ErrNone says that there is no such run.
var ErrNone = errors.New("no such run")

// Head is what every run has; rooms embed it in theirs.
type Head struct {
	// ID is a UUIDv7.
	ID uuid.UUID
	// SettingsKey is equal in runs that can be compared.
	SettingsKey string
	// Customers with a result.
	Customers    uint64
	ComputedTime time.Time
	// NewestEventTime is the change time of the newest change behind the run; zero when there is none.
	NewestEventTime time.Time
	// InsightsPublished says whether all results went home.
	InsightsPublished bool
}

// NewHead begins a run over what the warehouse has now.
func NewHead(settingsKey string, newestEvent time.Time) (Head, error) {
	id, err := uuid.NewV7()
	return Head{ID: id, SettingsKey: settingsKey, NewestEventTime: newestEvent.Truncate(time.Microsecond)}, err
}

// Computed notes that the results are there; the row of the run is written next.
func (h *Head) Computed() { h.ComputedTime = time.Now().UTC().Truncate(time.Microsecond) }

// Columns write a Head into the table of a room's runs.
func Columns[R any](head func(*R) *Head) []warehouse.Column[R] {
	return []warehouse.Column[R]{
		warehouse.Col("run_id", func(r *R) uuid.UUID { return head(r).ID }),
		warehouse.Col("settings_key", func(r *R) string { return head(r).SettingsKey }),
		warehouse.Col("customers", func(r *R) uint64 { return head(r).Customers }),
		warehouse.Col("computed_time", func(r *R) time.Time { return head(r).ComputedTime }),
		warehouse.Col("newest_event_time", func(r *R) time.Time { return warehouse.OrEpoch(head(r).NewestEventTime) }),
		warehouse.Col("insights_published", func(r *R) uint8 { return warehouse.Flag(head(r).InsightsPublished) }),
	}
}

// Key names complete settings without their as_of.
func Key(settings proto.Message) (string, error) {
	data, err := proto.MarshalOptions{Deterministic: true}.Marshal(settings)
	if err != nil {
		return "", fmt.Errorf("encode settings: %w", err)
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), nil
}

// JSON is a definition as it is kept with a run, always alike: protojson by itself varies its spaces.
func JSON(settings proto.Message) (string, error) {
	raw, err := protojson.Marshal(settings)
	if err != nil {
		return "", fmt.Errorf("encode settings: %w", err)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, raw); err != nil {
		return "", fmt.Errorf("encode settings: %w", err)
	}
	return compact.String(), nil
}

// FromJSON reads a definition that is kept with a run; what an older version kept and this one does not know is left out.
// Runs from before definitions have none, and none is what they get.
func FromJSON(text string, settings proto.Message) error {
	if text == "" {
		return nil
	}
	return protojson.UnmarshalOptions{DiscardUnknown: true}.Unmarshal([]byte(text), settings)
}

// CheckDay refuses days that the warehouse can't hold.
func CheckDay(asOf time.Time) error {
	if asOf.Before(warehouse.DayMin) || asOf.After(warehouse.DayMax) {
		return apperr.InvalidField("as_of", "must be from 1970-01-01 to 2149-06-06")
	}
	return nil
}

// Public is warehouse.Public that knows ErrNone.
func Public(err error) error {
	if errors.Is(err, ErrNone) {
		return apperr.NotFound("there is no such run")
	}
	return warehouse.Public(err)
}

// Steps of every run, as operations tell them.
const (
	// StepWait is the wait for an earlier run of the kind.
	StepWait = "wait for an earlier run"
	// StepCompute computes and stores.
	StepCompute = "compute"
	// StepPublish sends results home.
	StepPublish = "publish"
)

// Turn lets one run of a room compute at a time: each uses the whole of ClickHouse.
type Turn chan struct{}

// NewTurn returns one that is free.
func NewTurn() Turn { return make(Turn, 1) }

// Take waits for the turn; done gives it back.
func (t Turn) Take(ctx context.Context) (done func(), err error) {
	operation.Step(ctx, StepWait)
	select {
	case t <- struct{}{}:
		operation.Step(ctx, StepCompute)
		return func() { <-t }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
