package profile

import (
	"context"
	_ "embed" // the SQL files
	"fmt"
	"strings"
	"time"

	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	"tandem.bank/services/analytics/internal/customerfact"
	"tandem.bank/services/analytics/internal/division"
	"tandem.bank/services/analytics/internal/population"
	"tandem.bank/services/analytics/internal/warehouse"
)

var (
	//go:embed sql/placed.sql
	placedSQL string
	//go:embed sql/combinations.sql
	combinationsSQL string
	//go:embed sql/moves.sql
	movesSQL string
	//go:embed sql/one.sql
	oneSQL string
)

// branchFact is the branch that looks after a customer: who is limited to branches sees theirs only.
const branchFact = "branch_id"

// insertSQL stores the places of a run; what stands after it places customers.
const insertSQL = `INSERT INTO profile_place (run_id, as_of, customer_id, branch_id, values, points, attractiveness, interaction, risk,
    attractiveness_level, interaction_level, risk_level, cell)
SELECT {run_id:UUID}, {as_of:Date}, customer_id, branch_id, values, points, attractiveness, interaction, risk,
    attractiveness_level, interaction_level, risk_level, cell
FROM (`

// placed is the statement that places the customers of a scheme on a day.
func (s *Service) placed(ctx context.Context, d *definitionv1.ProfileSchemeDefinition, day time.Time) (warehouse.Query, error) {
	catalogue, err := s.facts.Catalogue(ctx)
	if err != nil {
		return warehouse.Query{}, err
	}
	var values, points []string
	var args []any
	names := []string{branchFact}
	for i, a := range axes(d) {
		weights, sum, thresholds := make([]float64, len(a.GetMeasures())), 0.0, make([]float64, len(a.GetLevels()))
		for j, m := range a.GetMeasures() {
			f, _ := catalogue.Fact(m.GetFact()) // compiled before
			of := pointsOf(f, m, len(points))
			values, points, args = append(values, valueText(f)), append(points, of.SQL), append(args, of.Args...)
			names = append(names, m.GetFact())
			weights[j] = m.GetWeight()
			sum += m.GetWeight()
		}
		for j, l := range a.GetLevels() {
			thresholds[j] = l.GetFrom()
		}
		args = append(args, numbered("count", i+1, len(weights)), numbered("weights", i+1, weights), numbered("sum", i+1, sum),
			numbered("thresholds", i+1, thresholds))
	}
	var codes []uint16
	var cells []string
	for _, c := range combinations(d) {
		codes, cells = append(codes, c.code), append(cells, c.cell)
	}
	of, err := population.Of(ctx, s.segments, names, d.GetFilter(), day)
	if err != nil {
		return warehouse.Query{}, err
	}
	return warehouse.Query{
		SQL: strings.NewReplacer("/*values*/", strings.Join(values, ", "), "/*points*/", strings.Join(points, ", "),
			"/*population*/", of.From).Replace(placedSQL),
		Args: append(append(args, of.Args...), warehouse.Named("codes", codes), warehouse.Named("cells", cells)),
	}, nil
}

func numbered(name string, number int, value any) any {
	return warehouse.Named(fmt.Sprintf("%s_%d", name, number), value)
}

// valueText is a fact for people; empty when it is not known.
func valueText(f *customerfact.Fact) string {
	if f.Type == customerfact.Texts {
		return "arrayStringConcat(" + f.Column() + ", ', ')"
	}
	return "ifNull(CAST(toString(" + f.Column() + "), 'Nullable(String)'), '')"
}

// pointsOf is the expression that turns a fact into points; the number tells its parameters apart.
func pointsOf(f *customerfact.Fact, m *definitionv1.ProfileMeasure, number int) warehouse.Query {
	unknown := fmt.Sprintf("{unknown_of_%d:Float64}", number)
	points := fmt.Sprintf("{points_of_%d:Array(Float64)}", number)
	args := []any{warehouse.Named(fmt.Sprintf("unknown_of_%d", number), m.GetUnknownPoints())}
	given := warehouse.Named(fmt.Sprintf("points_of_%d", number), nil)
	if numeric(f) {
		var froms, of []float64
		for _, b := range m.GetBands() {
			froms, of = append(froms, b.GetFrom()), append(of, b.GetPoints())
		}
		given.Value = of
		x := population.Number(f)
		return warehouse.Query{
			SQL: fmt.Sprintf("if(isNull(%s), %s, %s[greatest(1, arrayCount(e -> e <= assumeNotNull(%s), {froms_of_%d:Array(Float64)}))])",
				x, unknown, points, x, number),
			Args: append(args, given, warehouse.Named(fmt.Sprintf("froms_of_%d", number), froms)),
		}
	}
	var words []string
	var of []float64
	for _, w := range m.GetWords() {
		words, of = append(words, w.GetWord()), append(of, w.GetPoints())
	}
	given.Value = of
	args = append(args, given, warehouse.Named(fmt.Sprintf("words_of_%d", number), words),
		warehouse.Named(fmt.Sprintf("other_of_%d", number), m.GetOtherPoints()))
	word := func(x string) string {
		return fmt.Sprintf("transform(toString(%s), {words_of_%d:Array(String)}, %s, {other_of_%d:Float64})", x, number, points, number)
	}
	if f.Type == customerfact.Texts {
		return warehouse.Query{SQL: fmt.Sprintf("if(empty(%s), %s, arrayMax(x -> %s, %s))", f.Column(), unknown, word("x"), f.Column()), Args: args}
	}
	return warehouse.Query{SQL: fmt.Sprintf("if(%s = '', %s, %s)", f.Column(), unknown, word(f.Column())), Args: args}
}

// movesQuery counts who went from where in a run to where in a query that gives customer_id and cell.
func movesQuery(from division.Run, now warehouse.Query) warehouse.Query {
	return warehouse.Query{SQL: strings.Replace(movesSQL, "/*now*/", now.SQL, 1), Args: append(now.Args,
		warehouse.Named("from_run_id", from.ID.String()), warehouse.Named("from_as_of", warehouse.Day(from.AsOf)))}
}

// ofRun is a query about the places of a run.
func ofRun(sql string, run division.Run, args ...any) warehouse.Query {
	return warehouse.Query{SQL: sql, Args: append(args, warehouse.Named("run_id", run.ID.String()), warehouse.Named("as_of", warehouse.Day(run.AsOf)))}
}

// placesOfRun are those that a run stored.
func placesOfRun(run division.Run) warehouse.Query {
	return ofRun("SELECT customer_id, cell FROM profile_place WHERE run_id = {run_id:UUID} AND as_of = {as_of:Date}", run)
}
