package cluster

import (
	"context"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"

	"tandem.bank/pkg/mixture"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	"tandem.bank/services/analytics/internal/customerfact"
	"tandem.bank/services/analytics/internal/division"
	"tandem.bank/services/analytics/internal/population"
	"tandem.bank/services/analytics/internal/warehouse"
)

// batchRows is how many members one insert holds.
const batchRows = 50_000

// branchFact is the branch that looks after a customer: who is limited to branches sees theirs only.
const branchFact = "branch_id"

const (
	stageSQL = `-- The facts of a run's customers, each a number or NULL.
INSERT INTO cluster_value (run_id, customer_id, branch_id, values)
SELECT {run_id:UUID}, f.customer_id, toUInt64(f.branch_id), CAST([/*facts*/], 'Array(Nullable(Float64))')
FROM /*population*/`

	sampleSQL = `-- Some customers, the same ones each time, in an order that has nothing to do with the facts.
SELECT values FROM cluster_value WHERE run_id = {run_id:UUID} ORDER BY intHash64(customer_id), customer_id LIMIT {limit:UInt64}`

	valuesSQL = `-- All customers of a run in the order of their numbers.
SELECT customer_id, branch_id, values FROM cluster_value WHERE run_id = {run_id:UUID} ORDER BY customer_id`

	membersSQL = `-- A page by customer number: a range of the sort key.
SELECT customer_id, branch_id, cluster, probabilities, values
FROM cluster_member
WHERE run_id = {run_id:UUID} AND as_of = {as_of:Date} AND customer_id > {after:UInt64} AND ({cluster:UInt32} = 0 OR cluster = {cluster:UInt32})
    AND ({limited:UInt8} = 0 OR has({branches:Array(UInt64)}, branch_id))
ORDER BY customer_id
LIMIT {limit:UInt64}`

	memberSQL = `-- One customer of a run.
SELECT customer_id, branch_id, cluster, probabilities, values
FROM cluster_member
WHERE run_id = {run_id:UUID} AND as_of = {as_of:Date} AND customer_id = {customer_id:UInt64}`
)

// Member is a customer's place in a run.
type Member struct {
	CustomerID, BranchID uint64
	Cluster              uint32
	// Probabilities in the order of the run's clusters.
	Probabilities []float64
	// Values of the facts in the order of the definition; nil when not known.
	Values []*float64

	run  uuid.UUID
	asOf time.Time
}

var memberTable = warehouse.NewTable("cluster_member",
	warehouse.Col("run_id", func(m *Member) uuid.UUID { return m.run }),
	warehouse.Col("as_of", func(m *Member) time.Time { return m.asOf }),
	warehouse.Col("customer_id", func(m *Member) uint64 { return m.CustomerID }),
	warehouse.Col("branch_id", func(m *Member) uint64 { return m.BranchID }),
	warehouse.Col("cluster", func(m *Member) uint32 { return m.Cluster }),
	warehouse.Col("probabilities", func(m *Member) []float64 { return m.Probabilities }),
	warehouse.Col("values", func(m *Member) []*float64 { return m.Values }),
)

// store reads and writes the tables of members.
type store struct{ conn driver.Conn }

// each calls scan for each row of a query.
func (s store) each(ctx context.Context, what, sql string, args []any, scan func(driver.Rows) error) error {
	return warehouse.Each(ctx, s.conn, "cluster: "+what, warehouse.Query{SQL: sql, Args: args}, scan)
}

