// Package division keeps what divides customers into parts by a definition, such as clusters and the cells of a profile
// scheme: the rows of runs, the parts as snapshots of segments by the name <definition>/<part>, and both on their way home.
package division

import (
	"errors"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"tandem.bank/pkg/apperr"
	"tandem.bank/services/analytics/internal/snapshot"
)

// Part is one of those that customers are divided into.
type Part struct {
	// Key within the definition, for example "2" or "invest".
	Key       string
	Customers uint64
}

// Run is one computed snapshot.
type Run struct {
	snapshot.Head

	Definition string
	Version    uint64
	// Settings are the complete spec as JSON; SettingsKey names them.
	Settings string
	AsOf     time.Time
	Parts    []Part
	// Result is what the room found, as JSON that only it reads.
	Result string
	// ReplacedID is the run that crm showed until this one; zero when there was none.
	ReplacedID   uuid.UUID
	ReplacedAsOf time.Time
}

// Segment is the name of the segment that a part is.
func (r Run) Segment(key string) string { return r.Definition + "/" + key }

// SegmentRun is the id of the snapshot of a part: each segment has runs of its own.
func (r Run) SegmentRun(key string) uuid.UUID { return uuid.NewSHA1(r.ID, []byte(key)) }

// Spec reads the settings back into a message.
func (r Run) Spec(into proto.Message) error { return snapshot.FromJSON(r.Settings, into) }

// Store reads and writes the runs of one kind of definition.
type Store struct {
	snapshot.Store[Run]

	// kind names the insights, members the table of customers with run_id, as_of and customer_id, and key the expression over it that
	// is a customer's part.
	kind, members, key string
}

// NewStore returns one. The texts are constants of the caller; runs and members name tables.
func NewStore(conn driver.Conn, kind, runs, members, key string) *Store {
	return &Store{Store: newRows(conn, runs), kind: kind, members: members, key: key}
}

// public is snapshot.Public that says of which kind a run is missing.
func (s *Store) public(err error) error {
	if errors.Is(err, snapshot.ErrNone) {
		return apperr.NotFound("there is no such %s run", s.kind)
	}
	return snapshot.Public(err)
}
