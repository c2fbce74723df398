package clickhousex_test

import (
	"strings"
	"testing"

	"tandem.bank/pkg/clickhousex"
	"tandem.bank/pkg/testkit"
)

func TestParse(t *testing.T) {
	t.Parallel()
	address, err := clickhousex.Parse("clickhouse://tandem:x@a:9000,b:9000/bank?cluster=wide&max_threads=2")
	if err != nil {
		t.Fatal(err)
	}
	if address.Cluster != "wide" || address.Options.Auth.Database != "bank" || len(address.Options.Addr) != 2 {
		t.Errorf("%+v", address)
	}
	if _, taken := address.Options.Settings["cluster"]; taken || address.Options.Settings["max_threads"] == nil {
		t.Errorf("settings %v", address.Options.Settings)
	}
	node := clickhousex.Node{Shard: 2, Replica: 1, Addr: "c:9000"}
	on := address.On(node, clickhousex.PartDatabase("bank"))
	if on.Addr[0] != "c:9000" || on.Auth.Database != "bank_part" || address.Options.Auth.Database != "bank" {
		t.Errorf("%v %v", on.Addr, on.Auth)
	}
	if _, err := clickhousex.Parse("clickhouse://tandem:secret@a b/t"); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("an error shows the password: %v", err)
	}
}

func TestNodes(t *testing.T) {
	t.Parallel()
	conn := testkit.ClickHouseConn(t)
	if _, err := clickhousex.Nodes(t.Context(), conn, "nowhere"); err == nil || !strings.Contains(err.Error(), `"nowhere"`) {
		t.Errorf("a cluster that does not exist gave %v", err)
	}
	if clickhousex.Replicated([]clickhousex.Node{{Shard: 1, Replica: 1}, {Shard: 2, Replica: 1}}) {
		t.Error("two shards are not replicas")
	}
	if !clickhousex.Replicated([]clickhousex.Node{{Shard: 1, Replica: 1}, {Shard: 1, Replica: 2}}) {
		t.Error("two servers of one shard are replicas")
	}
}
