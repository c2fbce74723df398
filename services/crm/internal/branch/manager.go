package branch

import (
	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/filter"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/crm/internal/record"
	"tandem.bank/services/crm/internal/sight"
)

// ManagerRow is a manager as Postgres keeps it.
type ManagerRow struct {
	Name         string `json:"name"`
	BranchID     *int64 `json:"branch_id"`
	Login        string `json:"login"`
	SupervisorID *int64 `json:"supervisor_id"`
}

// ManagerTable keeps managers; other rooms refer to it.
var ManagerTable = record.NewTable[ManagerRow]("manager", sight.Everybody)

var managerSchema = filter.Schema{
	{Name: "manager_id", Column: "manager_id", Kind: filter.Int, Required: true, Indexed: true},
	{Name: "key.source", Column: "source", Kind: filter.Text},
	{Name: "key.external_id", Column: "external_id", Kind: filter.Text},
	{Name: "name", Column: "name", Kind: filter.Text, Required: true},
	{Name: "branch_id", Column: "branch_id", Kind: filter.Int},
	{Name: "login", Column: "login", Kind: filter.Text},
	{Name: "supervisor_id", Column: "supervisor_id", Kind: filter.Int},
}

func managerToRow(m *crmv1.Manager) (ManagerRow, []record.Reference, []apperr.Violation) {
	row := ManagerRow{Name: m.GetName(), Login: m.GetLogin()}
	refs := []record.Reference{
		record.Ref("branch_id", BranchTable, m.GetBranchId(), m.GetBranchKey(), &row.BranchID),
		record.Ref("supervisor_id", ManagerTable, m.GetSupervisorId(), m.GetSupervisorKey(), &row.SupervisorID),
	}
	return row, refs, nil
}

func managerToProto(r *record.Record[ManagerRow]) *crmv1.Manager {
	return &crmv1.Manager{
		ManagerId:    r.ID,
		Key:          r.Key(),
		Name:         r.Row.Name,
		BranchId:     record.Value(r.Row.BranchID),
		Login:        r.Row.Login,
		SupervisorId: record.Value(r.Row.SupervisorID),
		Etag:         r.Etag(),
	}
}

// managerEvent leaves the name in Postgres.
func managerEvent(r *record.Record[ManagerRow], c *eventsv1.Change) {
	c.Payload = &eventsv1.Change_Manager{Manager: &eventsv1.ManagerState{BranchId: record.Value(r.Row.BranchID)}}
}
