package cluster_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"tandem.bank/deploy/local/engine"
	"tandem.bank/deploy/local/project"
	"tandem.bank/pkg/natsx"
)

// The servers run in the test program itself.
func TestMain(m *testing.M) {
	engine.RunIfChild()
	os.Exit(m.Run())
}

// configuration lays the two files of a NATS cluster side by side, as in a container, and returns the one to read.
func configuration(t *testing.T) string {
	t.Helper()
	root, err := project.Root(".")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, file := range []string{"deploy/nats/nats.conf", "deploy/cluster/nats/cluster.conf"} {
		text, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(file)), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "cluster.conf")
}

// startServers starts three servers that know each other. None is ready before a second one is there.
func startServers(t *testing.T) []*engine.NATS {
	t.Helper()
	const count = 3
	ports := make([]int, 2*count)
	var wanted []engine.Port
	for i := range ports {
		wanted = append(wanted, engine.Port{Name: "NATS", Flag: "", Number: &ports[i]})
	}
	if err := engine.ChoosePorts(t.Context(), wanted...); err != nil {
		t.Fatal(err)
	}
	var routes []string
	for _, port := range ports[count:] {
		routes = append(routes, "nats://127.0.0.1:"+strconv.Itoa(port))
	}
	config, servers := configuration(t), make([]*engine.NATS, count)
	var starting sync.WaitGroup
	for i := range servers {
		servers[i] = engine.NewNATS(engine.NATSConfig{
			Port: ports[i], DataDir: t.TempDir(), ConfigFile: config,
			Env: []string{
				"TANDEM_NATS_NAME=nats-" + strconv.Itoa(i+1),
				"TANDEM_NATS_CLUSTER_LISTEN=127.0.0.1:" + strconv.Itoa(ports[count+i]),
				"TANDEM_NATS_ROUTES=[" + strings.Join(routes, ", ") + "]",
			},
		})
		starting.Go(func() {
			if err := servers[i].Start(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	starting.Wait()
	t.Cleanup(func() {
		for _, server := range servers {
			_ = server.Stop(context.Background())
		}
	})
	if t.Failed() {
		t.FailNow()
	}
	return servers
}

// What was acknowledged survives the death of the server that led the stream, and publishing goes on.
func TestNATSServerDies(t *testing.T) {
	t.Parallel()
	servers := startServers(t)
	var urls []string
	for _, server := range servers {
		urls = append(urls, server.URL())
	}
	nc, js, err := natsx.Connect(t.Context(), natsx.Config{
		URL: strings.Join(urls, ","), Name: "test", Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if err := natsx.EnsureStreams(t.Context(), js); err != nil { // as a service that is told nothing does
		t.Fatal(err)
	}
	if err := natsx.EnsureStreams(t.Context(), js, natsx.WithReplicas(3)); err != nil {
		t.Fatal(err)
	}
	publish(t, js, 0, 500)
	leader := currentLeader(t, js)
	index, err := strconv.Atoi(strings.TrimPrefix(leader, "nats-"))
	if err != nil {
		t.Fatalf("the leader is %q", leader)
	}
	servers[index-1].Kill()
	publish(t, js, 500, 1000)
	stream, err := js.Stream(t.Context(), natsx.StreamCRM)
	if err != nil {
		t.Fatal(err)
	}
	info, err := stream.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if info.State.Msgs != 1000 || info.Config.Replicas != 3 || info.Cluster.Leader == leader {
		t.Errorf("%d messages on %d replicas, led by %s", info.State.Msgs, info.Config.Replicas, info.Cluster.Leader)
	}
	if err := servers[index-1].Start(t.Context()); err != nil {
		t.Errorf("the server did not come back: %v", err)
	}
}

// publish sends messages until each is acknowledged; ids make sure that none counts twice.
func publish(t *testing.T, js jetstream.JetStream, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		id := fmt.Sprintf("message-%d", i)
		for {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			_, err := js.Publish(ctx, "crm.v1.customer.upserted", []byte(id), jetstream.WithMsgID(id))
			cancel()
			if err == nil {
				break
			}
			if t.Context().Err() != nil {
				t.Fatal(err)
			}
		}
	}
}

// currentLeader is the server that leads stream CRM, once all replicas follow it.
func currentLeader(t *testing.T, js jetstream.JetStream) string {
	t.Helper()
	stream, err := js.Stream(t.Context(), natsx.StreamCRM)
	if err != nil {
		t.Fatal(err)
	}
	for {
		info, err := stream.Info(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		current := 0
		for _, replica := range info.Cluster.Replicas {
			if replica.Current {
				current++
			}
		}
		if current == 2 && info.Cluster.Leader != "" {
			return info.Cluster.Leader
		}
		if t.Context().Err() != nil {
			t.Fatal("the replicas don't follow")
		}
	}
}
