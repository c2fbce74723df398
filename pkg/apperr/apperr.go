// Package apperr holds the errors that callers may see: a code, a stable reason, a sentence, and the broken fields.
//
// Any other error that reaches the edge is shown as INTERNAL with its text kept in the log, so that no detail of the
// database leaks by accident.
package apperr

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"
)

// Domain is the domain of every ErrorInfo.
const Domain = "tandem.bank"

// Stable reasons, in the ErrorInfo of each error.
const (
	ReasonInvalidField       = "INVALID_FIELD"
	ReasonNotFound           = "NOT_FOUND"
	ReasonReferenceNotFound  = "REFERENCE_NOT_FOUND"
	ReasonDuplicate          = "DUPLICATE"
	ReasonRequestIDReused    = "REQUEST_ID_REUSED"
	ReasonEtagMismatch       = "ETAG_MISMATCH"
	ReasonWrongTransition    = "WRONG_TRANSITION"
	ReasonFailedPrecondition = "FAILED_PRECONDITION"
	ReasonPermissionDenied   = "PERMISSION_DENIED"
	ReasonOutOfScope         = "OUT_OF_SCOPE"
	ReasonFieldDenied        = "FIELD_DENIED"
	ReasonUnavailable        = "UNAVAILABLE"
	ReasonOverload           = "OVERLOAD"
	ReasonListTooLarge       = "LIST_TOO_LARGE"
	ReasonInternal           = "INTERNAL"
)

// Violation is one broken field of a request.
type Violation struct {
	// Field is the path of the field, for example "customer.individual.birth_date".
	Field string
	// Description says what is wrong and, where it helps, what would be right.
	Description string
}

// Error is an error meant for the caller.
type Error struct {
	Code       codes.Code
	Reason     string
	Message    string
	Violations []Violation
	// Metadata goes into the ErrorInfo: what a program may want to know beside the reason.
	Metadata map[string]string
	// RetryAfter is how long to wait before the same call may succeed; 0 says nothing about it.
	RetryAfter time.Duration
	cause      error
}

// Invalid reports broken fields as INVALID_ARGUMENT. It returns nil when there are none.
func Invalid(violations ...Violation) error {
	if len(violations) == 0 {
		return nil
	}
	parts := make([]string, len(violations))
	for i, v := range violations {
		if parts[i] = v.Description; v.Field != "" { // what is wrong with the request as a whole has no field
			parts[i] = v.Field + ": " + v.Description
		}
	}
	return &Error{Code: codes.InvalidArgument, Reason: ReasonInvalidField, Message: strings.Join(parts, "; "), Violations: violations}
}

// InvalidField reports one broken field.
func InvalidField(field, format string, args ...any) error {
	return Invalid(Violation{Field: field, Description: fmt.Sprintf(format, args...)})
}

// NotFound reports a record that does not exist.
func NotFound(format string, args ...any) error {
	return &Error{Code: codes.NotFound, Reason: ReasonNotFound, Message: fmt.Sprintf(format, args...)}
}

// ReferenceNotFound reports a field that names a record which does not exist.
func ReferenceNotFound(field, format string, args ...any) error {
	text := fmt.Sprintf(format, args...)
	return &Error{
		Code: codes.NotFound, Reason: ReasonReferenceNotFound, Message: field + ": " + text,
		Violations: []Violation{{Field: field, Description: text}},
	}
}

// Duplicate reports that a unique field is taken.
func Duplicate(field, format string, args ...any) error {
	text := fmt.Sprintf(format, args...)
	return &Error{
		Code: codes.AlreadyExists, Reason: ReasonDuplicate, Message: field + ": " + text,
		Violations: []Violation{{Field: field, Description: text}},
	}
}

// New makes an error with any code and reason.
func New(code codes.Code, reason, format string, args ...any) error {
	return &Error{Code: code, Reason: reason, Message: fmt.Sprintf(format, args...)}
}

// Wrap is New with a cause for the log; the caller does not see the cause.
func Wrap(cause error, code codes.Code, reason, format string, args ...any) error {
	return &Error{Code: code, Reason: reason, Message: fmt.Sprintf(format, args...), cause: cause}
}

// Error returns the caller's sentence.
func (e *Error) Error() string { return e.Message }

// Unwrap returns the hidden cause.
func (e *Error) Unwrap() error { return e.cause }

// Busy reports RESOURCE_EXHAUSTED: there is too much to do, and the call may be tried again after a while.
func Busy(retryAfter time.Duration, format string, args ...any) error {
	return &Error{Code: codes.ResourceExhausted, Reason: ReasonOverload, Message: fmt.Sprintf(format, args...), RetryAfter: retryAfter}
}

// GRPCStatus renders the error with ErrorInfo, BadRequest and RetryInfo (AIP-193, AIP-194).
func (e *Error) GRPCStatus() *status.Status {
	st := status.New(e.Code, e.Message)
	details := []protoadapt.MessageV1{&errdetails.ErrorInfo{Reason: e.Reason, Domain: Domain, Metadata: e.Metadata}}
	if len(e.Violations) > 0 {
		bad := &errdetails.BadRequest{}
		for _, v := range e.Violations {
			bad.FieldViolations = append(bad.FieldViolations, &errdetails.BadRequest_FieldViolation{Field: v.Field, Description: v.Description})
		}
		details = append(details, bad)
	}
	if e.RetryAfter > 0 {
		details = append(details, &errdetails.RetryInfo{RetryDelay: durationpb.New(e.RetryAfter)})
	}
	detailed, err := st.WithDetails(details...)
	if err != nil {
		return st // only an OK status refuses details
	}
	return detailed
}

// Public turns any error into what the caller may see. The second result says whether something had to be hidden.
func Public(err error) (*status.Status, bool) {
	var known *Error
	switch {
	case errors.As(err, &known):
		return known.GRPCStatus(), known.Code == codes.Internal
	case errors.Is(err, context.DeadlineExceeded):
		return status.New(codes.DeadlineExceeded, "the deadline passed before the answer was ready"), false
	case errors.Is(err, context.Canceled):
		return status.New(codes.Canceled, "the caller cancelled the call"), false
	}
	if st, ok := status.FromError(err); ok {
		return st, false
	}
	internal := &Error{Code: codes.Internal, Reason: ReasonInternal, Message: "internal error; the server's log has the details"}
	return internal.GRPCStatus(), true
}
