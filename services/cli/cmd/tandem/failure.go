package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// rejectedError ends an import that went through, but not with every row.
type rejectedError struct {
	rows int64
}

// Error says how many rows are missing.
func (e *rejectedError) Error() string {
	return fmt.Sprintf("%d rows were rejected; the error files say why", e.rows)
}

// printError writes an error as one sentence, with each broken field of a refused request on a line of its own.
func printError(w io.Writer, err error) {
	_, _ = fmt.Fprintf(w, "tandem: %s\n", sentence(err))
}

func sentence(err error) string {
	st, ok := status.FromError(err)
	if !ok || err == nil {
		if errors.Is(err, context.Canceled) {
			return "interrupted"
		}
		return err.Error()
	}
	// An error that wraps the service's answer has words of its own in front.
	context := strings.TrimSuffix(err.Error(), bareText(err))
	switch st.Code() {
	case codes.Unavailable:
		return context + "the service does not answer: " + lastPart(st.Message())
	case codes.DeadlineExceeded:
		return context + "there was no answer in time: " + st.Message()
	case codes.Canceled:
		return context + "interrupted"
	}
	fields := brokenFields(st)
	if len(fields) == 0 {
		return context + st.Message()
	}
	return fmt.Sprintf("%sthe request was refused:\n  %s", context, strings.Join(fields, "\n  "))
}

// bareText is the text of the gRPC error inside err.
func bareText(err error) string {
	var bare interface {
		error
		GRPCStatus() *status.Status
	}
	if errors.As(err, &bare) {
		return bare.Error()
	}
	return ""
}

func brokenFields(st *status.Status) []string {
	var out []string
	for _, detail := range st.Details() {
		if bad, ok := detail.(*errdetails.BadRequest); ok {
			for _, v := range bad.GetFieldViolations() {
				out = append(out, v.GetField()+": "+v.GetDescription())
			}
		}
	}
	return out
}

// lastPart drops what gRPC puts in front of the reason of a broken connection.
func lastPart(message string) string {
	if at := strings.LastIndex(message, "desc = "); at >= 0 {
		message = strings.Trim(message[at+len("desc = "):], `"`)
	}
	return strings.TrimPrefix(message, "transport: Error while dialing: ")
}
