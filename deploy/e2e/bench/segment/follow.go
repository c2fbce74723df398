package main

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/deploy/e2e/bench/benchkit"
	"tandem.bank/pkg/natsx"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
)

const (
	rounds = 7
	// changedCustomers is how many customers change at once.
	changedCustomers = 1000
	// newRegion is where they move to; a segment is made of it.
	newRegion = 900
	// lookAgain is the pause between looks at a figure that is waited for.
	lookAgain = 100 * time.Millisecond
)

// fiveClauses is an expression over kept facts, and handWritten the same count as SQL over their table.
const (
	fiveClauses = `state = active AND between(age, 30, 60) AND monthly_income > 40000 AND in(region_id, 1, 2, 3, 5, 8, 13, 21, 34) ` +
		`AND NOT occupation = "clerk"`
	handWritten = `SELECT toInt64(count()) FROM customer_fact FINAL WHERE state = 'active' AND age BETWEEN 30 AND 60 AND monthly_income > 40000
AND region_id IN (1, 2, 3, 5, 8, 13, 21, 34) AND occupation != 'clerk'`
)

// tellFacts has the facts of all customers told: they were written past ingestion.
func (b *bench) tellFacts(ctx context.Context) error {
	began := time.Now()
	_, err := b.facts.RefreshFacts(ctx, &analyticsv1.RefreshFactsRequest{})
	b.results.Add(benchkit.Plain("facts of all customers told anew", time.Since(began).Seconds(), "s"))
	return err
}

func (b *bench) await(ctx context.Context, there func() (bool, error)) error {
	for {
		if ok, err := there(); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(lookAgain):
		}
	}
}

// measurePreview takes turns with the count by hand, and compares the best of each.
func (b *bench) measurePreview(ctx context.Context) error {
	bare, preview := time.Hour, time.Hour
	var want int64
	for range rounds {
		began := time.Now()
		if err := b.Warehouse.QueryRow(ctx, handWritten).Scan(&want); err != nil {
			return err
		}
		bare = min(bare, time.Since(began))
		began = time.Now()
		answer, err := b.segments.PreviewSegment(ctx, &analyticsv1.PreviewSegmentRequest{Expression: fiveClauses})
		if err != nil {
			return err
		}
		preview = min(preview, time.Since(began))
		if answer.GetCustomers() != want {
			return fmt.Errorf("the preview finds %d customers, by hand there are %d", answer.GetCustomers(), want)
		}
	}
	b.results.Add(benchkit.RatioAtMost("preview of five clauses, against the same count by hand",
		1000*preview.Seconds(), 1000*bare.Seconds(), "ms", 1.5))
	return nil
}

// measureFull defines the segments and waits until all are evaluated for everybody.
func (b *bench) measureFull(ctx context.Context) error {
	before, err := b.evaluations(ctx, "definition")
	if err != nil {
		return err
	}
	if err := b.Warehouse.Exec(ctx, defineSQL); err != nil {
		return err
	}
	after := before
	if err := b.await(ctx, func() (bool, error) {
		after, err = b.evaluations(ctx, "definition")
		return after.count > before.count, err
	}); err != nil {
		return err
	}
	b.results.Add(benchkit.Plain("full evaluation of 100 new segments, events stored", after.seconds-before.seconds, "s"))
	return b.settle(ctx)
}

// settle waits until the joins of the full evaluation, millions, were sent home, and takes them out of the stream: crm has none of these
// customers, and what follows shall not be measured beside its looking for them.
func (b *bench) settle(ctx context.Context) error {
	began := time.Now()
	err := b.await(ctx, func() (bool, error) {
		var left uint64
		err := b.Warehouse.QueryRow(ctx, "SELECT count() FROM segment_evaluation FINAL WHERE insights_published = 0").Scan(&left)
		return left == 0, err
	})
	if err != nil {
		return err
	}
	b.results.Add(benchkit.Plain("its joins sent home", time.Since(began).Seconds(), "s"))
	js, err := jetstream.New(b.nats)
	if err != nil {
		return err
	}
	stream, err := js.Stream(ctx, natsx.StreamInsight)
	if err != nil {
		return err
	}
	return stream.Purge(ctx)
}

