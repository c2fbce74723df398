package show

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

// Hits prints what a search found, the best first, with the fields in which it was found.
func Hits(w io.Writer, hits []*crmv1.SearchHit) error {
	if len(hits) == 0 {
		_, err := fmt.Fprintln(w, "nobody found")
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line(table, "customer", "name", "match", "found in")
	for _, h := range hits {
		found := make([]string, len(h.GetMatches()))
		for i, m := range h.GetMatches() {
			found[i] = m.GetField() + ": " + m.GetSnippet()
		}
		line(table, fmt.Sprint(h.GetCustomer().GetCustomerId()), partyName(h.GetCustomer()),
			Name(h.GetLevel(), "MATCH_LEVEL_"), strings.Join(found, "; "))
	}
	return table.Flush()
}
