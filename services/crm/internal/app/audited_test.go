package app

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.yaml.in/yaml/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/dynamicpb"

	"tandem.bank/pkg/auth"
	"tandem.bank/pkg/testkit"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/crm/internal/access"
	"tandem.bank/services/crm/internal/audit"
)

//go:embed testdata/day.txt
var dayText string

// step is a call of the day.
type step struct {
	line    int
	method  protoreflect.MethodDescriptor
	request string
	keep    string
}

// stepLine has method, request and, perhaps, the name of what comes of it.
var stepLine = regexp.MustCompile(`^(\w+)/(\w+) (\{.*\})(?: -> (\w+))?$`)

func daySteps(t *testing.T) []step {
	t.Helper()
	var steps []step
	for i, line := range strings.Split(dayText, "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		parts := stepLine.FindStringSubmatch(line)
		if parts == nil {
			t.Fatalf("day.txt, line %d: not a call", i+1)
		}
		found, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName("tandem.crm.v1." + parts[1] + "." + parts[2]))
		method, ok := found.(protoreflect.MethodDescriptor)
		if err != nil || !ok {
			t.Fatalf("day.txt, line %d: %s/%s is no call of the API", i+1, parts[1], parts[2])
		}
		steps = append(steps, step{line: i + 1, method: method, request: parts[3], keep: parts[4]})
	}
	return steps
}

// day is the bank while the calls are made, one after the other.
type day struct {
	*api
	pool *pgxpool.Pool
	// kept are ids by the names of day.txt.
	kept map[string]string
	// sensitive are the fields, as "Customer.phone", that the policy puts into a class.
	sensitive map[string]bool
	// newest event so far.
	newest int64
	// changed and looked count calls that left events, and that showed what is sensitive.
	changed, looked int
}

// personal are texts and numbers of the customers of the day. None may stand in an entry about a read or a refusal.
var personal = []string{"anarek", "420777123456", "31337", "998877665544", "412345", "9753"}

// TestEveryCallIsOnRecord makes every call of the API and looks at what it left: a change its entry, with the state before
// and after, and an event that names the same actor; a look at what is sensitive one entry, which tells nothing of it.
func TestEveryCallIsOnRecord(t *testing.T) {
	t.Parallel()
	d := newDay(t)
	made := map[string]bool{}
	for _, s := range daySteps(t) {
		d.make(t, s)
		made[shortName(s.method)] = true
	}
	for _, method := range contractMethods() {
		if !made[shortName(method)] {
			t.Errorf("testdata/day.txt has no line for %s", shortName(method))
		}
	}
	if d.changed < 60 || d.looked < 25 {
		t.Errorf("only %d calls changed something, and %d showed what is sensitive: the test looks at nothing", d.changed, d.looked)
	}
	d.checkAuditor(t)
}

// checkAuditor reads the whole audit as somebody who may, but does not see what was changed.
func (d *day) checkAuditor(t *testing.T) {
	t.Helper()
	ctx := d.as(t, "auditor", auth.RoleAnalyst)
	req := &crmv1.ListAuditEntriesRequest{PageSize: 1000}
	answer, err := crmv1.NewAuditServiceClient(d.conn).ListAuditEntries(ctx, req)
	if err != nil || len(answer.GetEntries()) < d.changed+d.looked {
		t.Fatalf("%d entries, %v", len(answer.GetEntries()), err)
	}
	for _, e := range answer.GetEntries() {
		if told := tells(trace{text: strings.Join([]string{e.GetActor(), e.GetPeer(), e.GetMethod(), e.GetEntity(), e.GetBefore(), e.GetAfter()}, " ")}); told != "" || strings.Trim(e.GetBefore()+e.GetAfter(), "•") != "" {
			t.Errorf("the auditor sees %q in %v", told, e)
		}
	}
}

