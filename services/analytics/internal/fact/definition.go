package fact

import (
	"bytes"
	"encoding/json"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/analytics/internal/warehouse"
)

type definition struct {
	record
	name, title, kind, state, owner string
	readerRoles, editorRoles        []string
	specVersion                     uint64
	spec                            string
	specTime                        time.Time
	cron                            string
	daysBack                        uint32
	paused                          uint8
}

var definitionTable = warehouse.NewTable("definition",
	with("definition_id", func(r *definition) *record { return &r.record },
		warehouse.Col("name", func(r *definition) string { return r.name }),
		warehouse.Col("title", func(r *definition) string { return r.title }),
		warehouse.Col("kind", func(r *definition) string { return r.kind }),
		warehouse.Col("state", func(r *definition) string { return r.state }),
		warehouse.Col("owner", func(r *definition) string { return r.owner }),
		warehouse.Col("reader_roles", func(r *definition) []string { return r.readerRoles }),
		warehouse.Col("editor_roles", func(r *definition) []string { return r.editorRoles }),
		warehouse.Col("spec_version", func(r *definition) uint64 { return r.specVersion }),
		warehouse.Col("spec", func(r *definition) string { return r.spec }),
		warehouse.Col("spec_time", func(r *definition) time.Time { return r.specTime }),
		warehouse.Col("cron", func(r *definition) string { return r.cron }),
		warehouse.Col("days_back", func(r *definition) uint32 { return r.daysBack }),
		warehouse.Col("paused", func(r *definition) uint8 { return r.paused }),
	)...)

func definitionOf(rec record, s *eventsv1.DefinitionState) (definition, error) {
	f := fields{prefix: "definition"}
	row := definition{
		record: rec, name: s.GetName(), title: s.GetTitle(), kind: s.GetKind(), owner: s.GetOwner(),
		state:       f.oneOf("state", s.GetState(), "active", "archived"),
		readerRoles: s.GetReaderRoles(), editorRoles: s.GetEditorRoles(),
		specVersion: f.need("spec_version", s.GetSpecVersion()),
		cron:        s.GetSchedule().GetCron(), paused: flag(s.GetSchedule().GetPaused()),
		daysBack: f.count("schedule.days_back", s.GetSchedule().GetDaysBack()),
	}
	if row.name == "" {
		f.fail("name", "must not be empty")
	}
	if at := f.time("spec_time", s.GetSpecTime()); at != nil {
		row.specTime = *at
	} else {
		f.fail("spec_time", "must be set")
	}
	var err error
	if row.spec, err = specJSON(s.GetSpec()); err != nil {
		f.fail("spec", "%v", err)
	}
	return row, f.fault()
}

// specJSON renders a message always alike: protojson by itself varies its spaces.
func specJSON(spec proto.Message) (string, error) {
	raw, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(spec)
	if err != nil {
		return "", err
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, raw); err != nil {
		return "", err
	}
	return compact.String(), nil
}
