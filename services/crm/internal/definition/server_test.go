package definition_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/auth"
	"tandem.bank/pkg/testkit"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/crm/internal/definition"
	"tandem.bank/services/crm/internal/outbox"
	"tandem.bank/services/crm/migrations"
)

var template = testkit.Template{Name: "definition", Migrate: migrations.Migrate}

// Analytics is asked with the caller's token, or in the name of a service account, whose tokens it does not know.
func TestInWhoseName(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.create(t, "evas")
	if got := strings.Join(b.analytics.tokens, " "); got != "Bearer eva" {
		t.Errorf("asked with %q", got)
	}
	program := auth.WithPrincipal(as(t, "service:planner"), auth.Principal{
		Subject: "service:planner", Roles: []string{auth.RoleAnalyst}, ServiceAccount: true,
	})
	request := &crmv1.CreateDefinitionRequest{Definition: &crmv1.Definition{Name: "planners", Title: "planners", Spec: rfm(90)}}
	if _, err := b.server.CreateDefinition(program, request); err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(strings.Join(b.analytics.tokens, " "), ".")
	if len(parts) != 3 {
		t.Fatalf("asked with %d parts of a token", len(parts))
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(text, &claims); err != nil {
		t.Fatal(err)
	}
	if claims["iss"] != "crm-test" || claims["sub"] != "service:planner" || fmt.Sprint(claims["roles"], claims["act"]) != "[analyst] map[sub:crm]" {
		t.Errorf("asked with the claims %v", claims)
	}
}

// analytics answers as the other half does, to the one question that is asked: windows of 13 days are refused.
type analytics struct {
	analyticsv1.UnimplementedDefinitionServiceServer
	tokens []string
}

func (a *analytics) CompileDefinition(ctx context.Context, req *analyticsv1.CompileDefinitionRequest) (*analyticsv1.CompileDefinitionResponse, error) {
	a.tokens = metadata.ValueFromIncomingContext(ctx, "authorization")
	if req.GetSpec().GetRfm().GetWindowDays() == 13 {
		err := apperr.InvalidField("spec.rfm.window_days", "brings bad luck to %s", req.GetName())
		var known *apperr.Error
		errors.As(err, &known)
		return nil, known.GRPCStatus().Err()
	}
	return &analyticsv1.CompileDefinitionResponse{Kind: "rfm"}, nil
}

// bundle is the room in front of a database.
type bundle struct {
	pool      *pgxpool.Pool
	server    *definition.Server
	analytics *analytics
	// stop takes analytics away.
	stop func()
}

func setup(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{pool: testkit.Postgres(t, template), analytics: &analytics{}}
	other := grpc.NewServer()
	analyticsv1.RegisterDefinitionServiceServer(other, b.analytics)
	listener := bufconn.Listen(1 << 16)
	go func() { _ = other.Serve(listener) }()
	b.stop = other.Stop
	conn, err := grpc.NewClient("passthrough:///analytics", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = conn.Close()
		other.Stop()
	})
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	delegate := definition.NewDelegate(key, "crm-test", auth.DefaultAudience)
	b.server = definition.NewServer(b.pool, slog.New(slog.DiscardHandler), definition.NewAnalytics(conn, delegate))
	return b
}

// as is a call by somebody.
func as(t *testing.T, subject string, roles ...string) context.Context {
	t.Helper()
	ctx := metadata.NewIncomingContext(t.Context(), metadata.Pairs("authorization", "Bearer "+subject))
	return outbox.WithActor(auth.WithPrincipal(ctx, auth.Principal{Subject: subject, Roles: roles}), subject)
}

func rfm(days int32) *definitionv1.Spec {
	return &definitionv1.Spec{Kind: &definitionv1.Spec_Rfm{Rfm: &definitionv1.RfmDefinition{WindowDays: days, FrequencyEdges: []int64{2, 3, 5, 8}}}}
}

func (b *bundle) create(t *testing.T, name string, edit ...func(*crmv1.Definition)) *crmv1.Definition {
	t.Helper()
	d := &crmv1.Definition{Name: name, Title: name, Spec: rfm(90)}
	for _, e := range edit {
		e(d)
	}
	answer, err := b.server.CreateDefinition(as(t, "eva", auth.RoleAnalyst), &crmv1.CreateDefinitionRequest{Definition: d})
	if err != nil {
		t.Fatal(err)
	}
	return answer.GetDefinition()
}

