package score

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"tandem.bank/pkg/apperr"
	"tandem.bank/services/analytics/internal/customerfact"
	"tandem.bank/services/analytics/internal/population"
	"tandem.bank/services/analytics/internal/segment"
	"tandem.bank/services/analytics/internal/snapshot"
)

// Service computes scores and reads them.
type Service struct {
	store        store
	facts        *customerfact.Service
	segments     *segment.Service
	newestChange func() time.Time
	log          *slog.Logger
	// turn lets one run or training compute at a time: each uses the whole of ClickHouse, and trainings much memory.
	turn snapshot.Turn
}

// New builds the service.
func New(c population.Config) (*Service, error) {
	if err := c.Validate("score"); err != nil {
		return nil, err
	}
	return &Service{
		store: store{c.Warehouse}, facts: c.Facts, segments: c.Segments, newestChange: c.NewestChange,
		log: c.Logger.With("component", "score"), turn: snapshot.NewTurn(),
	}, nil
}

// reading begins to collect what is asked about customers on a day.
func (s *Service) reading(ctx context.Context, asOf time.Time) (*reading, error) {
	asked, err := s.segments.Reading(ctx, asOf)
	return newReading(asked), err
}

// checking begins to collect what a definition would ask, to find what is wrong in it.
func (s *Service) checking(ctx context.Context) (*reading, error) {
	asked, err := s.segments.Checking(ctx)
	return newReading(asked), err
}

// public turns what an operator must mend into UNAVAILABLE, what is not there into NOT_FOUND, and leaves the rest.
func public(err error) error {
	if errors.Is(err, errNoModel) {
		return apperr.NotFound("the registry has no such model")
	}
	return snapshot.Public(err)
}
