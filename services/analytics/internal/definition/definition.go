// Package definition knows what analysts define: it finds a definition by name, version or time among the copies that the
// warehouse has, and compiles specs for crm, which keeps the originals.
//
// It knows no kind by itself: each room registers how its kind is compiled.
package definition

import (
	"context"
	"slices"
	"time"

	"google.golang.org/grpc/codes"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/auth"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
)

// Kinds of definitions: the names of the fields of tandem.definition.v1.Spec.
const (
	KindRFM    = "rfm"
	KindCLV    = "clv"
	KindReport = "report"

	KindSegment       = "segment"
	KindScorecard     = "scorecard"
	KindScoreModel    = "score_model"
	KindClustering    = "clustering"
	KindProfileScheme = "profile_scheme"
)

// ReasonArchived is the reason of FAILED_PRECONDITION for a definition that is out of use.
const ReasonArchived = "DEFINITION_ARCHIVED"

// Definition is one version of a definition.
type Definition struct {
	ID    uint64
	Name  string
	Title string
	// Kind is that of the spec.
	Kind     string
	Archived bool
	// Owner is the subject who owns it.
	Owner string
	// ReaderRoles and EditorRoles are those with whom it is shared.
	ReaderRoles, EditorRoles []string
	// Version of the spec; it grows with changes of the spec only.
	Version uint64
	Spec    *definitionv1.Spec
	// SpecTime is when this version of the spec was made.
	SpecTime time.Time
	// Schedule says when it is run by itself; nil when never.
	Schedule *definitionv1.Schedule
	// ScheduledSince, of definitions that All returns, is when the schedule was last changed, or the definition taken into use again.
	ScheduledSince time.Time
}

// Ref names a definition and a version of its spec.
type Ref struct {
	Name string
	// Version of the spec; 0 means the newest.
	Version uint64
	// At means the newest version at that moment, the first one before there was any; zero means now. It goes with Version 0 only.
	At time.Time
}

// RefOf is the definition that a request names.
func RefOf(ref *analyticsv1.DefinitionRef) Ref {
	return Ref{Name: ref.GetName(), Version: uint64(ref.GetVersion())} //nolint:gosec // not negative
}

// MayRead says whether somebody may read and run the definition.
func (d *Definition) MayRead(p auth.Principal) bool {
	return p.Has(auth.RoleAdministrator, auth.RoleAnalyst) || p.Subject == d.Owner || p.Has(d.ReaderRoles...) || p.Has(d.EditorRoles...)
}

// Same reports whether two definitions say the same: all that a computation by one hangs on.
func (d *Definition) Same(other *Definition) bool {
	return d.ID == other.ID && d.Version == other.Version && d.Archived == other.Archived
}

// Shown refuses the caller of a context who may not read the definition that a reference led to: to them it is NOT_FOUND.
func (d *Definition) Shown(ctx context.Context, ref Ref) error {
	if caller, ok := auth.FromContext(ctx); !ok || !d.MayRead(caller) {
		return notFound(ref)
	}
	return nil
}

// Runnable refuses a definition that is out of use, or of another kind than those wanted.
func (d *Definition) Runnable(kinds ...string) error {
	if !slices.Contains(kinds, d.Kind) {
		return apperr.InvalidField("definition.name", "%s is a definition of the kind %s", d.Name, d.Kind)
	}
	if d.Archived {
		return apperr.New(codes.FailedPrecondition, ReasonArchived, "definition %s is archived", d.Name)
	}
	return nil
}

func notFound(ref Ref) error {
	if ref.Version > 0 {
		return apperr.NotFound("there is no definition %q with a version %d; what was just saved needs a moment to arrive", ref.Name, ref.Version)
	}
	return apperr.NotFound("there is no definition %q; what was just saved needs a moment to arrive", ref.Name)
}
