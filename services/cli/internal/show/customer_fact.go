package show

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
)

// CustomerFacts prints the catalogue of facts, by source.
func CustomerFacts(w io.Writer, facts []*analyticsv1.CustomerFact) error {
	line, flush := table(w)
	source := ""
	for _, f := range facts {
		if f.GetSource() != source {
			if source != "" {
				line("\t\t\t")
			}
			source = f.GetSource()
			line("%s, moves with each %s\t\t\t", source, Name(f.GetFreshness(), "CUSTOMER_FACT_FRESHNESS_"))
		}
		kind := Name(f.GetType(), "CUSTOMER_FACT_TYPE_")
		if f.GetUnit() != "" {
			kind += ", " + f.GetUnit()
		}
		meaning := f.GetMeaning()
		if f.GetLevelOf() == "" && len(f.GetValues()) > 0 {
			meaning += " (" + strings.Join(f.GetValues(), ", ") + ")"
		}
		line("  %s\t%s\t%s\t", f.GetName(), kind, meaning)
	}
	return flush()
}

// FactsOfCustomer prints facts of a customer; unknown ones only when they were asked for.
func FactsOfCustomer(w io.Writer, r *analyticsv1.GetCustomerFactsResponse, unknown bool) error {
	told := "computed now"
	if r.GetRefreshedTime() != nil {
		told = "told " + Time(r.GetRefreshedTime())
	}
	_, _ = fmt.Fprintf(w, "customer %d as of %s, %s\n", r.GetCustomerId(), Date(r.GetAsOf()), told)
	line, flush := table(w)
	for _, v := range r.GetValues() {
		if v.GetValue() == nil && !unknown {
			continue
		}
		line("  %s\t%s\t%s\t", v.GetName(), toldValue(v), v.GetUnit())
	}
	return flush()
}

func toldValue(v *analyticsv1.CustomerFactValue) string {
	switch value := v.GetValue().(type) {
	case *analyticsv1.CustomerFactValue_Text:
		return value.Text
	case *analyticsv1.CustomerFactValue_Texts:
		return strings.Join(value.Texts.GetValues(), ", ")
	case *analyticsv1.CustomerFactValue_Integer:
		return strconv.FormatInt(value.Integer, 10)
	case *analyticsv1.CustomerFactValue_Decimal:
		return value.Decimal
	case *analyticsv1.CustomerFactValue_Number:
		return strconv.FormatFloat(value.Number, 'g', 6, 64)
	case *analyticsv1.CustomerFactValue_Date:
		return Date(value.Date)
	case *analyticsv1.CustomerFactValue_Boolean:
		return strconv.FormatBool(value.Boolean)
	default:
		return none
	}
}
