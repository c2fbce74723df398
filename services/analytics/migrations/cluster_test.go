package migrations

import (
	"io/fs"
	"regexp"
	"testing"
)

// With replicas, every table keeps its rows on all of them: no engine of a migration is forgotten.
func TestReplicatedEngines(t *testing.T) {
	t.Parallel()
	folder := replicated{files}
	names, err := fs.Glob(files, "*.sql")
	if err != nil || len(names) == 0 {
		t.Fatalf("%d migrations, %v", len(names), err)
	}
	names = append(names, interactionByRangeFile)
	engine := regexp.MustCompile(`(?m)^\s*ENGINE\s*=\s*(\w*MergeTree)`)
	tables := 0
	for _, name := range names {
		before, err := fs.ReadFile(files, name)
		if err != nil {
			t.Fatal(err)
		}
		after, err := fs.ReadFile(folder, name)
		if err != nil {
			t.Fatal(err)
		}
		found := engine.FindAllSubmatch(after, -1)
		if len(found) != len(engine.FindAll(before, -1)) {
			t.Errorf("%s has %d engines after, %d before", name, len(found), len(engine.FindAll(before, -1)))
		}
		for _, one := range found {
			tables++
			if string(one[1][:10]) != "Replicated" {
				t.Errorf("%s: %s", name, one[1])
			}
		}
	}
	if tables == 0 {
		t.Error("no table was found")
	}
}