func code(t *testing.T, what string, err error, want codes.Code) {
	t.Helper()
	if status.Code(err) != want {
		t.Errorf("%s gave %v, want %s", what, err, want)
	}
}

// A changed spec makes a version; old ones stay, by number and by time.
func TestVersions(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := as(t, "eva", auth.RoleAnalyst)
	first := b.create(t, "monthly", func(d *crmv1.Definition) {
		d.Owner, d.Version, d.State = "somebody", 17, crmv1.DefinitionState_DEFINITION_STATE_ARCHIVED // output only
		d.ChangeNote = "first"
	})
	if first.GetVersion() != 1 || first.GetOwner() != "eva" || first.GetState() != crmv1.DefinitionState_DEFINITION_STATE_ACTIVE ||
		first.GetKind() != crmv1.DefinitionKind_DEFINITION_KIND_RFM || first.GetVersionAuthor() != "eva" || !slices.Contains(b.analytics.tokens, "Bearer eva") {
		t.Fatalf("%v; tokens %v", first, b.analytics.tokens)
	}
	update := func(edit *crmv1.Definition, paths ...string) (*crmv1.Definition, error) {
		edit.DefinitionId = first.GetDefinitionId()
		answer, err := b.server.UpdateDefinition(ctx, &crmv1.UpdateDefinitionRequest{Definition: edit, UpdateMask: &fieldmaskpb.FieldMask{Paths: paths}})
		return answer.GetDefinition(), err
	}
	second, err := update(&crmv1.Definition{Spec: rfm(60), Title: "Better"}, "spec.rfm.window_days", "title")
	if err != nil || second.GetVersion() != 2 || second.GetChangeNote() != "" || len(second.GetSpec().GetRfm().GetFrequencyEdges()) != 4 {
		t.Fatalf("%v, %v", second, err)
	}
	same, err := update(&crmv1.Definition{Title: "Best", Schedule: &definitionv1.Schedule{Cron: "@monthly"}}, "title", "schedule")
	if err != nil || same.GetVersion() != 2 || !proto.Equal(same.GetVersionTime(), second.GetVersionTime()) || same.GetEtag() == second.GetEtag() {
		t.Fatalf("%v, %v", same, err)
	}
	for what, c := range map[string]struct {
		edit  *crmv1.Definition
		paths []string
	}{
		"another name":        {&crmv1.Definition{Name: "other"}, []string{"name"}},
		"another owner":       {&crmv1.Definition{Owner: "me"}, []string{"owner"}},
		"another kind":        {&crmv1.Definition{Spec: &definitionv1.Spec{Kind: &definitionv1.Spec_Clv{Clv: &definitionv1.ClvDefinition{}}}}, []string{"spec"}},
		"a note to nothing":   {&crmv1.Definition{ChangeNote: "why not"}, []string{"change_note"}},
		"no spec":             {&crmv1.Definition{}, []string{"spec"}},
		"a broken spec":       {&crmv1.Definition{Spec: rfm(-1)}, []string{"spec"}},
		"no moment":           {&crmv1.Definition{Schedule: &definitionv1.Schedule{Cron: "0 0 31 2 *"}}, []string{"schedule"}},
		"what can't be run":   {&crmv1.Definition{Spec: rfm(13)}, []string{"spec"}},
		"an unknown field":    {&crmv1.Definition{}, []string{"nothing"}},
		"a role there is not": {&crmv1.Definition{ReaderRoles: []string{"king"}}, []string{"reader_roles"}},
	} {
		_, err := update(c.edit, c.paths...)
		code(t, what, err, codes.InvalidArgument)
	}
	_, err = update(&crmv1.Definition{Spec: rfm(13)}, "spec")
	if text := status.Convert(err).Message(); text != "definition.spec.rfm.window_days: brings bad luck to monthly" {
		t.Errorf("analytics' refusal became %q", text)
	}
	b.versions(ctx, t, second)
}

