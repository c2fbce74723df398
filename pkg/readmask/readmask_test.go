package readmask_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"tandem.bank/pkg/readmask"
)

// file is a message with a singular message, lists of messages and texts.
func file() *descriptorpb.FileDescriptorProto {
	return &descriptorpb.FileDescriptorProto{
		Name: new("a.proto"), Package: new("a"), Dependency: []string{"b"},
		Options: &descriptorpb.FileOptions{GoPackage: new("g"), JavaPackage: new("j")},
		MessageType: []*descriptorpb.DescriptorProto{
			{Name: new("M"), ReservedName: []string{"r"}}, {Name: new("N")},
		},
	}
}

func TestPrune(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		paths []string
		kept  []string
		want  func(*descriptorpb.FileDescriptorProto)
	}{
		"nothing asked is everything": {want: func(*descriptorpb.FileDescriptorProto) {}},
		"everything":                  {paths: []string{"name", "*"}, want: func(*descriptorpb.FileDescriptorProto) {}},
		"whole fields": {
			paths: []string{"name", "dependency", "name"}, kept: []string{"dependency", "name"},
			want: func(f *descriptorpb.FileDescriptorProto) { f.Package, f.Options, f.MessageType = nil, nil, nil },
		},
		"into a message": {
			paths: []string{"options.go_package"}, kept: []string{"options.go_package"},
			want: func(f *descriptorpb.FileDescriptorProto) {
				f.Name, f.Package, f.Dependency, f.MessageType, f.Options.JavaPackage = nil, nil, nil, nil, nil
			},
		},
		"into a list": {
			paths: []string{"message_type.name"}, kept: []string{"message_type.name"},
			want: func(f *descriptorpb.FileDescriptorProto) {
				f.Name, f.Package, f.Dependency, f.Options, f.MessageType[0].ReservedName = nil, nil, nil, nil, nil
			},
		},
		"the whole makes its parts idle": {
			paths: []string{"options.go_package", "options", "options.java_package"}, kept: []string{"options"},
			want: func(f *descriptorpb.FileDescriptorProto) {
				f.Name, f.Package, f.Dependency, f.MessageType = nil, nil, nil, nil
			},
		},
	} {
		got, want := file(), file()
		mask, err := readmask.Parse(&fieldmaskpb.FieldMask{Paths: test.paths}, got.ProtoReflect().Descriptor())
		if err != nil {
			t.Fatal(err)
		}
		mask.Prune(got)
		test.want(want)
		if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if diff := cmp.Diff(test.kept, mask.Paths()); diff != "" {
			t.Errorf("%s: paths (-want +got):\n%s", name, diff)
		}
		if !mask.Has("options") != (name == "whole fields" || name == "into a list") {
			t.Errorf("%s: has options: %t", name, mask.Has("options"))
		}
	}
}

// All that is wrong is named, with the name that it may stand for.
func TestUnknownPaths(t *testing.T) {
	t.Parallel()
	mask := &fieldmaskpb.FieldMask{Paths: []string{"nam", "name", "options.go_pakage", "name.x"}}
	_, err := readmask.Parse(mask, file().ProtoReflect().Descriptor())
	const want = `read_mask: "nam" is not a field; did you mean "name"?; ` +
		`read_mask: "options.go_pakage" is not a field; did you mean "options.go_package"?; ` +
		`read_mask: "name.x" goes into a field that has no fields`
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}
