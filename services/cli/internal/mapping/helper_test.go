package mapping

import (
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
