package contract

import (
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/shopspring/decimal"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/filter"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/crm/internal/customer"
	"tandem.bank/services/crm/internal/record"
	"tandem.bank/services/crm/internal/sight"
)

// PartyRow is a party as Postgres keeps it: both its days belong to it.
type PartyRow struct {
	ContractID *int64              `json:"contract_id"`
	CustomerID *int64              `json:"customer_id"`
	Role       string              `json:"role"`
	Share      decimal.NullDecimal `json:"share"`
	ValidFrom  pgtype.Date         `json:"valid_from"`
	ValidTo    pgtype.Date         `json:"valid_to"`
}

// PartyTable keeps parties.
var PartyTable = record.NewTable[PartyRow]("contract_party",
	sight.Any(sight.ByContract("contract_party.contract_id"), sight.ByCustomer("contract_party.customer_id")))

// currentParty selects the parties of today, by the calendar of the database session.
const currentParty = "(valid_from IS NULL OR valid_from <= current_date) AND (valid_to IS NULL OR valid_to >= current_date)"

var partySchema = filter.Schema{
	{Name: "contract_party_id", Column: "contract_party_id", Kind: filter.Int, Required: true, Indexed: true},
	{Name: "key.source", Column: "source", Kind: filter.Text},
	{Name: "key.external_id", Column: "external_id", Kind: filter.Text},
	{Name: "contract_id", Column: "contract_id", Kind: filter.Int, Required: true},
	{Name: "customer_id", Column: "customer_id", Kind: filter.Int, Required: true},
	{Name: "role", Column: "role", Kind: filter.Enum, Values: record.EnumTexts[crmv1.PartyRole](), Required: true},
	{Name: "share", Column: "share", Kind: filter.Decimal},
	{Name: "valid_from", Column: "valid_from", Kind: filter.Date},
	{Name: "valid_to", Column: "valid_to", Kind: filter.Date},
	{Name: "create_time", Column: "created_at", Kind: filter.Time, Required: true},
	{Name: "update_time", Column: "updated_at", Kind: filter.Time, Required: true},
}

func partyToRow(p *crmv1.ContractParty) (PartyRow, []record.Reference, []apperr.Violation) {
	var in record.Reader
	row := PartyRow{
		Role:      record.EnumText(p.GetRole()),
		Share:     in.Decimal("share", p.GetShare()),
		ValidFrom: in.Date("valid_from", p.GetValidFrom()),
		ValidTo:   in.Date("valid_to", p.GetValidTo()),
	}
	in.Need("contract_id", p.GetContractId(), p.GetContractKey())
	in.Need("customer_id", p.GetCustomerId(), p.GetCustomerKey())
	in.NotBefore("valid_to", row.ValidTo, "valid_from", row.ValidFrom)
	refs := []record.Reference{
		record.Ref("contract_id", Table, p.GetContractId(), p.GetContractKey(), &row.ContractID),
		record.Ref("customer_id", customer.Table, p.GetCustomerId(), p.GetCustomerKey(), &row.CustomerID),
	}
	return row, refs, in.Violations
}

func partyToProto(r *record.Record[PartyRow]) *crmv1.ContractParty {
	return &crmv1.ContractParty{
		ContractPartyId: r.ID,
		Key:             r.Key(),
		ContractId:      record.Value(r.Row.ContractID),
		CustomerId:      record.Value(r.Row.CustomerID),
		Role:            record.EnumValue[crmv1.PartyRole](r.Row.Role),
		Share:           record.DecimalText(r.Row.Share),
		ValidFrom:       record.DateProto(r.Row.ValidFrom),
		ValidTo:         record.DateProto(r.Row.ValidTo),
		Etag:            r.Etag(),
		CreateTime:      timestamppb.New(r.CreatedAt),
		UpdateTime:      timestamppb.New(r.UpdatedAt),
	}
}

func partyEvent(r *record.Record[PartyRow], c *eventsv1.Change) {
	c.Payload = &eventsv1.Change_ContractParty{ContractParty: &eventsv1.ContractPartyState{
		ContractId: record.Value(r.Row.ContractID),
		CustomerId: record.Value(r.Row.CustomerID),
		Role:       r.Row.Role,
		Share:      record.DecimalText(r.Row.Share),
		ValidFrom:  record.DateText(r.Row.ValidFrom),
		ValidTo:    record.DateText(r.Row.ValidTo),
	}}
}
