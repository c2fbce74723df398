package migrations

import (
	"context"
	"fmt"
	"slices"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// rootWorkload is the one below which all others are; a server can have one such root.
const rootWorkload = "all"

// workloads share the processors between the services and the analysts, whose profile in deploy/clickhouse/users.d names the
// workload bi. Each query has one thread; further ones are given to the services and their merges (workload default) first, and
// all queries of analysts together get no more of them than half of the processors. So however wide their questions are,
// ingestion finds a processor; how many questions they may ask at once is limited by the profile.
//
// The first thread is not counted: a query that waits for another, as one does whose dictionary is being loaded or who asks the
// other servers of a cluster, would hold what the other waits for.
//
// They belong to the server and not to a database, and there is no place for them in its configuration files that the local
// engine reads, too.
//
// OR REPLACE, because a server that was killed may keep an entity in its files and yet not know it.
var workloads = []struct{ name, statement string }{
	{rootWorkload, "CREATE OR REPLACE WORKLOAD " + rootWorkload},
	{"default", "CREATE OR REPLACE WORKLOAD default IN " + rootWorkload + " SETTINGS priority = 0"},
	{"bi", "CREATE OR REPLACE WORKLOAD bi IN " + rootWorkload + " SETTINGS priority = 1, max_concurrent_threads_ratio_to_cores = 0.5"},
}

// shareProcessors makes the workloads, unless the server's operator has divided it in another way.
func shareProcessors(ctx context.Context, options clickhouse.Options) error {
	options.Auth.Database = ""
	conn, err := clickhouse.Open(&options)
	if err != nil {
		return fmt.Errorf("connect to clickhouse: %w", err)
	}
	defer func() { _ = conn.Close() }()
	var known, roots []string
	const list = "SELECT groupArray(name), groupArrayIf(name, parent = '') FROM system.workloads"
	if err := conn.QueryRow(ctx, list).Scan(&known, &roots); err != nil {
		return fmt.Errorf("look for workloads: %w", err)
	}
	if len(roots) > 0 && roots[0] != rootWorkload {
		return nil
	}
	var resources uint64
	if err := conn.QueryRow(ctx, "SELECT count() FROM system.resources WHERE name = 'cpu'").Scan(&resources); err != nil {
		return fmt.Errorf("look for resources: %w", err)
	}
	if resources == 0 {
		if err := conn.Exec(ctx, "CREATE OR REPLACE RESOURCE cpu (WORKER THREAD)"); err != nil {
			return fmt.Errorf("share the processors: %w", err)
		}
	}
	for _, workload := range workloads {
		if slices.Contains(known, workload.name) {
			continue
		}
		if err := conn.Exec(ctx, workload.statement); err != nil {
			return fmt.Errorf("share the processors: %w", err)
		}
	}
	return nil
}