// stage keeps the facts of a run's customers, so that they do not move while it is computed.
func (s *Service) stage(
	ctx context.Context, spec *definitionv1.ClusteringDefinition, run division.Run, names []string,
) ([]*customerfact.Fact, error) {
	catalogue, err := s.facts.Catalogue(ctx)
	if err != nil {
		return nil, err
	}
	facts, columns := make([]*customerfact.Fact, len(names)), make([]string, len(names))
	for i, name := range names {
		facts[i], _ = catalogue.Fact(name) // compiled before
		columns[i] = population.Number(facts[i])
	}
	of, err := population.Of(ctx, s.segments, append([]string{branchFact}, names...), spec.GetFilter(), run.AsOf)
	if err != nil {
		return nil, err
	}
	sql := strings.NewReplacer("/*facts*/", strings.Join(columns, ", "), "/*population*/", of.From).Replace(stageSQL)
	return facts, warehouse.Exec(ctx, s.store.conn, "cluster: read facts", warehouse.Query{
		SQL: sql, Args: append(of.Args, warehouse.Named("run_id", run.ID.String())),
	})
}

// sample reads the customers that clusters are found with.
func (s store) sample(ctx context.Context, run uuid.UUID, limit int) ([][]*float64, error) {
	var out [][]*float64
	args := []any{warehouse.Named("run_id", run.String()), warehouse.Named("limit", limit)}
	err := s.each(ctx, "read the sample", sampleSQL, args, func(rows driver.Rows) error {
		var values []*float64
		err := rows.Scan(&values)
		out = append(out, values)
		return err
	})
	return out, err
}

// place puts every customer of a run into a cluster, counts them, and writes them batch by batch.
func (s store) place(ctx context.Context, run division.Run, result *Result, scorer *mixture.Scorer) error {
	batch, point := make([]Member, 0, batchRows), []float64(nil)
	flush := func() error {
		err := memberTable.Insert(ctx, s.conn, batch)
		batch = batch[:0]
		return err
	}
	err := s.each(ctx, "place customers", valuesSQL, []any{warehouse.Named("run_id", run.ID.String())}, func(rows driver.Rows) error {
		m := Member{run: run.ID, asOf: run.AsOf}
		if err := rows.Scan(&m.CustomerID, &m.BranchID, &m.Values); err != nil {
			return err
		}
		point = result.Model.Space.place(m.Values, point)
		group, _ := scorer.Score(point)
		m.Cluster, m.Probabilities = result.Model.Numbers[group], append([]float64(nil), scorer.Probabilities...)
		result.take(m.Values, group, m.Probabilities[group])
		if batch = append(batch, m); len(batch) < batchRows {
			return nil
		}
		return flush()
	})
	if err != nil {
		return err
	}
	return flush()
}

// unstage removes the facts of a run.
func (s store) unstage(ctx context.Context, run uuid.UUID) error {
	return warehouse.DropPartition(ctx, s.conn, "cluster_value", "'"+run.String()+"'")
}

// ofRun are the parameters that name a run.
func ofRun(run division.Run) []any {
	return []any{warehouse.Named("run_id", run.ID.String()), warehouse.Named("as_of", warehouse.Day(run.AsOf))}
}

func scanMember(rows driver.Rows) (Member, error) {
	var m Member
	err := rows.Scan(&m.CustomerID, &m.BranchID, &m.Cluster, &m.Probabilities, &m.Values)
	return m, err
}

// members returns a page of a run's customers.
func (s store) members(ctx context.Context, run division.Run, cluster uint32, after uint64, limit int, of division.Scope) ([]Member, error) {
	var out []Member
	args := append(of.Args(), ofRun(run)...)
	args = append(args, warehouse.Named("after", after), warehouse.Named("cluster", cluster), warehouse.Named("limit", limit))
	err := s.each(ctx, "read members", membersSQL, args, func(rows driver.Rows) error {
		m, err := scanMember(rows)
		out = append(out, m)
		return err
	})
	return out, err
}

// member returns one customer of a run; nil when it is not in it.
func (s store) member(ctx context.Context, run division.Run, customer uint64) (*Member, error) {
	var out *Member
	args := append(ofRun(run), warehouse.Named("customer_id", customer))
	err := s.each(ctx, "read a member", memberSQL, args, func(rows driver.Rows) error {
		m, err := scanMember(rows)
		out = &m
		return err
	})
	return out, err
}
