package population

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"tandem.bank/services/analytics/internal/customerfact"
	"tandem.bank/services/analytics/internal/segment"
)

// Config is what a room needs that computes over the facts of customers.
type Config struct {
	Warehouse driver.Conn
	Facts     *customerfact.Service
	// Segments compile filters.
	Segments *segment.Service
	// NewestChange tells the change time of the newest change in the warehouse.
	NewestChange func() time.Time
	Logger       *slog.Logger
}

// Validate says that something is missing for a room.
func (c Config) Validate(room string) error {
	if c.Warehouse == nil || c.Facts == nil || c.Segments == nil || c.NewestChange == nil || c.Logger == nil {
		return fmt.Errorf("%s: warehouse, facts, segments, newest change and logger are required", room)
	}
	return nil
}