// measureChanges changes customers by events, and waits until their segments were looked at.
func (b *bench) measureChanges(ctx context.Context) error {
	changes, err := b.changes(ctx)
	if err != nil {
		return err
	}
	before, err := b.evaluations(ctx, "change")
	if err != nil {
		return err
	}
	var events uint64
	count := func() error {
		return b.Warehouse.QueryRow(ctx, "SELECT uniqExact(customer_id) FROM segment_event WHERE cause = 'change'").Scan(&events)
	}
	js, err := jetstream.New(b.nats)
	if err != nil {
		return err
	}
	began := time.Now()
	for _, change := range changes {
		data, err := proto.Marshal(change)
		if err != nil {
			return err
		}
		if _, err := js.PublishAsync(natsx.ChangeSubject(change.GetEntity(), false), data); err != nil {
			return err
		}
	}
	// Each of them joins a segment, at least.
	if err := b.await(ctx, func() (bool, error) { return events == uint64(len(changes)), count() }); err != nil {
		return err
	}
	took := time.Since(began)
	// An evaluation is counted when it has ended, a little after its events.
	after := before
	if err := b.await(ctx, func() (bool, error) {
		after, err = b.evaluations(ctx, "change")
		return after.count > before.count, err
	}); err != nil {
		return err
	}
	b.results.Add(benchkit.AtMost(fmt.Sprintf("100 followed segments for %d changed customers, in %d evaluations",
		len(changes), after.count-before.count), after.seconds-before.seconds, "s", 1))
	b.results.Add(benchkit.AtMost("from the first event to the joins and leaves of all of them", took.Seconds(), "s", 10))
	return nil
}

// changes move customers to another region.
func (b *bench) changes(ctx context.Context) ([]*eventsv1.Change, error) {
	rows, err := b.Warehouse.Query(ctx, changeSQL, clickhouse.Named("customers", changedCustomers))
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var out []*eventsv1.Change
	for rows.Next() {
		var id, branch uint64
		state := &eventsv1.CustomerState{Kind: "individual", State: "active", MonthlyIncome: &eventsv1.Amount{Currency: "CZK"}}
		var born, since *string
		if err := rows.Scan(&id, &born, &state.Sex, &state.Occupation, &state.MonthlyIncome.Value, &since, &branch); err != nil {
			return nil, err
		}
		state.BirthDate, state.CustomerSince, state.BranchId = *born, *since, int64(branch)
		state.RegionId = newRegion
		out = append(out, &eventsv1.Change{
			Entity: "customer", EntityId: int64(id), Version: 2, ChangeTime: timestamppb.Now(),
			Payload: &eventsv1.Change_Customer{Customer: state},
		})
	}
	return out, rows.Err()
}

// measureExplain explains memberships of many customers, one at a time.
func (b *bench) measureExplain(ctx context.Context) error {
	var times []time.Duration
	for i := range 5 * rounds {
		began := time.Now()
		_, err := b.segments.ExplainMembership(ctx, &analyticsv1.ExplainMembershipRequest{CustomerId: int64(1 + 97*i), Segment: "bench_9"})
		if err != nil {
			return err
		}
		times = append(times, time.Since(began))
	}
	slices.Sort(times)
	b.results.Add(benchkit.AtMost("explanation of a membership, the middle one", 1000*times[len(times)/2].Seconds(), "ms", 50))
	return nil
}

// evaluations are what the service counts.
type evaluations struct {
	count   int
	seconds float64
}

// evaluations reads the metrics of evaluations by a cause.
func (b *bench) evaluations(ctx context.Context, cause string) (out evaluations, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, b.Addresses["TANDEM_ANALYTICS_HTTP_URL"]+"/metrics", nil)
	if err != nil {
		return out, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return out, err
	}
	defer func() { _ = answer.Body.Close() }()
	for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), `{cause="`+cause+`"} `)
		number, err := strconv.ParseFloat(value, 64)
		switch {
		case err != nil:
		case name == "tandem_segment_evaluation_seconds_sum":
			out.seconds = number
		case name == "tandem_segment_evaluation_seconds_count":
			out.count = int(number)
		}
	}
	return out, nil
}
