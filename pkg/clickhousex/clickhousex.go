// Package clickhousex reads addresses of ClickHouse, and knows how a warehouse lies on one server or on many.
//
// An address may name a cluster of the server's configuration: clickhouse://tandem@host:9000/tandem?cluster=tandem. The
// database then holds Distributed tables, which every question and insert goes through, and each server keeps its part of
// the rows in a second database, named by PartDatabase. Without a cluster the rows lie in the database itself.
package clickhousex

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// clusterParameter names the cluster in an address. The driver would take it for a setting of the server.
const clusterParameter = "cluster"

// Address is where a warehouse is.
type Address struct {
	// Options are what the driver needs to connect.
	Options clickhouse.Options
	// Cluster is the name in remote_servers of the server's configuration; empty for a single server.
	Cluster string
}

// Parse reads an address. Its errors don't repeat the address, which may hold a password.
func Parse(address string) (*Address, error) {
	parsed, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("clickhouse url: %w", withoutAddress(err))
	}
	query := parsed.Query()
	cluster := query.Get(clusterParameter)
	query.Del(clusterParameter)
	parsed.RawQuery = query.Encode()
	options, err := clickhouse.ParseDSN(parsed.String())
	if err != nil {
		return nil, fmt.Errorf("clickhouse url: %w", err)
	}
	return &Address{Options: *options, Cluster: cluster}, nil
}

// withoutAddress is what went wrong, without the text that was parsed.
func withoutAddress(err error) error {
	if failure, ok := err.(*url.Error); ok { //nolint:errorlint // url.Parse returns it bare
		return failure.Err
	}
	return err
}

// PartDatabase is the database in which each server of a cluster keeps its part of a database's rows.
func PartDatabase(database string) string { return database + "_part" }

// Node is one server of a cluster.
type Node struct {
	// Shard and Replica count from 1: servers of one shard hold the same rows.
	Shard, Replica uint32
	// Addr is host and port of the native protocol.
	Addr string
}

// Nodes lists the servers of the cluster as the connected server knows them, by shard and replica.
func Nodes(ctx context.Context, conn driver.Conn, cluster string) ([]Node, error) {
	const list = "SELECT shard_num, replica_num, host_name, port FROM system.clusters WHERE cluster = ? ORDER BY ALL"
	rows, err := conn.Query(ctx, list, cluster)
	if err != nil {
		return nil, fmt.Errorf("list the servers of cluster %s: %w", cluster, err)
	}
	defer func() { _ = rows.Close() }()
	var nodes []Node
	for rows.Next() {
		var (
			node Node
			host string
			port uint16
		)
		if err := rows.Scan(&node.Shard, &node.Replica, &host, &port); err != nil {
			return nil, fmt.Errorf("list the servers of cluster %s: %w", cluster, err)
		}
		node.Addr = net.JoinHostPort(host, strconv.Itoa(int(port)))
		nodes = append(nodes, node)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list the servers of cluster %s: %w", cluster, err)
	}
	if len(nodes) == 0 {
		return nil, fmt.Errorf("clickhouse has no cluster %q in its configuration", cluster)
	}
	return nodes, nil
}

// Replicated tells whether any rows are kept on more than one server.
func Replicated(nodes []Node) bool {
	return slices.ContainsFunc(nodes, func(n Node) bool { return n.Replica > 1 })
}

// On is the same address at another server of the cluster, and with another database.
func (a *Address) On(node Node, database string) *clickhouse.Options {
	options := a.Options
	options.Addr = []string{node.Addr}
	options.Auth.Database = database
	return &options
}
