package compose_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"

	"tandem.bank/deploy/local/project"
)

// ours are the services built from this repository.
var ours = []string{"analytics", "crm"}

// root is the folder of docker-compose.yml.
func root(t *testing.T) string {
	t.Helper()
	working, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := project.Root(working)
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// files are what `docker compose` is given: for one server of each engine, and for several.
var files = map[string][]string{
	"single":  {"docker-compose.yml"},
	"cluster": {"docker-compose.yml", "deploy/cluster/docker-compose.yml"},
}

// load reads docker-compose.yml.
func load(t *testing.T) *types.Project {
	t.Helper()
	return loadFiles(t, files["single"]...)
}

// eachProject runs a subtest for one server of each engine, and for several.
func eachProject(t *testing.T, check func(t *testing.T, composed *types.Project)) {
	t.Helper()
	for name, of := range files {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check(t, loadFiles(t, of...))
		})
	}
}

// loadFiles reads compose files as `docker compose` does: against the schema, with names resolved and checked. Nothing
// of this machine's environment gets in, so that the defaults are what is tested.
func loadFiles(t *testing.T, names ...string) *types.Project {
	t.Helper()
	dir := root(t)
	paths := make([]string, len(names))
	for i, name := range names {
		paths[i] = filepath.Join(dir, name)
	}
	options, err := cli.NewProjectOptions(paths, cli.WithWorkingDirectory(dir))
	if err != nil {
		t.Fatal(err)
	}
	composed, err := options.LoadProject(t.Context())
	if err != nil {
		t.Fatalf("%v: %v", names, err)
	}
	return composed
}

// eachService runs a subtest per service.
func eachService(t *testing.T, check func(t *testing.T, service types.ServiceConfig)) {
	t.Helper()
	eachProject(t, func(t *testing.T, composed *types.Project) {
		for name, service := range composed.Services {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				check(t, service)
			})
		}
	})
}

func TestServices(t *testing.T) {
	t.Parallel()
	want := []string{"analytics", "clickhouse", "crm", "nats", "postgres"}
	if got := load(t).ServiceNames(); !slices.Equal(got, want) {
		t.Errorf("services are %v, want %v", got, want)
	}
}

// exists fails the test when a file that something refers to is missing.
func exists(t *testing.T, path string) {
	t.Helper()
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}
