package operation

import (
	"context"

	"github.com/ClickHouse/clickhouse-go/v2"
)

type stepKey struct{}

// WithSteps has the steps of the work under the returned context told.
func WithSteps(ctx context.Context, told func(step string)) context.Context {
	return context.WithValue(ctx, stepKey{}, told)
}

// Step says what the work does from now on, for example "backtest"; it is nothing to work that is no operation.
func Step(ctx context.Context, name string) {
	if told, ok := ctx.Value(stepKey{}).(func(string)); ok {
		told(name)
	}
}

// WithRows has the rows told that statements under the returned context have read and will read, as ClickHouse estimates.
func WithRows(ctx context.Context, told func(read, total uint64)) context.Context {
	return clickhouse.Context(ctx, clickhouse.WithProgress(func(p *clickhouse.Progress) { told(p.Rows, p.TotalRows) }))
}
