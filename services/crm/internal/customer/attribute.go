package customer

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"tandem.bank/services/crm/internal/attribute"
	"tandem.bank/services/crm/internal/record"
)

// Attributes are the values that customers have, as the room of their definitions needs them.
type Attributes struct{}

// Each implements attribute.Holder. It reads all customers: definitions change rarely, and nobody waits on a screen.
func (Attributes) Each(ctx context.Context, tx pgx.Tx, name string, call func(kind string, value attribute.Value)) error {
	rows, err := tx.Query(ctx, "SELECT kind, attributes -> $1 FROM customer WHERE attributes ? $1", name)
	if err != nil {
		return err
	}
	var kind string
	var value attribute.Value
	_, err = pgx.ForEachRow(rows, []any{&kind, &value}, func() error {
		call(kind, value)
		value = attribute.Value{}
		return nil
	})
	return err
}

// Index implements attribute.Holder. Customers are not written while it is built: some seconds for a million.
func (Attributes) Index(ctx context.Context, tx pgx.Tx, definition *attribute.Row, wanted bool) error {
	name := "customer_attribute_" + definition.Name
	if len(name) > 63 {
		name = name[:63] // as Postgres would cut it
	}
	sql := "DROP INDEX IF EXISTS " + name
	if wanted {
		method, expression := "btree", definition.Expression()
		if definition.Type == "options" {
			method = "gin"
		}
		sql = fmt.Sprintf("CREATE INDEX IF NOT EXISTS %s ON customer USING %s (%s) WHERE %[3]s IS NOT NULL", name, method, expression)
	}
	_, err := tx.Exec(ctx, sql)
	return err
}

// known makes sure that definitions are at hand when rows with attributes are checked.
func (rm *room) known(ctx context.Context, q record.Querier, rows []*record.Record[Row]) ([]error, error) {
	_, err := rm.catalogue.Load(ctx, q)
	return make([]error, len(rows)), err
}
