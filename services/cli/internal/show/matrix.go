package show

import (
	"fmt"
	"io"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
)

// ProductMatrix prints products against segments.
func ProductMatrix(w io.Writer, r *analyticsv1.GetProductMatrixResponse) error {
	_, _ = fmt.Fprintf(w, "Products as of %s, growth since %s\n", Date(r.GetAsOf()), Date(r.GetComparedAsOf()))
	for _, s := range r.GetSegments() {
		_, _ = fmt.Fprintf(w, "\n%s: %s customers\n", s.GetSegment(), Count(s.GetCustomers()))
		line, flush := table(w)
		line("product\tholders\tpenetration\tgrowth\tmean balance\tall balances\tgrowth\tmargin a year\t")
		for _, p := range s.GetProducts() {
			line("%s\t%s\t%.1f %%\t%s\t%s\t%s\t%s\t%s\t", p.GetProduct(), Count(p.GetHolders()), 100*p.GetPenetration(), growth(p.HoldersGrowth),
				Money(p.GetAverageBalance()), Money(p.GetBalance()), growth(p.BalanceGrowth), Money(p.GetMargin()))
		}
		if err := flush(); err != nil {
			return err
		}
	}
	return nil
}

// growth renders a fraction with its sign.
func growth(g *float64) string {
	if g == nil {
		return none
	}
	return fmt.Sprintf("%+.1f %%", 100**g)
}
