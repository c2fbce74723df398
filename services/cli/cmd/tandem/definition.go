package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/cli/internal/definitionfile"
)

// DefinitionCmd groups what is done with definitions.
type DefinitionCmd struct {
	Apply   DefinitionApplyCmd   `cmd:"" help:"Create or change definitions so that they are as YAML files say."`
	Init    DefinitionInitCmd    `cmd:"" help:"Create the definitions that come with Tandem, as far as they are missing."`
	List    DefinitionListCmd    `cmd:"" help:"List definitions."`
	Show    DefinitionShowCmd    `cmd:"" help:"Print a definition as YAML, in any version."`
	History DefinitionHistoryCmd `cmd:"" help:"List the versions of a definition."`
	Archive DefinitionArchiveCmd `cmd:"" help:"Take a definition out of use."`
	Restore DefinitionRestoreCmd `cmd:"" help:"Take an archived definition into use again."`
	Share   DefinitionShareCmd   `cmd:"" help:"Say which roles read and which change a definition."`
}

// definition finds a definition by name.
func definition(ctx context.Context, client crmv1.DefinitionServiceClient, name string) (*crmv1.Definition, error) {
	found, err := client.GetDefinition(ctx, &crmv1.GetDefinitionRequest{Name: name})
	return found.GetDefinition(), err
}

// DefinitionApplyCmd makes definitions as files say.
type DefinitionApplyCmd struct {
	Files []string `arg:"" type:"existingfile" help:"YAML files, one definition each: name, title, description, spec, schedule, reader_roles, editor_roles, change_note."`
}