// versions reads the history of a definition with two versions.
func (b *bundle) versions(ctx context.Context, t *testing.T, second *crmv1.Definition) {
	t.Helper()
	id := second.GetDefinitionId()
	for what, c := range map[string]struct {
		req     *crmv1.GetDefinitionRequest
		version int64
		days    int32
	}{
		"the newest":        {&crmv1.GetDefinitionRequest{Name: "monthly"}, 2, 60},
		"the first":         {&crmv1.GetDefinitionRequest{DefinitionId: id, Version: 1}, 1, 90},
		"before the second": {&crmv1.GetDefinitionRequest{Name: "monthly", AsOf: timestamppb.New(second.GetVersionTime().AsTime().Add(-1e3))}, 1, 90},
		"with the second":   {&crmv1.GetDefinitionRequest{Name: "monthly", AsOf: second.GetVersionTime()}, 2, 60},
	} {
		answer, err := b.server.GetDefinition(ctx, c.req)
		if d := answer.GetDefinition(); err != nil || d.GetVersion() != c.version || d.GetSpec().GetRfm().GetWindowDays() != c.days || d.GetTitle() != "Best" {
			t.Errorf("%s: %v, %v", what, d, err)
		}
	}
	for _, req := range []*crmv1.GetDefinitionRequest{
		{Name: "nobody"}, {DefinitionId: id, Version: 3}, {DefinitionId: id, AsOf: timestamppb.New(time.Unix(0, 0))},
	} {
		_, err := b.server.GetDefinition(ctx, req)
		code(t, req.String(), err, codes.NotFound)
	}
	page, err := b.server.ListDefinitionVersions(ctx, &crmv1.ListDefinitionVersionsRequest{DefinitionId: id, PageSize: 1})
	if err != nil || len(page.GetVersions()) != 1 || page.GetVersions()[0].GetVersion() != 2 || page.GetNextPageToken() == "" {
		t.Fatalf("%v, %v", page, err)
	}
	page, err = b.server.ListDefinitionVersions(ctx, &crmv1.ListDefinitionVersionsRequest{DefinitionId: id, PageSize: 1, PageToken: page.GetNextPageToken()})
	if v := page.GetVersions(); err != nil || len(v) != 1 || v[0].GetChangeNote() != "first" || v[0].GetAuthor() != "eva" || page.GetNextPageToken() != "" {
		t.Fatalf("%v, %v", page, err)
	}
	page, err = b.server.ListDefinitionVersions(ctx, &crmv1.ListDefinitionVersionsRequest{
		DefinitionId: id, OrderBy: "version", Filter: `change_note = "first"`, Count: crmv1.CountMode_COUNT_MODE_EXACT,
	})
	if v := page.GetVersions(); err != nil || len(v) != 1 || v[0].GetVersion() != 1 || page.GetCount().GetValue() != 1 {
		t.Fatalf("%v, %v", page, err)
	}
	if _, err := b.pool.Exec(t.Context(), "UPDATE definition_version SET author = 'me'"); err == nil {
		t.Error("a version was changed")
	}
}

// Each change leaves one event with the state, and one entry in the audit.
func TestEvents(t *testing.T) {
	t.Parallel()
	b := setup(t)
	d := b.create(t, "monthly", func(d *crmv1.Definition) {
		d.ReaderRoles, d.Schedule, d.Description = []string{"manager"}, &definitionv1.Schedule{Cron: "0 6 1 * *", DaysBack: 2}, "For the board."
	})
	_, err := b.server.ArchiveDefinition(as(t, "eva", auth.RoleAnalyst), &crmv1.ArchiveDefinitionRequest{DefinitionId: d.GetDefinitionId()})
	if err != nil {
		t.Fatal(err)
	}
	rows, err := b.pool.Query(t.Context(), "SELECT payload FROM outbox WHERE entity = 'definition' ORDER BY version")
	if err != nil {
		t.Fatal(err)
	}
	var states []*eventsv1.DefinitionState
	for rows.Next() {
		var raw []byte
		var change eventsv1.Change
		if err := errors.Join(rows.Scan(&raw), proto.Unmarshal(raw, &change)); err != nil {
			t.Fatal(err)
		}
		states = append(states, change.GetDefinition())
	}
	if len(states) != 2 || states[0].GetState() != "active" || states[1].GetState() != "archived" {
		t.Fatal(states)
	}
	want := &eventsv1.DefinitionState{
		Name: "monthly", Title: "monthly", Kind: "rfm", State: "archived", Owner: "eva", ReaderRoles: []string{"manager"}, SpecVersion: 1,
		Spec: rfm(90), SpecTime: d.GetVersionTime(), Schedule: &definitionv1.Schedule{Cron: "0 6 1 * *", DaysBack: 2},
	}
	if !proto.Equal(states[1], want) {
		t.Errorf("%v, want %v", states[1], want)
	}
	var entries int
	if err := b.pool.QueryRow(t.Context(), "SELECT count(*) FROM audit_entry WHERE entity = 'definition'").Scan(&entries); err != nil || entries != 2 {
		t.Errorf("%d entries, %v", entries, err)
	}
}

