package interaction

import (
	"context"
	"time"

	"tandem.bank/pkg/apperr"
	"tandem.bank/services/crm/internal/record"
	"tandem.bank/services/crm/internal/servicelevel"
)

// resolved asks the bank's service levels for the class and the due times of cases. Other interactions cost no question.
func resolved(ctx context.Context, q record.Querier, rows []*record.Record[Row], location *time.Location) ([]error, error) {
	errs := make([]error, len(rows))
	var asking bool
	var classes []string
	for _, r := range rows {
		if r.Row.asksServiceLevel() {
			asking = true
			classes = append(classes, r.Row.Class)
		}
	}
	if !asking {
		return errs, nil
	}
	levels, err := servicelevel.ForClasses(ctx, q, classes)
	if err != nil {
		return nil, err
	}
	for i, r := range rows {
		if r.Row.asksServiceLevel() {
			errs[i] = r.Row.promise(levels, location)
		}
	}
	return errs, nil
}

// asksServiceLevel says whether a service level has a say: on the class, or on due times that were not given.
func (r *Row) asksServiceLevel() bool {
	return r.isCase() && (r.Class != "" || r.DueAt == nil || r.FirstAnswerDueAt == nil || r.ServiceLevelID != nil)
}

// promise fills in the due times that were not given, and renews those that a service level gave before: class and
// priority may have changed.
func (r *Row) promise(levels servicelevel.Levels, location *time.Location) error {
	if r.Class != "" && !levels.Name(r.Class) {
		return apperr.InvalidField("class", "%q is not a class of the bank's service levels", r.Class)
	}
	if r.ServiceLevelID != nil {
		r.ServiceLevelID, r.DueAt, r.FirstAnswerDueAt = nil, nil, nil
	}
	asked := servicelevel.Case{Class: r.Class, Kind: r.Kind, Priority: r.Priority}
	if asked.Priority == "" {
		asked.Priority = priorityNormal
	}
	level := levels.For(asked)
	if level == nil {
		return nil
	}
	if r.DueAt == nil && r.FirstAnswerDueAt == nil {
		r.ServiceLevelID = &level.ID
	}
	if r.FirstAnswerDueAt == nil {
		r.FirstAnswerDueAt = level.Row.FirstAnswerDue(*r.OpenedAt, location)
	}
	if r.DueAt == nil {
		r.DueAt = level.Row.ResolutionDue(*r.OpenedAt, location)
	}
	return nil
}