// Run applies the files one after the other; the first that is refused ends it.
func (c *DefinitionApplyCmd) Run(ctx context.Context, app *App) error {
	for _, name := range c.Files {
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		d, err := definitionfile.Parse(text)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := apply(ctx, app, d, true); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// DefinitionInitCmd creates what comes with the program.
type DefinitionInitCmd struct{}

// Run creates what is missing; what is there stays as it is.
func (c *DefinitionInitCmd) Run(ctx context.Context, app *App) error {
	ready, err := definitionfile.Ready()
	if err != nil {
		return err
	}
	for _, d := range ready {
		if err := apply(ctx, app, d, false); err != nil {
			return fmt.Errorf("%s: %w", d.GetName(), err)
		}
	}
	return nil
}

// apply creates a definition or, when change says so, makes the one that is there like it; it prints what was done.
func apply(ctx context.Context, app *App, d *crmv1.Definition, change bool) error {
	client, err := definitionService.on(app)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	stored, err := definition(ctx, client, d.GetName())
	done := "unchanged"
	switch {
	case status.Code(err) == codes.NotFound:
		var created *crmv1.CreateDefinitionResponse
		created, err = client.CreateDefinition(ctx, &crmv1.CreateDefinitionRequest{Definition: d})
		stored, done = created.GetDefinition(), "created"
	case err == nil && change:
		before := stored
		if stored, err = bring(ctx, client, stored, d); err == nil && stored.GetEtag() != before.GetEtag() {
			done = "changed"
		}
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(app.Out, "%s %s, version %d\n", stored.GetName(), done, stored.GetVersion())
	return err
}

// bring changes what differs.
func bring(ctx context.Context, client crmv1.DefinitionServiceClient, stored, wanted *crmv1.Definition) (*crmv1.Definition, error) {
	edit := proto.CloneOf(wanted)
	edit.DefinitionId, edit.Etag = stored.GetDefinitionId(), stored.GetEtag()
	mask := &fieldmaskpb.FieldMask{}
	if stored.GetTitle() != wanted.GetTitle() {
		mask.Paths = append(mask.Paths, "title")
	}
	if stored.GetDescription() != wanted.GetDescription() {
		mask.Paths = append(mask.Paths, "description")
	}
	if !proto.Equal(stored.GetSchedule(), wanted.GetSchedule()) {
		mask.Paths = append(mask.Paths, "schedule")
	}
	if !proto.Equal(stored.GetSpec(), wanted.GetSpec()) {
		mask.Paths = append(mask.Paths, "spec", "change_note")
	}
	if len(mask.GetPaths()) > 0 {
		changed, err := client.UpdateDefinition(ctx, &crmv1.UpdateDefinitionRequest{Definition: edit, UpdateMask: mask})
		if err != nil {
			return stored, err
		}
		stored = changed.GetDefinition()
	}
	if slices.Equal(stored.GetReaderRoles(), wanted.GetReaderRoles()) && slices.Equal(stored.GetEditorRoles(), wanted.GetEditorRoles()) {
		return stored, nil
	}
	shared, err := client.ShareDefinition(ctx, &crmv1.ShareDefinitionRequest{
		DefinitionId: stored.GetDefinitionId(), Etag: stored.GetEtag(), ReaderRoles: wanted.GetReaderRoles(), EditorRoles: wanted.GetEditorRoles(),
	})
	return shared.GetDefinition(), err
}

// DefinitionListCmd lists definitions.
type DefinitionListCmd struct {
	Filter  string `help:"Only definitions that a filter admits, as in 'kind = report AND state = active'."`
	OrderBy string `name:"order-by" default:"name" placeholder:"FIELD [desc],…" help:"Order, as in 'kind, update_time desc'."`
}

// Run prints one line a definition.
func (c *DefinitionListCmd) Run(ctx context.Context, app *App) error {
	return askPages(ctx, app, definitionService, 0, crmv1.DefinitionServiceClient.ListDefinitions,
		&crmv1.ListDefinitionsRequest{Filter: c.Filter, OrderBy: c.OrderBy}, (*crmv1.ListDefinitionsResponse).GetDefinitions,
		func(out io.Writer, r *crmv1.ListDefinitionsResponse) error {
			w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
			_, _ = fmt.Fprint(w, "name\tkind\tversion\tstate\towner\tschedule\ttitle\n")
			for _, d := range r.GetDefinitions() {
				_, _ = fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\t%s\t%s\n", d.GetName(), shortWord(d.GetKind().String()), d.GetVersion(),
					shortWord(d.GetState().String()), d.GetOwner(), d.GetSchedule().GetCron(), d.GetTitle())
			}
			return w.Flush()
		})
}

// shortWord is the last part of an enum value's name, in lower case.
func shortWord(name string) string {
	for _, prefix := range []string{"DEFINITION_KIND_", "DEFINITION_STATE_", "SCHEDULE_OUTCOME_", "PLAN_PERIOD_", "OPERATION_STATE_"} {
		name = strings.TrimPrefix(name, prefix)
	}
	return strings.ToLower(strings.ReplaceAll(name, "_", " "))
}

// DefinitionShowCmd prints a definition.
type DefinitionShowCmd struct {
	Name    string    `arg:"" help:"Name of the definition."`
	Version int64     `help:"Version of its spec; default is the newest." xor:"which"`
	AsOf    time.Time `placeholder:"2006-01-02T15:04:05Z" help:"Moment at which the wanted version was the newest." xor:"which"`
}

// Run prints it as apply takes it.
func (c *DefinitionShowCmd) Run(ctx context.Context, app *App) error {
	client, err := definitionService.on(app)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	request := &crmv1.GetDefinitionRequest{Name: c.Name, Version: c.Version}
	if !c.AsOf.IsZero() {
		request.AsOf = timestamppb.New(c.AsOf)
	}
	found, err := client.GetDefinition(ctx, request)
	if err != nil {
		return err
	}
	if app.JSON {
		return printJSON(app, found)
	}
	text, err := definitionfile.Format(found.GetDefinition())
	if err != nil {
		return err
	}
	_, err = app.Out.Write(text)
	return err
}

// DefinitionHistoryCmd lists versions.
type DefinitionHistoryCmd struct {
	Name string `arg:"" help:"Name of the definition."`
}

// Run prints one line a version.
func (c *DefinitionHistoryCmd) Run(ctx context.Context, app *App) error {
	client, err := definitionService.on(app)
	if err != nil {
		return err
	}
	d, err := definition(ctx, client, c.Name)
	if err != nil {
		return err
	}
	return askPages(ctx, app, definitionService, 0, crmv1.DefinitionServiceClient.ListDefinitionVersions,
		&crmv1.ListDefinitionVersionsRequest{DefinitionId: d.GetDefinitionId()}, (*crmv1.ListDefinitionVersionsResponse).GetVersions,
		func(out io.Writer, r *crmv1.ListDefinitionVersionsResponse) error {
			w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
			_, _ = fmt.Fprint(w, "version\tmade\tby\tnote\n")
			for _, v := range r.GetVersions() {
				_, _ = fmt.Fprintf(w, "%d\t%s\t%s\t%s\n", v.GetVersion(), moment(v.GetCreateTime()), v.GetAuthor(), v.GetChangeNote())
			}
			return w.Flush()
		})
}

// moment prints a time by the clock of this machine; empty when there is none.
func moment(at *timestamppb.Timestamp) string {
	if at == nil {
		return ""
	}
	return at.AsTime().Local().Format("2006-01-02 15:04:05")
}

// DefinitionArchiveCmd takes a definition out of use.
type DefinitionArchiveCmd struct {
	Name string `arg:"" help:"Name of the definition."`
}

// Run archives it.
func (c *DefinitionArchiveCmd) Run(ctx context.Context, app *App) error {
	return onDefinition(ctx, app, c.Name, "archived", func(ctx context.Context, client crmv1.DefinitionServiceClient, d *crmv1.Definition) error {
		_, err := client.ArchiveDefinition(ctx, &crmv1.ArchiveDefinitionRequest{DefinitionId: d.GetDefinitionId(), Etag: d.GetEtag()})
		return err
	})
}

// DefinitionRestoreCmd takes a definition into use again.
type DefinitionRestoreCmd struct {
	Name string `arg:"" help:"Name of the definition."`
}

// Run restores it.
func (c *DefinitionRestoreCmd) Run(ctx context.Context, app *App) error {
	return onDefinition(ctx, app, c.Name, "restored", func(ctx context.Context, client crmv1.DefinitionServiceClient, d *crmv1.Definition) error {
		_, err := client.RestoreDefinition(ctx, &crmv1.RestoreDefinitionRequest{DefinitionId: d.GetDefinitionId(), Etag: d.GetEtag()})
		return err
	})
}

// DefinitionShareCmd says who reads and who changes a definition.
type DefinitionShareCmd struct {
	Name    string   `arg:"" help:"Name of the definition."`
	Readers []string `help:"Roles that may read and run it; those left out may no longer."`
	Editors []string `help:"Roles that may change it; those left out may no longer."`
	Owner   string   `help:"New owner; default is the one it has."`
}

// Run shares it.
func (c *DefinitionShareCmd) Run(ctx context.Context, app *App) error {
	return onDefinition(ctx, app, c.Name, "shared", func(ctx context.Context, client crmv1.DefinitionServiceClient, d *crmv1.Definition) error {
		_, err := client.ShareDefinition(ctx, &crmv1.ShareDefinitionRequest{
			DefinitionId: d.GetDefinitionId(), Etag: d.GetEtag(), ReaderRoles: c.Readers, EditorRoles: c.Editors, Owner: c.Owner,
		})
		return err
	})
}

// onDefinition does something with a definition, and says so.
func onDefinition(
	ctx context.Context, app *App, name, done string, do func(context.Context, crmv1.DefinitionServiceClient, *crmv1.Definition) error,
) error {
	client, err := definitionService.on(app)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	d, err := definition(ctx, client, name)
	if err != nil {
		return err
	}
	if err := do(ctx, client, d); err != nil {
		return err
	}
	_, err = fmt.Fprintf(app.Out, "%s %s\n", name, done)
	return err
}