// Owners share; editors change; readers read; for all others the definition is not there.
func TestSharing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.create(t, "monthly").GetDefinitionId()
	b.create(t, "other", func(d *crmv1.Definition) { d.ReaderRoles = []string{auth.RoleManager} })
	eva, jan, mia, boss := as(t, "eva", auth.RoleAnalyst), as(t, "jan", auth.RoleAnalyst), as(t, "mia", auth.RoleMarketer), as(t, "boss", auth.RoleAdministrator)
	get := func(ctx context.Context) error {
		_, err := b.server.GetDefinition(ctx, &crmv1.GetDefinitionRequest{DefinitionId: id})
		return err
	}
	edit := func(ctx context.Context) error {
		_, err := b.server.UpdateDefinition(ctx, &crmv1.UpdateDefinitionRequest{Definition: &crmv1.Definition{DefinitionId: id, Description: uuid.NewString()}})
		return err
	}
	share := func(ctx context.Context, owner string, readers, editors []string) error {
		_, err := b.server.ShareDefinition(ctx, &crmv1.ShareDefinitionRequest{DefinitionId: id, ReaderRoles: readers, EditorRoles: editors, Owner: owner})
		return err
	}
	names := func(ctx context.Context) (out []string) {
		page, err := b.server.ListDefinitions(ctx, &crmv1.ListDefinitionsRequest{OrderBy: "name", Count: crmv1.CountMode_COUNT_MODE_EXACT, Filter: "state = active"})
		if err != nil || page.GetCount().GetValue() != int64(len(page.GetDefinitions())) {
			t.Fatalf("%v, %v", page, err)
		}
		for _, d := range page.GetDefinitions() {
			out = append(out, d.GetName())
		}
		return out
	}
	code(t, "a stranger reads", get(mia), codes.NotFound)
	code(t, "a stranger edits", edit(mia), codes.NotFound)
	code(t, "another analyst reads", get(jan), codes.OK)
	code(t, "another analyst edits", edit(jan), codes.PermissionDenied)
	code(t, "another analyst shares", share(jan, "jan", nil, nil), codes.PermissionDenied)
	code(t, "an administrator edits", edit(boss), codes.OK)
	if got := names(mia); got != nil {
		t.Errorf("a stranger lists %v", got)
	}
	code(t, "with nobody known", share(eva, "", []string{"king"}, nil), codes.InvalidArgument)
	code(t, "the owner shares", share(eva, "", []string{auth.RoleMarketer}, []string{auth.RoleAnalyst}), codes.OK)
	code(t, "a reader reads", get(mia), codes.OK)
	code(t, "a reader edits", edit(mia), codes.PermissionDenied)
	code(t, "an editor edits", edit(jan), codes.OK)
	if got := names(mia); !slices.Equal(got, []string{"monthly"}) {
		t.Errorf("a reader lists %v", got)
	}
	if got := names(eva); !slices.Equal(got, []string{"monthly", "other"}) {
		t.Errorf("an analyst lists %v", got)
	}
	code(t, "the owner gives it away", share(eva, "jan", nil, nil), codes.OK)
	code(t, "the former owner edits", edit(eva), codes.PermissionDenied)
	code(t, "the new owner edits", edit(jan), codes.OK)
}

