// Package behaviour takes in what customers and visitors do on the bank's sites and in its apps, in bundles, each event once.
package behaviour

import (
	"strings"
	"time"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/check"
	"tandem.bank/pkg/filter"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/customer"
	"tandem.bank/services/crm/internal/product"
	"tandem.bank/services/crm/internal/record"
	"tandem.bank/services/crm/internal/sight"
)

// aheadMax is how far in the future an event may lie: clocks of telephones are wrong.
const aheadMax = 24 * time.Hour

// Row is an event as Postgres keeps it. Its JSON is what two events with one key are compared by.
type Row struct {
	ID              int64             `json:"-"`
	Version         int32             `json:"-"`
	CreatedAt       time.Time         `json:"-"`
	Source          string            `json:"-"`
	ExternalID      string            `json:"-"`
	OccurredAt      *time.Time        `json:"occurred_at"`
	CustomerID      *int64            `json:"customer_id"`
	VisitorID       string            `json:"visitor_id"`
	Kind            string            `json:"kind"`
	Channel         string            `json:"channel"`
	Device          string            `json:"device"`
	Page            string            `json:"page"`
	Campaign        string            `json:"campaign"`
	ProductID       *int64            `json:"product_id"`
	DurationSeconds int32             `json:"duration_seconds"`
	Properties      map[string]string `json:"properties"`
}

// belongs says whose an event is; those of visitors whom nobody knows belong to nobody.
var belongs = sight.ByCustomer("behaviour_event.customer_id")

var schema = filter.Schema{
	{Name: "behaviour_event_id", Column: "behaviour_event_id", Kind: filter.Int, Required: true},
	{Name: "key.source", Column: "source", Kind: filter.Text},
	{Name: "key.external_id", Column: "external_id", Kind: filter.Text},
	{Name: "kind", Column: "kind", Kind: filter.Enum, Values: record.EnumTexts[crmv1.BehaviourKind]()},
	{Name: "time", Column: "occurred_at", Kind: filter.Time, Required: true, Indexed: true},
	{Name: "channel", Column: "channel", Kind: filter.Enum, Values: record.EnumTexts[crmv1.Channel]()},
	{Name: "device", Column: "device", Kind: filter.Enum, Values: record.EnumTexts[crmv1.Device]()},
	{Name: "page", Column: "page", Kind: filter.Text},
	{Name: "campaign", Column: "campaign", Kind: filter.Text},
	{Name: "product_id", Column: "product_id", Kind: filter.Int},
	{Name: "duration_seconds", Column: "duration_seconds", Kind: filter.Int},
	{Name: "customer_id", Column: "customer_id", Kind: filter.Int},
	{Name: "visitor_id", Column: "visitor_id", Kind: filter.Text},
	{Name: "create_time", Column: "created_at", Kind: filter.Time, Required: true},
}

// read checks a message and makes its row. Events before the window would be dropped again at once.
func read(e *crmv1.BehaviourEvent, now time.Time, window time.Duration) (*Row, []record.Reference, error) {
	var in record.Reader
	row := &Row{
		Version:         1,
		Source:          e.GetKey().GetSource(),
		ExternalID:      e.GetKey().GetExternalId(),
		OccurredAt:      in.Time("time", e.GetTime()),
		VisitorID:       e.GetVisitorId(),
		Kind:            record.EnumText(e.GetKind()),
		Channel:         record.EnumText(e.GetChannel()),
		Device:          record.EnumText(e.GetDevice()),
		Campaign:        e.GetCampaign(),
		DurationSeconds: e.GetDurationSeconds(),
		Properties:      e.GetProperties(),
	}
	if row.Properties == nil {
		row.Properties = map[string]string{}
	}
	switch at := row.OccurredAt; {
	case at == nil:
	case at.After(now.Add(aheadMax)):
		in.Refuse("time", "must not be more than a day in the future")
	case window > 0 && at.Before(oldest(now, window)):
		in.Refuse("time", "lies before the window that is kept")
	}
	row.Page = readPage(&in, e.GetPage())
	for name, value := range row.Properties {
		refusePersonal(&in, "properties["+name+"]", value)
	}
	refusePersonal(&in, "campaign", row.Campaign)
	if e.GetCustomerId() == 0 && e.GetCustomerKey() == nil && row.VisitorID == "" {
		in.Refuse("customer_id", "set this, customer_key or visitor_id")
	}
	refs := []record.Reference{
		record.Ref("customer_id", customer.Table, e.GetCustomerId(), e.GetCustomerKey(), &row.CustomerID),
		record.Ref("product_id", product.Table, e.GetProductId(), e.GetProductKey(), &row.ProductID),
	}
	return row, refs, apperr.Invalid(append(check.Message(e), in.Violations...)...)
}

// oldest is the first moment of the oldest month that a window keeps whole.
func oldest(now time.Time, window time.Duration) time.Time {
	return month(now.Add(-window))
}

func month(at time.Time) time.Time {
	at = at.UTC()
	return time.Date(at.Year(), at.Month(), 1, 0, 0, 0, 0, time.UTC)
}

func (r *Row) key() string { return r.Source + "/" + strings.ToValidUTF8(r.ExternalID, "") }
