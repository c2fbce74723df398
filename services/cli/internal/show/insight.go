package show

import (
	"fmt"
	"io"
	"strconv"

	"google.golang.org/genproto/googleapis/type/date"
	"google.golang.org/protobuf/types/known/timestamppb"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

func segments(w io.Writer, r *crmv1.GetCustomer360Response) {
	if len(r.GetSegments()) == 0 {
		return
	}
	heading(w, "Segments", len(r.GetSegments()), age(r, "segments"))
	for _, s := range r.GetSegments() {
		line(w, s.GetName(), "version "+strconv.FormatInt(s.GetDefinitionVersion(), 10), byRun(s))
	}
}

func scores(w io.Writer, r *crmv1.GetCustomer360Response) {
	if len(r.GetScores()) == 0 {
		return
	}
	heading(w, "Scores", len(r.GetScores()), age(r, "scores"))
	for _, s := range r.GetScores() {
		version := "version " + strconv.FormatInt(s.GetDefinitionVersion(), 10)
		if s.GetModelVersion() > 0 {
			version += ", model " + strconv.FormatInt(s.GetModelVersion(), 10)
		}
		line(w, s.GetName(), strconv.FormatFloat(s.GetValue(), 'f', 4, 64), orNone(s.GetGrade()), version, byRun(s))
	}
}

// computed is what a run says of a customer.
type computed interface {
	GetAsOf() *date.Date
	GetRunId() string
	GetComputedTime() *timestamppb.Timestamp
}

func byRun(c computed) string {
	return fmt.Sprintf("as of %s by run %s, computed %s", Date(c.GetAsOf()), c.GetRunId(), Time(c.GetComputedTime()))
}
