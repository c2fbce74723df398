package export

import (
	"io"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
)

// A PDF stands in memory until its end, so it is bounded: the row beyond is refused, and so is a column that has no room.
func TestPDFIsBounded(t *testing.T) {
	t.Parallel()
	columns := func(n int) *analyticsv1.ReportHeader {
		return &analyticsv1.ReportHeader{Columns: make([]*analyticsv1.ReportColumn, n)}
	}
	refused := func(err error, want string) {
		if status.Code(err) != codes.FailedPrecondition || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	file := newPDF(io.Discard, subject{})
	if err := file.Header(columns(pdfColumnsMax)); err != nil {
		t.Error(err)
	}
	if err := file.Rows(make([]*analyticsv1.ReportRow, pdfRowsMax)); err != nil {
		t.Error(err)
	}
	refused(file.Rows(make([]*analyticsv1.ReportRow, 1)), "PDF holds at most 10000 rows")
	refused(newPDF(io.Discard, subject{}).Header(columns(pdfColumnsMax+1)), "PDF holds at most 20 columns")
}
