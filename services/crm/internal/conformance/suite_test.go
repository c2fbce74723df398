package conformance

import (
	"strings"
	"testing"
)

// suite is what every room must pass, as far as its service has the method.
var suite = []struct {
	name string
	// method whose presence makes the test apply; the kind's name follows.
	method string
	test   func(*testing.T, *bank, kind)
}{
	{"Create", "Create", testCreate},
	{"RequestID", "Create", testRequestID},
	{"Get", "Get", testGet},
	{"Update", "Update", testUpdate},
	{"ListPages", "List", testListPages},
	{"ListRefuses", "List", testListRefuses},
	{"ListFiltersByEveryField", "List", testListFiltersByEveryField},
	{"ListOrdersByEveryField", "List", testListOrdersByEveryField},
	{"ListCounts", "List", testListCounts},
	{"BatchOutcomes", "BatchUpsert", testBatchOutcomes},
	{"BatchAfterUpdate", "Update", testBatchAfterUpdate},
	{"BatchRefusesRowsAlone", "BatchUpsert", testBatchRefusesRowsAlone},
	{"BatchSameImport", "BatchUpsert", testBatchSameImport},
	{"BatchValidateOnly", "BatchUpsert", testBatchValidateOnly},
	{"BatchSize", "BatchUpsert", testBatchSize},
	{"Together", "BatchUpsert", testTogether},
}

func TestConformance(t *testing.T) {
	t.Parallel()
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			b := newBank(t)
			for _, s := range suite {
				if !k.has(s.method+k.one) && !k.has(s.method+k.many) {
					continue
				}
				t.Run(s.name, func(t *testing.T) {
					k := k
					k.source = strings.ToLower(s.name)
					s.test(t, b, k)
				})
			}
		})
	}
}
