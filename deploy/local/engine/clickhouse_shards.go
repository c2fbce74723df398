package engine

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// ClusterName is the name of the local cluster in the configuration of its servers.
const ClusterName = "tandem"

// shards is what the servers of a local cluster know of each other.
type shards struct {
	servers []*ClickHouse
	chosen  bool // the ports are fixed, also over restarts
}

// NewClickHouseShards prepares servers that form a cluster, each a shard of one replica. The first takes the ports and
// the data folder of the configuration, the others free ports and folders beside it; clusterDir holds what a cluster adds
// to the configuration. Nothing runs before Start of each.
func NewClickHouseShards(cfg ClickHouseConfig, clusterDir string, count int) []*ClickHouse {
	all := &shards{}
	for i := range count {
		one := cfg
		one.ClusterDir = clusterDir
		if i > 0 {
			one.Port, one.HTTPPort = 0, 0
			one.DataDir = cfg.DataDir + "-" + strconv.Itoa(i+1)
		}
		all.servers = append(all.servers, &ClickHouse{cfg: one, shards: all})
	}
	return all.servers
}

// choosePorts fixes the ports of all servers when the first of them starts: each must know the others'.
func (s *shards) choosePorts(ctx context.Context) error {
	if s.chosen {
		return nil
	}
	var ports []Port
	for _, one := range s.servers {
		ports = append(ports, one.ports()...)
	}
	if err := ChoosePorts(ctx, ports...); err != nil {
		return err
	}
	s.chosen = true
	return nil
}

// writeConfig adds the cluster to a server's configuration in dir.
func (s *shards) writeConfig(dir, clusterDir string) error {
	users := filepath.Join(dir, "users.d", "cluster.xml")
	text, err := os.ReadFile(filepath.Join(clusterDir, "users.d", "cluster.xml"))
	if err != nil {
		return fmt.Errorf("read the configuration of a ClickHouse cluster: %w", err)
	}
	if err := os.WriteFile(users, text, 0o600); err != nil {
		return fmt.Errorf("write the configuration of a ClickHouse cluster: %w", err)
	}
	file := filepath.Join(dir, "config.d", "cluster.xml")
	if err := os.WriteFile(file, []byte(s.remoteServers()), 0o600); err != nil {
		return fmt.Errorf("write the configuration of a ClickHouse cluster: %w", err)
	}
	return nil
}

// remoteServers is the list of the servers, as each of them reads it.
func (s *shards) remoteServers() string {
	var b strings.Builder
	b.WriteString("<clickhouse><remote_servers><" + ClusterName + ">\n")
	for _, one := range s.servers {
		fmt.Fprintf(&b, `<shard><replica><host>%s</host><port>%d</port><user>tandem</user>`+
			`<password from_env="TANDEM_CLICKHOUSE_PASSWORD"/></replica></shard>`+"\n", loopback, one.cfg.Port)
	}
	b.WriteString("</" + ClusterName + "></remote_servers></clickhouse>\n")
	return b.String()
}
