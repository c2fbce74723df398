package customerfact

import (
	"context"
	"time"
)

// SetRange lets a full refresh go by fewer customers at a time.
func (s *Service) SetRange(customers int) { s.rangeCustomers = customers }

// Once does what there is to do, and returns when it is done.
func (k *Keeper) Once(ctx context.Context) error {
	recovered := true
	return k.once(ctx, &recovered)
}

// Restarted does so as a process does that has just begun.
func (k *Keeper) Restarted(ctx context.Context) error {
	recovered := false
	return k.once(ctx, &recovered)
}

// Computed is a Source that reads nothing that is kept.
func (s *Service) Computed(ctx context.Context, names []string, day time.Time) (Source, error) {
	catalogue, err := s.Catalogue(ctx)
	if err != nil {
		return Source{}, err
	}
	facts, err := catalogue.resolve(names)
	if err != nil {
		return Source{}, err
	}
	m, err := s.moment(ctx, day)
	if err != nil {
		return Source{}, err
	}
	b := builder{catalogue: catalogue, moment: m, parameters: s.parameters(m.day)}
	return Source{SQL: b.table(facts), Parameters: b.parameters.bound(), Day: m.day}, nil
}
