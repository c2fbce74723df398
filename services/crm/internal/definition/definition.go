// Package definition keeps what analysts define: how customers are valued, what reports show. Each change of a spec makes a
// version that stays for ever, and before a spec is saved analytics compiles it.
package definition

import (
	"bytes"
	"encoding/json"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/cron"
	"tandem.bank/pkg/filter"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	"tandem.bank/services/crm/internal/record"
	"tandem.bank/services/crm/internal/sight"
)

// Row is a definition as Postgres keeps it, with the newest version of its spec.
type Row struct {
	Name        string     `json:"name"`
	Title       string     `json:"title"`
	Description string     `json:"description"`
	Kind        string     `json:"kind"`
	Spec        Spec       `json:"spec"`
	SpecVersion int64      `json:"spec_version"`
	SpecAt      *time.Time `json:"spec_at"`
	SpecAuthor  string     `json:"spec_author"`
	ChangeNote  string     `json:"change_note"`
	Cron        string     `json:"cron"`
	DaysBack    int32      `json:"days_back"`
	Paused      bool       `json:"paused"`
	Owner       string     `json:"owner"`
	ReaderRoles []string   `json:"reader_roles"`
	EditorRoles []string   `json:"editor_roles"`
	State       string     `json:"state"`
}

// Table keeps definitions; the rooms see to who reads which.
var Table = record.NewTable[Row]("definition", sight.Everybody)

var (
	active   = record.EnumText(crmv1.DefinitionState_DEFINITION_STATE_ACTIVE)
	archived = record.EnumText(crmv1.DefinitionState_DEFINITION_STATE_ARCHIVED)
)

var schema = filter.Schema{
	{Name: "definition_id", Column: "definition_id", Kind: filter.Int, Required: true, Indexed: true},
	{Name: "key.source", Column: "source", Kind: filter.Text},
	{Name: "key.external_id", Column: "external_id", Kind: filter.Text},
	{Name: "name", Column: "name", Kind: filter.Text, Required: true},
	{Name: "title", Column: "title", Kind: filter.Text, Required: true},
	{Name: "description", Column: "description", Kind: filter.Text},
	{Name: "kind", Column: "kind", Kind: filter.Enum, Values: record.EnumTexts[crmv1.DefinitionKind](), Required: true},
	{Name: "version", Column: "spec_version", Kind: filter.Int, Required: true},
	{Name: "version_time", Column: "spec_at", Kind: filter.Time, Required: true},
	{Name: "version_author", Column: "spec_author", Kind: filter.Text, Required: true},
	{Name: "change_note", Column: "change_note", Kind: filter.Text},
	{Name: "schedule.cron", Column: "cron", Kind: filter.Text, Required: true},
	{Name: "schedule.paused", Column: "paused", Kind: filter.Bool, Required: true},
	{Name: "owner", Column: "owner", Kind: filter.Text, Required: true},
	{Name: "reader_roles", Column: "reader_roles", Kind: filter.Text, Repeated: filter.Array},
	{Name: "editor_roles", Column: "editor_roles", Kind: filter.Text, Repeated: filter.Array},
	{Name: "state", Column: "state", Kind: filter.Enum, Values: record.EnumTexts[crmv1.DefinitionState](), Required: true},
	{Name: "create_time", Column: "created_at", Kind: filter.Time, Required: true},
	{Name: "update_time", Column: "updated_at", Kind: filter.Time, Required: true},
}

// Spec is a spec in a column of JSON.
type Spec struct{ *definitionv1.Spec }

// MarshalJSON writes it by the names of the contract.
func (s Spec) MarshalJSON() ([]byte, error) {
	return protojson.MarshalOptions{UseProtoNames: true}.Marshal(s.Spec)
}

// UnmarshalJSON reads it; what a newer version wrote and this one does not know is left out.
func (s *Spec) UnmarshalJSON(raw []byte) error {
	s.Spec = &definitionv1.Spec{}
	if bytes.Equal(raw, []byte("null")) {
		return nil
	}
	return protojson.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(raw, s.Spec)
}

var (
	_ json.Marshaler   = Spec{}
	_ json.Unmarshaler = (*Spec)(nil)
)

// kindOf is the name of the field that is set in a spec; empty when none is.
func kindOf(spec *definitionv1.Spec) string {
	m := spec.ProtoReflect()
	if field := m.WhichOneof(m.Descriptor().Oneofs().ByName("kind")); field != nil {
		return string(field.Name())
	}
	return ""
}

func toRow(d *crmv1.Definition) (Row, []record.Reference, []apperr.Violation) {
	var in record.Reader
	row := Row{
		Name: d.GetName(), Title: d.GetTitle(), Description: d.GetDescription(), Kind: kindOf(d.GetSpec()), Spec: Spec{d.GetSpec()},
		SpecVersion: d.GetVersion(), SpecAuthor: d.GetVersionAuthor(), ChangeNote: d.GetChangeNote(),
		Cron: d.GetSchedule().GetCron(), DaysBack: d.GetSchedule().GetDaysBack(), Paused: d.GetSchedule().GetPaused(),
		Owner: d.GetOwner(), ReaderRoles: d.GetReaderRoles(), EditorRoles: d.GetEditorRoles(), State: record.EnumText(d.GetState()),
	}
	if d.GetSchedule() != nil && row.Cron != "" {
		// Which moments it means is for analytics to say, by the bank's clock; whether it means any is alike everywhere.
		if _, err := cron.Parse(row.Cron, time.UTC); err != nil {
			in.Refuse("schedule.cron", err.Error())
		}
	}
	checkRoles(&in, "reader_roles", row.ReaderRoles)
	checkRoles(&in, "editor_roles", row.EditorRoles)
	return row, nil, in.Violations
}

// change keeps what a name stands for, and counts versions: a new one comes with a changed spec and nothing else.
func change(old, updated *Row) error {
	if old == nil {
		updated.SpecVersion, updated.State = 1, active
		return nil
	}
	var in record.Reader
	if old.Name != updated.Name {
		in.Refuse("name", "can't change: runs name it")
	}
	if old.Kind != updated.Kind {
		in.Refuse("spec", "is of the kind "+old.Kind+", which can't change")
	}
	if proto.Equal(old.Spec.Spec, updated.Spec.Spec) {
		updated.SpecVersion, updated.SpecAt, updated.SpecAuthor = old.SpecVersion, old.SpecAt, old.SpecAuthor
		if updated.ChangeNote != old.ChangeNote {
			in.Refuse("change_note", "belongs to a change of the spec, and the spec stays as it is")
		}
	} else {
		updated.SpecVersion = old.SpecVersion + 1
	}
	return in.Err()
}
