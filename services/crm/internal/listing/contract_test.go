package listing_test

import (
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

var (
	pagesOnly = []string{"filter", "order_by", "count", "counted"}
	timeOnly  = []string{"order_by", "count", "counted"}
)

// lacks are the lists that do without a part of the contract, each for a reason.
var lacks = map[string][]string{
	// The past of one record or customer, told in one order: by time.
	"ListRfmHistory": pagesOnly, "ListInsightHistory": pagesOnly,
	// Days of one account, between two of them.
	"ListBalances": pagesOnly,
	// Told by time alone: several sources are merged.
	"ListTimeline": timeOnly,
	// The cells of one plan, in the order of its table.
	"ListPlanValues": timeOnly,
	// The roles of the policy in force: a file, not a table.
	"ListRoles": {"page_size", "page_token", "filter", "order_by", "count", "next_page_token", "counted"},
}

// Every list is filtered, ordered, paged and counted in the same manner.
func TestEveryListKeepsTheContract(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, file := range files() {
		for i := range file.Services().Len() {
			methods := file.Services().Get(i).Methods()
			for j := range methods.Len() {
				m := methods.Get(j)
				if !strings.HasPrefix(string(m.Name()), "List") {
					continue
				}
				seen[string(m.Name())] = true
				for part, field := range map[string]protoreflect.FieldDescriptor{
					"page_size": m.Input().Fields().ByName("page_size"), "page_token": m.Input().Fields().ByName("page_token"),
					"filter": m.Input().Fields().ByName("filter"), "order_by": m.Input().Fields().ByName("order_by"),
					"count": m.Input().Fields().ByName("count"), "next_page_token": m.Output().Fields().ByName("next_page_token"),
					"counted": m.Output().Fields().ByName("count"),
				} {
					if known := slices.Contains(lacks[string(m.Name())], part); (field == nil) != known {
						t.Errorf("%s has %s: %t", m.FullName(), part, field != nil)
					}
				}
			}
		}
	}
	for name := range lacks {
		if !seen[name] {
			t.Errorf("there is no %s", name)
		}
	}
}

// files are those of the API.
func files() []protoreflect.FileDescriptor {
	var out []protoreflect.FileDescriptor
	protoregistry.GlobalFiles.RangeFilesByPackage(crmv1.File_tandem_crm_v1_customer_proto.Package(), func(f protoreflect.FileDescriptor) bool {
		out = append(out, f)
		return true
	})
	return out
}
