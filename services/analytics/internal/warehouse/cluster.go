package warehouse

import (
	"context"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"tandem.bank/pkg/clickhousex"
)

// sharded is a connection to a cluster: its tables are Distributed, and the rows lie in the databases of parts.
type sharded struct {
	driver.Conn

	address *clickhousex.Address
}

// Clustered reports whether a connection is to several servers.
func Clustered(conn driver.Conn) bool {
	_, ok := conn.(*sharded)
	return ok
}

// DropPartition removes all rows of a partition as files. The partition is a literal of SQL, because ClickHouse takes no
// parameter there: the caller makes it of a number, a date or a UUID.
func DropPartition(ctx context.Context, conn driver.Conn, table, partition string) error {
	return OnParts(ctx, conn, "ALTER TABLE "+table+" DROP PARTITION "+partition)
}

// OnParts runs a statement about a table itself and not its rows, such as ALTER, OPTIMIZE or TRUNCATE, where the rows are
// kept: Distributed tables refuse it or do nothing.
func OnParts(ctx context.Context, conn driver.Conn, statement string) error {
	if cluster, ok := conn.(*sharded); ok {
		return cluster.onParts(ctx, statement)
	}
	return conn.Exec(ctx, statement)
}

// onParts runs a statement in the parts of each shard. Replicas of a shard tell each other.
func (s *sharded) onParts(ctx context.Context, statement string) error {
	nodes, err := clickhousex.Nodes(ctx, s.Conn, s.address.Cluster)
	if err != nil {
		return err
	}
	done := map[uint32]bool{}
	for _, node := range nodes {
		if done[node.Shard] {
			continue
		}
		if err := s.onPart(ctx, node, statement); err != nil {
			return fmt.Errorf("server %s: %w", node.Addr, err)
		}
		done[node.Shard] = true
	}
	return nil
}

func (s *sharded) onPart(ctx context.Context, node clickhousex.Node, statement string) error {
	conn, err := clickhouse.Open(s.address.On(node, clickhousex.PartDatabase(s.address.Options.Auth.Database)))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	return conn.Exec(ctx, statement)
}
