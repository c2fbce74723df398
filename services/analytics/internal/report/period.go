package report

import (
	"time"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/date"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
)

// cutsMax bounds the cuts of a period: more days than a century has are a mistake.
const cutsMax = 40_000

// grainNames are the grains by their names in the catalogue.
var grainNames = map[string]definitionv1.TimeGrain{
	"year": definitionv1.TimeGrain_TIME_GRAIN_YEAR, "quarter": definitionv1.TimeGrain_TIME_GRAIN_QUARTER,
	"month": definitionv1.TimeGrain_TIME_GRAIN_MONTH, "week": definitionv1.TimeGrain_TIME_GRAIN_WEEK,
	"day": definitionv1.TimeGrain_TIME_GRAIN_DAY,
}

func grainName(g definitionv1.TimeGrain) string {
	for name, grain := range grainNames {
		if grain == g {
			return name
		}
	}
	return ""
}

// span is a range of days, both included; a zero from means everything until to.
type span struct{ from, to time.Time }

// start is the first day of the cut that a day lies in.
func start(g definitionv1.TimeGrain, t time.Time) time.Time {
	switch g {
	case definitionv1.TimeGrain_TIME_GRAIN_YEAR:
		return time.Date(t.Year(), 1, 1, 0, 0, 0, 0, time.UTC)
	case definitionv1.TimeGrain_TIME_GRAIN_QUARTER:
		return time.Date(t.Year(), (t.Month()-1)/3*3+1, 1, 0, 0, 0, 0, time.UTC)
	case definitionv1.TimeGrain_TIME_GRAIN_MONTH:
		return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
	case definitionv1.TimeGrain_TIME_GRAIN_WEEK:
		return t.AddDate(0, 0, -(int(t.Weekday())+6)%7)
	default:
		return t
	}
}

// add moves the first day of a cut by some cuts.
func add(g definitionv1.TimeGrain, t time.Time, n int) time.Time {
	switch g {
	case definitionv1.TimeGrain_TIME_GRAIN_YEAR:
		return t.AddDate(n, 0, 0)
	case definitionv1.TimeGrain_TIME_GRAIN_QUARTER:
		return t.AddDate(0, 3*n, 0)
	case definitionv1.TimeGrain_TIME_GRAIN_MONTH:
		return t.AddDate(0, n, 0)
	case definitionv1.TimeGrain_TIME_GRAIN_WEEK:
		return t.AddDate(0, 0, 7*n)
	default:
		return t.AddDate(0, 0, n)
	}
}

// end is the last day of the cut that begins with a day.
func end(g definitionv1.TimeGrain, first time.Time) time.Time {
	return add(g, first, 1).AddDate(0, 0, -1)
}

// yearBefore is the same day a year before; 28 February for 29 February.
func yearBefore(t time.Time) time.Time {
	before := t.AddDate(-1, 0, 0)
	if before.Day() != t.Day() {
		return before.AddDate(0, 0, -before.Day())
	}
	return before
}

// resolvePeriod turns a period into days.
func resolvePeriod(p *definitionv1.ReportPeriod, asOf time.Time) (span, error) {
	switch {
	case p.GetDays() != nil:
		return resolveDays(p.GetDays(), asOf)
	case p.GetLast() != nil:
		last := p.GetLast()
		first, to := start(last.GetUnit(), asOf), asOf
		if end(last.GetUnit(), first).Equal(asOf) || !last.GetComplete() {
			return span{add(last.GetUnit(), first, 1-int(last.GetCount())), to}, nil
		}
		return span{add(last.GetUnit(), first, -int(last.GetCount())), first.AddDate(0, 0, -1)}, nil
	case p.GetToDate() != 0:
		return span{start(p.GetToDate(), asOf), asOf}, nil
	default:
		return span{to: asOf}, nil
	}
}

func resolveDays(r *definitionv1.DayRange, asOf time.Time) (span, error) {
	from, err := date.Field("query.period.days.from", r.GetFrom())
	if err != nil {
		return span{}, err
	}
	to, err := date.Time(r.GetTo())
	switch {
	case err != nil:
		return span{}, apperr.InvalidField("query.period.days.to", "%v", err)
	case to.IsZero():
		to = asOf
	case to.After(asOf):
		return span{}, apperr.InvalidField("query.period.days.to", "must not be later than as_of, %s", date.Text(asOf))
	}
	if from.After(to) {
		return span{}, apperr.InvalidField("query.period.days.from", "must not be later than the period's last day, %s", date.Text(to))
	}
	return span{from, to}, nil
}

// cut is a part of a period: its name is its first day by the calendar, even when the period begins later.
type cut struct {
	name time.Time
	span
}

// cuts are the parts of a period that has a beginning.
func cuts(g definitionv1.TimeGrain, s span) ([]cut, error) {
	var out []cut
	for first := start(g, s.from); !first.After(s.to); first = add(g, first, 1) {
		if len(out) == cutsMax {
			return nil, apperr.InvalidField("query.grain", "the period has more than %d cuts; take a coarser grain", cutsMax)
		}
		c := cut{first, span{first, end(g, first)}}
		if c.from.Before(s.from) {
			c.from = s.from
		}
		if c.to.After(s.to) {
			c.to = s.to
		}
		out = append(out, c)
	}
	return out, nil
}

// earlierSpan is the period that one without cuts is compared with.
func earlierSpan(how definitionv1.Comparison, s span) span {
	if how == definitionv1.Comparison_COMPARISON_PREVIOUS_YEAR {
		return span{yearBefore(s.from), yearBefore(s.to)}
	}
	for _, g := range []definitionv1.TimeGrain{
		definitionv1.TimeGrain_TIME_GRAIN_YEAR, definitionv1.TimeGrain_TIME_GRAIN_QUARTER,
		definitionv1.TimeGrain_TIME_GRAIN_MONTH, definitionv1.TimeGrain_TIME_GRAIN_WEEK,
	} {
		last := start(g, s.to)
		if !start(g, s.from).Equal(s.from) || !end(g, last).Equal(s.to) {
			continue
		}
		whole := 0
		for first := s.from; !first.After(s.to); first = add(g, first, 1) {
			whole++
		}
		return span{add(g, s.from, -whole), s.from.AddDate(0, 0, -1)}
	}
	length := int(s.to.Sub(s.from).Hours()/24) + 1
	return span{s.from.AddDate(0, 0, -length), s.from.AddDate(0, 0, -1)}
}

// earlierCut is the cut that one is compared with. Weeks of a year before are those 52 weeks before, for only so do they
// begin on a Monday.
func earlierCut(how definitionv1.Comparison, g definitionv1.TimeGrain, c cut) cut {
	switch {
	case how == definitionv1.Comparison_COMPARISON_PREVIOUS_PERIOD:
		first := add(g, c.name, -1)
		return cut{first, span{first, end(g, first)}}
	case g == definitionv1.TimeGrain_TIME_GRAIN_WEEK:
		return cut{c.name.AddDate(0, 0, -364), span{c.from.AddDate(0, 0, -364), c.to.AddDate(0, 0, -364)}}
	default:
		return cut{start(g, yearBefore(c.name)), span{yearBefore(c.from), yearBefore(c.to)}}
	}
}
