package migrations

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"tandem.bank/pkg/clickhousex"
)

// migrateCluster applies the migrations on each server of the cluster, one after the other, so that a server that is
// new or was away is brought up to date by the same command.
//
// The tables of a migration are made in the database of parts; after each migration the database itself gets a
// Distributed table of the same name over the parts. So the same files serve one server and many, and the services ask
// the same questions. Views and dictionaries are made with the name of a database, over the Distributed tables, and are the
// same on every server.
func migrateCluster(ctx context.Context, address *clickhousex.Address, names databases) error {
	// The database may not exist yet.
	options := address.Options
	options.Auth.Database = ""
	conn, err := clickhouse.Open(&options)
	if err != nil {
		return fmt.Errorf("connect to clickhouse: %w", err)
	}
	defer func() { _ = conn.Close() }()
	nodes, err := clickhousex.Nodes(ctx, conn, address.Cluster)
	if err != nil {
		return err
	}
	folder := fs.FS(files)
	if clickhousex.Replicated(nodes) {
		folder = replicated{files}
	}
	for _, node := range nodes {
		if err := migrateNode(ctx, address, node, names, filled{FS: folder, databases: names}); err != nil {
			return fmt.Errorf("server %s: %w", node.Addr, err)
		}
	}
	return nil
}

// migrateNode brings one server up to date.
func migrateNode(ctx context.Context, address *clickhousex.Address, node clickhousex.Node, names databases, folder filled) error {
	parts := clickhousex.PartDatabase(names.warehouse)
	options := address.On(node, parts)
	if err := createDatabases(ctx, *options, parts, names.warehouse, names.bi); err != nil {
		return err
	}
	if err := shareProcessors(ctx, *options); err != nil {
		return err
	}
	conn, err := clickhouse.Open(options)
	if err != nil {
		return fmt.Errorf("connect to clickhouse: %w", err)
	}
	defer func() { _ = conn.Close() }()
	return apply(ctx, *options, folder, func(ctx context.Context) error {
		return spread(ctx, conn, address.Cluster, names.warehouse)
	})
}

// unspread lists the tables of parts whose Distributed table is missing or has other columns, with the expression that
// tells on which shard a row lies. All versions of a row must meet on one shard, so the expression is made of the sort
// key: the customer number where the key has it, so that what belongs to a customer lies together, and otherwise what the
// key begins with. Rows without a sort key have no versions. States of aggregates are written by views on the shard of what
// they sum up: they lie anywhere, and ClickHouse must not take their groups for those of one shard.
const unspread = `
SELECT
    part.name,
    multiIf(
        has(sorted, 'customer_id') OR (part.sorting_key = '' AND hasColumn), 'customer_id',
        part.sorting_key = '' OR part.engine LIKE '%AggregatingMergeTree', 'rand()',
        sorted[1]) AS placed_by
FROM
(
    SELECT name, engine, sorting_key, splitByString(', ', sorting_key) AS sorted
    FROM system.tables
    WHERE database = {parts:String} AND engine LIKE '%MergeTree'
) AS part
INNER JOIN
(
    SELECT
        table,
        countIf(name = 'customer_id') > 0 AS hasColumn,
        groupArray((name, type, default_kind, default_expression)) AS columns
    FROM (SELECT * FROM system.columns WHERE database = {parts:String} ORDER BY table, position)
    GROUP BY table
) AS wanted ON wanted.table = part.name
LEFT JOIN
(
    SELECT table, groupArray((name, type, default_kind, default_expression)) AS columns
    FROM (SELECT * FROM system.columns WHERE database = {database:String} ORDER BY table, position)
    GROUP BY table
) AS present ON present.table = part.name
WHERE wanted.columns != present.columns
ORDER BY part.name`

// spread gives the database a Distributed table over each table of parts.
func spread(ctx context.Context, conn driver.Conn, cluster, database string) error {
	var tables []struct {
		Name     string `ch:"name"`
		PlacedBy string `ch:"placed_by"`
	}
	parts := clickhousex.PartDatabase(database)
	err := conn.Select(ctx, &tables, unspread, clickhouse.Named("parts", parts), clickhouse.Named("database", database))
	if err != nil {
		return fmt.Errorf("look for tables to distribute: %w", err)
	}
	for _, table := range tables {
		statement := fmt.Sprintf("CREATE OR REPLACE TABLE %s.%s AS %s.%s ENGINE = Distributed(%s, %s, %s, cityHash64(%s))",
			quote(database), quote(table.Name), quote(parts), quote(table.Name),
			quote(cluster), quote(parts), quote(table.Name), table.PlacedBy)
		if err := conn.Exec(ctx, statement); err != nil {
			return fmt.Errorf("distribute table %s: %w", table.Name, err)
		}
	}
	return nil
}

// mergeTree is an engine of a table in a migration.
var mergeTree = regexp.MustCompile(`(?m)^(\s*ENGINE = )((?:Replacing|Aggregating|Summing|Collapsing)?MergeTree)`)

// replicated is a folder of migrations whose engines keep their rows on every replica of a shard. Where in Keeper, and
// under which name, the configuration of each server says: default_replica_path and default_replica_name.
type replicated struct{ fs.FS }

// Open gives the file with its engines changed.
func (r replicated) Open(name string) (fs.File, error) {
	opened, err := r.FS.Open(name)
	if err != nil || !strings.HasSuffix(name, ".sql") {
		return opened, err
	}
	text, err := io.ReadAll(opened)
	if err != nil {
		return nil, errors.Join(err, opened.Close())
	}
	return &changedFile{File: opened, text: bytes.NewReader(mergeTree.ReplaceAll(text, []byte("${1}Replicated${2}")))}, nil
}

// changedFile is a file with another text.
type changedFile struct {
	fs.File

	text *bytes.Reader
}

// Read reads the other text.
func (f *changedFile) Read(into []byte) (int, error) { return f.text.Read(into) }
