package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"tandem.bank/services/cli/internal/show"
)

// rejectedError ends an import that went through, but not with every row.
type rejectedError struct {
	rows int64
	// where says why; empty means the error files.
	where string
}

// Error says how many rows are missing.
func (e *rejectedError) Error() string {
	return fmt.Sprintf("%d rows were rejected; %s say why", e.rows, cmp.Or(e.where, "the error files"))
}

// printError writes an error as one sentence, with each broken field of a refused request on a line of its own.
func printError(w io.Writer, err error) {
	_, _ = fmt.Fprintf(w, "tandem: %s\n", sentence(err))
}

// grpcError is an error that a service answered.
type grpcError interface {
	error
	GRPCStatus() *status.Status
}

func sentence(err error) string {
	var answered grpcError
	if !errors.As(err, &answered) {
		if errors.Is(err, context.Canceled) {
			return "interrupted"
		}
		return err.Error()
	}
	// An error that wraps the service's answer has words of its own in front.
	st, before := answered.GRPCStatus(), strings.TrimSuffix(err.Error(), answered.Error())
	switch st.Code() {
	case codes.Unavailable:
		return before + "the service does not answer: " + show.Cause(st.Message())
	case codes.DeadlineExceeded:
		return before + "there was no answer in time"
	case codes.Canceled:
		return before + "interrupted"
	case codes.Unauthenticated:
		return before + "the service does not know who calls: " + st.Message() + " (see --token-file, --key-file and --account)"
	default:
	}
	fields := brokenFields(st)
	if len(fields) == 0 {
		return before + st.Message()
	}
	return fmt.Sprintf("%sthe request was refused:\n  %s", before, strings.Join(fields, "\n  "))
}

func brokenFields(st *status.Status) []string {
	var out []string
	for _, detail := range st.Details() {
		if bad, ok := detail.(*errdetails.BadRequest); ok {
			for _, v := range bad.GetFieldViolations() {
				out = append(out, strings.TrimPrefix(v.GetField()+": "+v.GetDescription(), ": ")) // about no field by itself
			}
		}
	}
	return out
}
