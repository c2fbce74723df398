package definition

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/filter"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/listing"
	"tandem.bank/services/crm/internal/record"
)

// version is one version of a spec.
type version struct {
	SpecVersion int64
	Spec        Spec
	CreatedAt   time.Time
	Author      string
	ChangeNote  string
}

const (
	versionColumns = "spec_version, spec, created_at, author, change_note"
	selectVersions = "SELECT " + versionColumns + " FROM definition_version WHERE definition_id = $1 AND "
)

func (v *version) toProto() *crmv1.DefinitionVersion {
	return &crmv1.DefinitionVersion{
		Version: v.SpecVersion, Spec: v.Spec.Spec, CreateTime: timestamppb.New(v.CreatedAt), Author: v.Author, ChangeNote: v.ChangeNote,
	}
}

// over shows a definition with this version of its spec.
func (v *version) over(d *crmv1.Definition) *crmv1.Definition {
	d.Version, d.Spec, d.VersionTime, d.VersionAuthor, d.ChangeNote = v.SpecVersion, v.Spec.Spec, timestamppb.New(v.CreatedAt), v.Author, v.ChangeNote
	return d
}

// keepVersions writes down the specs that are new, in the transaction that saves them.
func keepVersions(ctx context.Context, tx pgx.Tx, records []*record.Record[Row], old []*Row) error {
	for i, r := range records {
		if old[i] != nil && old[i].SpecVersion == r.Row.SpecVersion {
			continue
		}
		const insert = `INSERT INTO definition_version (definition_id, spec_version, spec, author, change_note, created_at) VALUES ($1, $2, $3, $4, $5, $6)`
		_, err := tx.Exec(ctx, insert, r.ID, r.Row.SpecVersion, r.Row.Spec, r.Row.SpecAuthor, r.Row.ChangeNote, r.Row.SpecAt)
		if err != nil {
			return err
		}
	}
	return nil
}

// findVersion finds a version by its number, or the newest at a moment when the number is 0.
func findVersion(ctx context.Context, q record.Querier, id, number int64, at time.Time) (*version, error) {
	condition, arg := "spec_version = $2", any(number)
	if number == 0 {
		condition, arg = "created_at <= $2 ORDER BY spec_version DESC LIMIT 1", at
	}
	rows, err := q.Query(ctx, selectVersions+condition, id, arg)
	if err != nil {
		return nil, err
	}
	found, err := pgx.CollectExactlyOneRow(rows, pgx.RowToAddrOfStructByPos[version])
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, apperr.NotFound("definition %d has no such version", id)
	}
	return found, err
}

var versionSchema = filter.Schema{
	{Name: "version", Column: "spec_version", Kind: filter.Int, Required: true, Indexed: true},
	{Name: "create_time", Column: "created_at", Kind: filter.Time, Required: true},
	{Name: "author", Column: "author", Kind: filter.Text, Required: true},
	{Name: "change_note", Column: "change_note", Kind: filter.Text},
}

// listVersions returns a page of versions, the newest first unless told otherwise.
func listVersions(ctx context.Context, q record.Querier, req *crmv1.ListDefinitionVersionsRequest) (*crmv1.ListDefinitionVersionsResponse, error) {
	list := &listing.Rows[*version]{
		Table: "definition_version", Columns: versionColumns, ID: "version", IDOf: func(v *version) int64 { return v.SpecVersion },
		Condition: "definition_id = $1", Args: []any{req.GetDefinitionId()}, Order: "version desc", Schema: versionSchema,
		Scanner: func(more ...any) func(pgx.CollectableRow) (*version, error) {
			return func(row pgx.CollectableRow) (*version, error) {
				var v version
				return &v, row.Scan(append([]any{&v.SpecVersion, &v.Spec, &v.CreatedAt, &v.Author, &v.ChangeNote}, more...)...)
			}
		},
	}
	found, err := list.List(ctx, q, req)
	if err != nil {
		return nil, err
	}
	answer := &crmv1.ListDefinitionVersionsResponse{NextPageToken: found.Next, Count: found.Count}
	for _, v := range found.Items {
		answer.Versions = append(answer.Versions, v.toProto())
	}
	return answer, nil
}
