package timeline

import (
	"context"
	"time"

	"tandem.bank/services/crm/internal/record"
)

// Statements are those of all sources, for EXPLAIN.
func Statements(customerID int64) (parts []record.Part) {
	for i := range sources {
		part, err := sources[i].part(context.Background(), new([]*entry), &ask{customerID, "", position{Time: farFuture}, 51, time.UTC})
		if err != nil {
			panic(err)
		}
		parts = append(parts, part)
	}
	return parts
}
