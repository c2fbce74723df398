package profile_test

import (
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/encoding/protojson"

	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	"tandem.bank/services/analytics/internal/cluster"
	"tandem.bank/services/analytics/internal/definition"
	"tandem.bank/services/analytics/internal/population"
)

// The definitions of these kinds that come with the program compile, and the profile scheme runs.
func TestReadyDefinitions(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	clusters, err := cluster.New(population.Config{
		Warehouse: b.conn, Facts: b.facts, Segments: b.segments, NewestChange: func() time.Time { return b.newest }, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	for file, compile := range map[string]definition.Compiler{"bank_profile": b.service.Compile, "customer_clusters": clusters.Compile} {
		violations, err := compile(t.Context(), file, ready(t, file))
		if err != nil || len(violations) > 0 {
			t.Errorf("%s: %v, %v", file, violations, err)
		}
	}
	b.load(t, random(9, 50)...)
	b.define(t, "bank_profile", 1, ready(t, "bank_profile").GetProfileScheme())
	if run := b.run(t, today, "bank_profile"); run.GetCustomers() != 50 || len(run.GetCells()) != 6 {
		t.Errorf("%v", run)
	}
}

// ready reads the spec of a definition that comes with the program.
func ready(t *testing.T, name string) *definitionv1.Spec {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "cli", "internal", "definitionfile", "ready", name+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Spec map[string]any `yaml:"spec"`
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	plain, err := json.Marshal(file.Spec)
	if err != nil {
		t.Fatal(err)
	}
	spec := &definitionv1.Spec{}
	if err := protojson.Unmarshal(plain, spec); err != nil {
		t.Fatal(err)
	}
	return spec
}
