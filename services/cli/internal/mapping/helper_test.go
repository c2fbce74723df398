package mapping

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
)

// load compiles a mapping of a test.
func load(t *testing.T, content string) *Mapping {
	t.Helper()
	m, err := Load("test.yaml", []byte(content))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// compact renders a record on one line. prototext varies its blanks on purpose, so they are made equal.
func compact(record proto.Message) string {
	text := prototext.MarshalOptions{Multiline: false}.Format(record)
	return strings.Join(strings.Fields(text), " ")
}

// dataFolder finds the folder of test data that lies beside the project, or skips the test.
func dataFolder(t *testing.T, name string) string {
	t.Helper()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for dir := here; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.work")); err == nil {
			data := filepath.Join(dir, "..", "shared", "data", name)
			if _, err := os.Stat(data); err != nil {
				t.Skipf("skipped: no test data in ../shared/data/%s beside the project", name)
			}
			return data
		}
	}
	t.Skipf("skipped: the project's root was not found, so neither was ../shared/data/%s", name)
	return ""
}