func newDay(t *testing.T) *day {
	t.Helper()
	d := &day{kept: map[string]string{}, sensitive: sensitiveFields(t)}
	policy, err := access.Load("")
	if err != nil {
		t.Fatal(err)
	}
	before, analyst, _ := strings.Cut(policy.Text, "\n  analyst:\n")
	text := before + "\n  analyst:\n" + strings.Replace(analyst, "    may:\n", "    may:\n      - audit.read\n", 1)
	file := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	d.api, d.pool = serveAPIOn(t, file)
	for i := range 3 {
		_, public, err := auth.EnsureKeyPair(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		pem, err := os.ReadFile(public)
		if err != nil {
			t.Fatal(err)
		}
		quoted, err := json.Marshal(string(pem))
		if err != nil {
			t.Fatal(err)
		}
		d.kept[fmt.Sprint("key", i+1)] = strings.Trim(string(quoted), `"`)
	}
	return d
}

// sensitiveFields reads the classes of the policy.
func sensitiveFields(t *testing.T) map[string]bool {
	t.Helper()
	policy, err := access.Load("")
	if err != nil {
		t.Fatal(err)
	}
	var classes struct {
		Fields map[string]struct{ Fields map[string]string }
	}
	if err := yaml.Unmarshal([]byte(policy.Text), &classes); err != nil {
		t.Fatal(err)
	}
	out := map[string]bool{}
	for _, class := range classes.Fields {
		for field := range class.Fields {
			out[field] = true
		}
	}
	return out
}

const worker = "eva@bank"

// make makes a call of the day and checks its traces.
func (d *day) make(t *testing.T, s step) {
	t.Helper()
	id := uuid.NewString()
	ctx := metadata.AppendToOutgoingContext(d.as(t, worker, auth.RoleAdministrator), audit.RequestIDKey, id)
	answers, err := d.call(ctx, s)
	if err != nil {
		t.Fatalf("day.txt, line %d: %s: %v", s.line, shortName(s.method), err)
	}
	what := fmt.Sprintf("day.txt, line %d: %s", s.line, shortName(s.method))
	entries, events := d.entries(t, id), d.events(t)
	for _, e := range entries {
		if e.actor != worker || e.peer == "" || e.method != fullName(s.method) || !e.recent {
			t.Errorf("%s: who, from where, how or when is wrong: %+v", what, e)
		}
	}
	d.checkChanges(t, what, entries, events)
	d.checkReads(t, what, entries, events, answers)
	if s.keep != "" && len(answers) > 0 {
		d.kept[s.keep] = idOf(answers[0].ProtoReflect(), s.keep == keyID)
	}
}

// call sends the request of a step and collects the answers.
func (d *day) call(ctx context.Context, s step) (answers []proto.Message, err error) {
	request, err := d.request(s)
	if err != nil {
		return nil, err
	}
	if answers, err = d.send(ctx, s.method, request); err != nil {
		return nil, err
	}
	return answers, refusedRow(answers)
}

// request is what a step sends, with the ids that are known by now.
func (d *day) request(s step) (proto.Message, error) {
	request := dynamicpb.NewMessage(s.method.Input())
	text := os.Expand(s.request, func(name string) string { return d.kept[name] })
	if err := protojson.Unmarshal([]byte(text), request); err != nil {
		return nil, fmt.Errorf("%s: %w", text, err)
	}
	return request, nil
}

// refusedRow finds a row of a batch that was not taken.
func refusedRow(answers []proto.Message) error {
	for _, answer := range answers {
		text := protojson.MarshalOptions{}.Format(answer)
		if strings.Contains(text, `"error":`) {
			return errors.New(text)
		}
	}
	return nil
}

// trace is an entry as it lies in the table; text is all of it that may tell something, without numbers and times, in which
// anything may be found by chance.
type trace struct {
	actor, peer, method, action, entity, text string
	entityID, version                         int64
	before, after                             map[string]any
	customers                                 int
	recent                                    bool
}

func (d *day) entries(t *testing.T, requestID string) []trace {
	t.Helper()
	rows, err := d.pool.Query(t.Context(), `SELECT actor, peer, method, action, entity, concat_ws(' ', actor, peer, method, entity, before, after), entity_id, version, before, after,
	coalesce(cardinality(customer_ids), 0) + (customer_id IS NOT NULL)::int, at > now() - interval '5 minutes'
FROM audit_entry e WHERE request_id = $1 ORDER BY entry_id`, requestID)
	if err != nil {
		t.Fatal(err)
	}
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (e trace, err error) {
		err = row.Scan(&e.actor, &e.peer, &e.method, &e.action, &e.entity, &e.text, &e.entityID, &e.version, &e.before, &e.after, &e.customers, &e.recent)
		return e, err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// events are those since the call before.
func (d *day) events(t *testing.T) (out []*eventsv1.Change) {
	t.Helper()
	rows, err := d.pool.Query(t.Context(), "SELECT outbox_id, payload FROM outbox WHERE outbox_id > $1 ORDER BY outbox_id", d.newest)
	if err != nil {
		t.Fatal(err)
	}
	var payload []byte
	if _, err := pgx.ForEachRow(rows, []any{&d.newest, &payload}, func() error {
		change := &eventsv1.Change{}
		out = append(out, change)
		return proto.Unmarshal(payload, change)
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

// checkChanges finds for each event the entry of its change, and for each entry of a change what it changed.
func (d *day) checkChanges(t *testing.T, what string, entries []trace, events []*eventsv1.Change) {
	t.Helper()
	for _, change := range events {
		bundle := strings.HasSuffix(change.GetEntity(), "_bundle")
		told := slices.ContainsFunc(entries, func(e trace) bool {
			return e.entity == change.GetEntity() && e.action != "read" && (bundle || e.entityID == change.GetEntityId() && e.version == change.GetVersion())
		})
		if !told || change.GetActor() != worker {
			t.Errorf("%s: version %d of %s %d by %q, entry %v", what, change.GetVersion(), change.GetEntity(), change.GetEntityId(), change.GetActor(), told)
		}
	}
	for _, e := range entries {
		switch e.action {
		case "create":
			if len(e.before) != 0 || len(e.after) == 0 {
				t.Errorf("%s: created from %v as %v", what, e.before, e.after)
			}
		case "update":
			if len(e.after) == 0 || len(e.before) != len(e.after) && !strings.HasSuffix(e.entity, "_bundle") {
				t.Errorf("%s: changed from %v to %v", what, e.before, e.after)
			}
		}
	}
}

// checkReads wants one entry for a look at what is sensitive, and nothing of it in the entry.
func (d *day) checkReads(t *testing.T, what string, entries []trace, events []*eventsv1.Change, answers []proto.Message) {
	t.Helper()
	reads := 0
	for _, e := range entries {
		if e.action != "read" {
			continue
		}
		reads++
		if e.customers == 0 || e.version != 0 || len(e.before) != 0 {
			t.Errorf("%s: a read of nobody, or of a change: %s", what, e.text)
		}
		if told := tells(e); told != "" {
			t.Errorf("%s: %q in %s", what, told, e.text)
		}
	}
	shown := ""
	for _, answer := range answers {
		shown += d.shown(answer.ProtoReflect())
	}
	if len(events) > 0 {
		d.changed++
	} else if shown != "" {
		d.looked++
	}
	switch {
	case shown != "" && len(events) == 0 && reads != 1:
		t.Errorf("%s: %s shown, %d entries about reads, want one", what, shown, reads)
	case reads > 1 || len(events) > 0 && reads > 0:
		t.Errorf("%s: %d entries about reads beside %d events", what, reads, len(events))
	}
}

// tells finds something personal in an entry.
func tells(e trace) string {
	for _, text := range personal {
		if strings.Contains(e.text, text) {
			return text
		}
	}
	return ""
}

// shown names the sensitive fields that are set in a message.
func (d *day) shown(m protoreflect.Message) (names string) {
	m.Range(func(f protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		name := string(f.Parent().Name()) + "." + string(f.Name())
		switch {
		case d.sensitive[name]:
			names += name + " "
		case f.Message() == nil || f.IsMap():
		case f.IsList():
			for i := range value.List().Len() {
				names += d.shown(value.List().Get(i).Message())
			}
		default:
			names += d.shown(value.Message())
		}
		return true
	})
	return names
}

// keyID is the name of what is kept of a service account's newest key.
const keyID = "keyid"

// idOf finds what came of a call: the id of the first row, or of the record that the answer holds, or of its newest key.
func idOf(m protoreflect.Message, key bool) (id string) {
	fields := m.Descriptor().Fields()
	if results := fields.ByName("results"); results != nil {
		first := m.Get(results).List().Get(0).Message()
		return first.Get(first.Descriptor().Fields().ByName("id")).String()
	}
	m.Range(func(f protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		if f.Message() == nil || f.IsMap() {
			return true
		}
		record := value
		if f.IsList() {
			record = value.List().Get(0)
		}
		inner := record.Message()
		if keys := inner.Descriptor().Fields().ByName("keys"); key {
			all := inner.Get(keys).List()
			last := all.Get(all.Len() - 1).Message()
			id = last.Get(last.Descriptor().Fields().ByName("key_id")).String()
		} else if number := inner.Descriptor().Fields().Get(0); number.Kind() == protoreflect.Int64Kind {
			id = inner.Get(number).String()
		}
		return id == ""
	})
	return id
}

// TestEveryRefusalIsOnRecord makes every call as somebody who may make none: one entry each, which says who tried what,
// and nothing of what was sent.
func TestEveryRefusalIsOnRecord(t *testing.T) {
	t.Parallel()
	d := newDay(t)
	token := testkit.WithToken(t.Context(), d.callers.Token(t, "nobody@bank"))
	for _, s := range daySteps(t) {
		id := uuid.NewString()
		d.kept = map[string]string{"customer": "42"}
		s.request = regexp.MustCompile(`"\$\w+"`).ReplaceAllStringFunc(s.request, func(name string) string {
			if name == `"$customer"` {
				return name
			}
			return `"1"`
		})
		_, err := d.call(metadata.AppendToOutgoingContext(token, audit.RequestIDKey, id), s)
		if status.Code(err) != codes.PermissionDenied {
			t.Errorf("%s: %v, want PERMISSION_DENIED", shortName(s.method), err)
			continue
		}
		entries := d.entries(t, id)
		if len(entries) != 1 {
			t.Errorf("%s: %d entries about the refusal", shortName(s.method), len(entries))
			continue
		}
		e := entries[0]
		if e.action != "denied" || e.actor != "nobody@bank" || e.peer == "" || e.method != fullName(s.method) || len(e.before)+len(e.after) > 0 || tells(e) != "" {
			t.Errorf("%s: %+v", shortName(s.method), e)
		}
		if asked := strings.Contains(s.request, `"customerId":"$customer"`) && !s.method.IsStreamingClient(); asked && e.customers == 0 {
			t.Errorf("%s: the entry does not say whom it was to be about: %s", shortName(s.method), e.text)
		}
	}
	if len(d.events(t)) != 0 {
		t.Error("a refused call left an event")
	}
}
