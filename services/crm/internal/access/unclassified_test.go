package access

import (
	_ "embed" // the reviewed list
	"maps"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// openFields are the fields that anybody may see who may make the call: each was looked at, and tells nothing of a person beyond
// what the record is there for.
//
//go:embed testdata/unclassified.txt
var openFields string

// A new field of an answer that may hold what is personal must be put into a class, or be found harmless and listed.
func TestEveryTellingFieldIsClassifiedOrReviewed(t *testing.T) {
	t.Parallel()
	p, found := builtInPolicy(t), map[string]bool{}
	for _, name := range apiMethods() {
		tellingFields(p, apiMethod(name).Output(), map[protoreflect.FullName]bool{}, found)
	}
	reviewed := strings.Fields(openFields)
	if !slices.IsSorted(reviewed) {
		t.Error("testdata/unclassified.txt is not sorted")
	}
	for _, field := range slices.Sorted(maps.Keys(found)) {
		if _, ok := slices.BinarySearch(reviewed, field); !ok {
			t.Errorf("%s is in no class of policy.yaml, and not in testdata/unclassified.txt", field)
		}
	}
	for _, field := range reviewed {
		if !found[field] {
			t.Errorf("testdata/unclassified.txt: %s is in a class, or no such field of an answer", field)
		}
	}
}

// telling are the types of others whose fields may say who somebody is, or what somebody owns.
var telling = []protoreflect.FullName{"google.type.Date", "google.type.Money", "google.type.LatLng"}

// tellingFields collects the texts, days, amounts and places of a message that are in no class, to the bottom.
func tellingFields(p *Policy, d protoreflect.MessageDescriptor, seen map[protoreflect.FullName]bool, found map[string]bool) {
	if seen[d.FullName()] || d.ParentFile().Package() != apiPackage {
		return
	}
	seen[d.FullName()] = true
	for i := range d.Fields().Len() {
		f := d.Fields().Get(i)
		if p.classOf[fieldName(f)] != nil {
			continue
		}
		value := f
		if f.IsMap() {
			value = f.MapValue()
		}
		inner := value.Message()
		switch {
		case value.Kind() == protoreflect.StringKind || inner != nil && slices.Contains(telling, inner.FullName()):
			found[fieldName(f)] = true
		case inner != nil:
			tellingFields(p, inner, seen, found)
		}
	}
}
