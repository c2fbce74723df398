package planfile_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/cli/internal/planfile"
)

const file = "\ufeffindicator,unit_kind,unit,period,period_start,amount,currency,volume,price,withdrawn\n" +
	"turnover,branch,demo/B1,month,2026-01-01,1000.50,CZK,10,100.05,\n" +
	"turnover,manager,7,quarter,2026-04-01,2000,CZK,,,false\n" +
	"customers,bank,,year,2026-01-01,5000,,,,\n" +
	"turnover,segment,loyal,month,2026-01-01,,CZK,,,true\n" +
	"turnover,branch,B1,month,2026-01-01,1,CZK,,,\n" +
	"turnover,planet,1,month,2026-01-01,1,CZK,,,\n" +
	"turnover,branch,1,week,2026-01-01,1,CZK,,,\n" +
	"turnover,branch,1,month,1.1.2026,1,CZK,,,\n" +
	"turnover,branch,1,month\n" +
	"turnover,bra\"nch,1,month,2026-01-01,1,CZK,,,\n" +
	"turnover,bank,1,month,2026-01-01,1,CZK,,,\n" +
	"turnover,bank,,month,2026-01-01,1,CZK,,,perhaps\n"

func TestRead(t *testing.T) {
	t.Parallel()
	r, err := planfile.Open(strings.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`line:2 value:{unit:{branch_key:{source:"demo" external_id:"B1"}} indicator:"turnover" period:PLAN_PERIOD_MONTH period_start:{year:2026 month:1 day:1}
			amount:"1000.50" currency:"CZK" volume:"10" price:"100.05"}`,
		`line:3 value:{unit:{manager_id:7} indicator:"turnover" period:PLAN_PERIOD_QUARTER period_start:{year:2026 month:4 day:1} amount:"2000" currency:"CZK"}`,
		`line:4 value:{unit:{bank:true} indicator:"customers" period:PLAN_PERIOD_YEAR period_start:{year:2026 month:1 day:1} amount:"5000"}`,
		`line:5 value:{unit:{segment:"loyal"} indicator:"turnover" period:PLAN_PERIOD_MONTH period_start:{year:2026 month:1 day:1} currency:"CZK" withdrawn:true}`,
	} {
		var expected crmv1.PlanImportRow
		if err := prototext.Unmarshal([]byte(want), &expected); err != nil {
			t.Fatal(err)
		}
		if got, err := r.Read(); err != nil || !proto.Equal(got, &expected) {
			t.Errorf("%v, %v; want %v", got, err, &expected)
		}
	}
	for _, want := range []string{
		"line 6: unit: ", "line 7: unit_kind: ", "line 8: period: ", "line 9: period_start: ", "line 10: has 4 cells", "line 11: bare", "line 12: unit: ",
		"line 13: withdrawn: ",
	} {
		var broken *planfile.RowError
		if _, err := r.Read(); !errors.As(err, &broken) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if _, err := r.Read(); !errors.Is(err, io.EOF) {
		t.Errorf("%v", err)
	}
	for head, want := range map[string]string{
		"": "can't be read", "unit,unit": "comes twice", "colour": "not one of the columns", "unit,unit_kind": "indicator is missing",
	} {
		if _, err := planfile.Open(strings.NewReader(head)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q gave %v", head, err)
		}
	}
}