func TestArchive(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx, d := as(t, "eva", auth.RoleAnalyst), b.create(t, "monthly")
	archive := &crmv1.ArchiveDefinitionRequest{DefinitionId: d.GetDefinitionId(), Etag: d.GetEtag(), RequestId: uuid.NewString()}
	for range 2 { // the same call again gives the same answer
		answer, err := b.server.ArchiveDefinition(ctx, archive)
		if err != nil || answer.GetDefinition().GetState() != crmv1.DefinitionState_DEFINITION_STATE_ARCHIVED {
			t.Fatalf("%v, %v", answer, err)
		}
	}
	_, err := b.server.ArchiveDefinition(ctx, &crmv1.ArchiveDefinitionRequest{DefinitionId: d.GetDefinitionId()})
	code(t, "archiving twice", err, codes.FailedPrecondition)
	edit := &crmv1.UpdateDefinitionRequest{Definition: &crmv1.Definition{DefinitionId: d.GetDefinitionId(), Title: "New"}}
	_, err = b.server.UpdateDefinition(ctx, edit)
	code(t, "changing what is archived", err, codes.FailedPrecondition)
	_, err = b.server.RestoreDefinition(ctx, &crmv1.RestoreDefinitionRequest{DefinitionId: d.GetDefinitionId(), Etag: d.GetEtag()})
	code(t, "an old etag", err, codes.Aborted)
	restored, err := b.server.RestoreDefinition(ctx, &crmv1.RestoreDefinitionRequest{DefinitionId: d.GetDefinitionId()})
	if err != nil || restored.GetDefinition().GetVersion() != 1 || restored.GetDefinition().GetState() != crmv1.DefinitionState_DEFINITION_STATE_ACTIVE {
		t.Fatalf("%v, %v", restored, err)
	}
	edit.Definition.Etag = d.GetEtag()
	_, err = b.server.UpdateDefinition(ctx, edit)
	code(t, "an old etag", err, codes.Aborted)
}

// Without analytics no spec is saved; all else goes on.
func TestWithoutAnalytics(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx, d := as(t, "eva", auth.RoleAnalyst), b.create(t, "monthly")
	b.stop()
	began := time.Now()
	_, err := b.server.CreateDefinition(ctx, &crmv1.CreateDefinitionRequest{Definition: &crmv1.Definition{Name: "new", Title: "New", Spec: rfm(1)}})
	code(t, "creating", err, codes.Unavailable)
	var known *apperr.Error
	if !errors.As(err, &known) || known.Reason != definition.ReasonAnalyticsUnavailable || strings.Contains(known.Message, "connection") {
		t.Errorf("%v", err)
	}
	_, err = b.server.UpdateDefinition(ctx, &crmv1.UpdateDefinitionRequest{Definition: &crmv1.Definition{DefinitionId: d.GetDefinitionId(), Spec: rfm(30)}})
	code(t, "changing a spec", err, codes.Unavailable)
	_, err = b.server.UpdateDefinition(ctx, &crmv1.UpdateDefinitionRequest{Definition: &crmv1.Definition{DefinitionId: d.GetDefinitionId(), Title: "Other"}})
	code(t, "changing a title", err, codes.OK)
	_, err = b.server.GetDefinition(ctx, &crmv1.GetDefinitionRequest{Name: "monthly"})
	code(t, "reading", err, codes.OK)
	if waited := time.Since(began); waited > 10*time.Second {
		t.Errorf("somebody waited %s", waited)
	}
	var saved int
	if err := b.pool.QueryRow(t.Context(), "SELECT count(*) FROM definition WHERE name = 'new'").Scan(&saved); err != nil || saved != 0 {
		t.Errorf("%d saved, %v", saved, err)
	}
}

// Names and keys are unique, and a repeated call is one.
func TestCreate(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := as(t, "eva", auth.RoleAnalyst)
	req := &crmv1.CreateDefinitionRequest{Definition: &crmv1.Definition{Name: "monthly", Title: "Monthly", Spec: rfm(90)}, RequestId: uuid.NewString()}
	first, err := b.server.CreateDefinition(ctx, req)
	if err != nil {
		t.Fatal(err)
	}
	again, err := b.server.CreateDefinition(ctx, req)
	if err != nil || !proto.Equal(first, again) {
		t.Errorf("%v, %v", again, err)
	}
	req.RequestId = ""
	_, err = b.server.CreateDefinition(ctx, req)
	code(t, "a name that is taken", err, codes.AlreadyExists)
	for _, name := range []string{"", "Monthly", "1st", strings.Repeat("a", 64)} {
		_, err := b.server.CreateDefinition(ctx, &crmv1.CreateDefinitionRequest{Definition: &crmv1.Definition{Name: name, Title: "x", Spec: rfm(1)}})
		code(t, "the name "+name, err, codes.InvalidArgument)
	}
}
