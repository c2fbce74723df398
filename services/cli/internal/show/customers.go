package show

import (
	"fmt"
	"io"
	"text/tabwriter"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

// Customers prints one line a customer, in the order of the list, and how many there are where that was counted.
func Customers(w io.Writer, list *crmv1.ListCustomersResponse) error {
	if len(list.GetCustomers()) == 0 {
		_, err := fmt.Fprintln(w, "no customers")
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line(table, "customer", "name", "state", "branch", "manager")
	for _, c := range list.GetCustomers() {
		line(table, fmt.Sprint(c.GetCustomerId()), partyName(c), Name(c.GetState(), "CUSTOMER_STATE_"), number(c.GetBranchId()), number(c.GetManagerId()))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	return counted(w, list.GetCount(), "customer")
}

// counted tells how many there are in all, where that was asked for.
func counted(w io.Writer, count *crmv1.Count, what string) error {
	switch {
	case count == nil:
		return nil
	case count.GetEstimated():
		_, err := fmt.Fprintf(w, "about %s %ss, estimated\n", Count(count.GetValue()), what)
		return err
	default:
		_, err := fmt.Fprintf(w, "%s %ss\n", Count(count.GetValue()), what)
		return err
	}
}

func number(id int64) string {
	if id == 0 {
		return "-"
	}
	return fmt.Sprint(id)
}
