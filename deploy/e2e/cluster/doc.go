// Package cluster tests what deploy/cluster promises, on local servers: NATS goes on when one of three servers dies.
// That ClickHouse answers the same from two shards is tested by `make test-cluster`, with the tests of analytics.
package cluster
