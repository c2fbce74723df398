package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"time"

	"tandem.bank/deploy/e2e/bench/benchkit"
	"tandem.bank/pkg/logit"
)

const (
	// trainedColumns is how many numbers a row of the training has.
	trainedColumns = 50
	// trainedConstant makes about one row in ten an event.
	trainedConstant = -2.6
	// trainedNear is how far a parameter may lie from the one that the rows were made by, in standard errors: it is never so far by chance.
	trainedNear = 6
)

// measureTraining trains a logistic model on rows made by known parameters, and wants those back.
func (b *bench) measureTraining(ctx context.Context, rows int) error {
	truth := trainedParameters()
	table, err := trainingTable(ctx, truth, rows)
	if err != nil {
		return err
	}
	var before, behind runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	began := time.Now()
	fit, err := logit.Train(table, logit.Options{})
	if err != nil {
		return err
	}
	took := time.Since(began)
	runtime.ReadMemStats(&behind)
	for i, p := range fit.Parameters {
		if off := math.Abs(p.Value - truth[i]); off > trainedNear*p.StandardError {
			return fmt.Errorf("parameter %s is %g and should be %g, with a standard error of %g", p.Name, p.Value, truth[i], p.StandardError)
		}
	}
	b.results.Add(benchkit.Plain(fmt.Sprintf("logistic training on %d × %d, in %d iterations, over %.0f MB of rows",
		rows, trainedColumns, fit.Iterations, float64(before.HeapAlloc)/1e6), took.Seconds(), "s"))
	b.results.Add(benchkit.Plain("allocated by that training", float64(behind.TotalAlloc-before.TotalAlloc)/1e6, "MB"))
	return nil
}

// trainedParameters are those that rows are made by, the constant first: every third column tells nothing.
func trainedParameters() []float64 {
	out := []float64{trainedConstant}
	for column := range trainedColumns {
		out = append(out, []float64{0, 0.1, -0.2}[column%3]*float64(1+column%5))
	}
	return out
}

// trainingTable makes rows by a seeded generator, so that they are the same each time: numbers between -1 and 1.
func trainingTable(ctx context.Context, truth []float64, rows int) (*logit.Table, error) {
	names := make([]string, trainedColumns)
	for i := range names {
		names[i] = fmt.Sprintf("fact_%d", i+1)
	}
	table, err := logit.NewTable(names)
	if err != nil {
		return nil, err
	}
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same rows each time
	row := make([]float64, trainedColumns)
	for range rows {
		odds := truth[0]
		for i := range row {
			row[i] = 2*random.Float64() - 1
			odds += truth[i+1] * row[i]
		}
		if err := table.Append(row, random.Float64() < 1/(1+math.Exp(-odds))); err != nil {
			return nil, err
		}
	}
	return table, ctx.Err()
}
