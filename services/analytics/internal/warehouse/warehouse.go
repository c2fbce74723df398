// Package warehouse is the way to ClickHouse: one connection with pinned settings, columnar inserts, and what its
// errors mean. It knows no table.
package warehouse

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"tandem.bank/pkg/clickhousex"
)

const (
	dialTimeout = 5 * time.Second
	// readTimeout is how long the server may stay silent; it sends progress while it works.
	readTimeout = 2 * time.Minute
	// connectionsMax: a batch at a time from ingest, a run, a publication, and some pages.
	connectionsMax     = 16
	connectionsIdle    = 4
	connectionLifetime = 10 * time.Minute
)

// Config says where ClickHouse is.
type Config struct {
	// URL for the native protocol with user, password and database: "clickhouse://tandem:…@127.0.0.1:9000/tandem".
	URL string
}

// Validate names the part of the address that is wrong.
func (c Config) Validate() error {
	address, err := clickhousex.Parse(c.URL)
	if err != nil {
		return err
	}
	if address.Options.Protocol != clickhouse.Native {
		return errors.New("clickhouse url: must begin with clickhouse://, the native protocol")
	}
	if address.Options.Auth.Database == "" {
		return errors.New("clickhouse url: must name a database, for example clickhouse://host:9000/tandem")
	}
	return nil
}

// Database is the name of the database in an address.
func Database(address string) (string, error) {
	options, err := clickhouse.ParseDSN(address)
	if err != nil {
		return "", fmt.Errorf("clickhouse url: %w", err)
	}
	return options.Auth.Database, nil
}

// Open prepares a pool of connections; it connects when first used, so a ClickHouse that is away is no error here.
func Open(c Config) (driver.Conn, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	address, err := clickhousex.Parse(c.URL)
	if err != nil {
		return nil, err
	}
	options := &address.Options
	options.DialTimeout = dialTimeout
	options.ReadTimeout = readTimeout
	options.MaxOpenConns = connectionsMax
	options.MaxIdleConns = connectionsIdle
	options.ConnMaxLifetime = connectionLifetime
	options.Compression = &clickhouse.Compression{Method: clickhouse.CompressionLZ4}
	if options.Settings == nil {
		options.Settings = clickhouse.Settings{}
	}
	maps.Copy(options.Settings, pinned())
	conn, err := clickhouse.Open(options)
	if err != nil {
		return nil, fmt.Errorf("open clickhouse: %w", err)
	}
	if address.Cluster == "" {
		return conn, nil
	}
	return &sharded{Conn: conn, address: address}, nil
}

// WithPassword puts a password into an address.
func WithPassword(address, password string) (string, error) {
	parsed, err := url.Parse(address)
	if err != nil {
		// The error of url.Parse repeats the address, which may hold a password.
		return "", errors.New("clickhouse url: is not an address")
	}
	if password == "" {
		return address, nil
	}
	parsed.User = url.UserPassword(parsed.User.Username(), password)
	return parsed.String(), nil
}

// pinned are the settings that results or durability hang on. They are sent with each query, so that neither a newer
// server's defaults nor a user's profile can change them.
func pinned() clickhouse.Settings {
	return clickhouse.Settings{
		// An insert is on disk when it is acknowledged: ingest tells NATS so.
		"async_insert": 0,
		// Equal blocks must not vanish: only versions of rows decide. A replay after a wipe repeats blocks.
		"insert_deduplicate":        0,
		"deduplicate_insert":        "disable",
		"deduplicate_insert_select": "disable",
		// Filters on columns outside the sort key must see rows after FINAL chose among versions, not before.
		"optimize_move_to_prewhere_if_final": 0,
		"apply_row_policy_after_final":       1,
		// The missing side of an outer join is the column's default, as the queries here expect.
		"join_use_nulls": 0,
		// Literals and texts of times mean UTC.
		"session_timezone": "UTC",
		// A history of many years touches many months in one batch; the server's default refuses more than 100.
		"max_partitions_per_insert_block": 0,
		// In a cluster: an insert is on its shards when it is acknowledged; what one side of a join or IN holds is
		// gathered from all shards before it meets the other; and of a shard's replicas the same one is asked as long as
		// it lives, so that what was written a moment ago is read back. One server alone has no use for these.
		"distributed_foreground_insert": 1,
		"distributed_product_mode":      "global",
		"prefer_localhost_replica":      0,
		"load_balancing":                "in_order",
		"optimize_skip_unused_shards":   1,
	}
}

// FinalByPartition is the end of a query that reads transactions with FINAL: it resolves versions in each partition
// alone, in parallel. It is right only for tables whose partition is a function of the sort key.
const FinalByPartition = "SETTINGS do_not_merge_across_partitions_select_final = 1"
