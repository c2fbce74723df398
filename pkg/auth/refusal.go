package auth

import (
	"google.golang.org/grpc/codes"

	"tandem.bank/pkg/apperr"
)

// Reasons why a call is UNAUTHENTICATED, in the ErrorInfo.
const (
	// ReasonTokenMissing: the call came without a token.
	ReasonTokenMissing = "TOKEN_MISSING"
	// ReasonTokenInvalid: the token proves nothing here; another one is needed.
	ReasonTokenInvalid = "TOKEN_INVALID"
	// ReasonTokenExpired: the token was good once; a fresh one is needed.
	ReasonTokenExpired = "TOKEN_EXPIRED"
	// ReasonTokenNotYetValid: the token will be good later; or one of two clocks is wrong.
	ReasonTokenNotYetValid = "TOKEN_NOT_YET_VALID"
)

// refuse never quotes the token: errors are logged and shown.
func refuse(reason, format string, args ...any) error {
	return apperr.New(codes.Unauthenticated, reason, format, args...)
}

func invalid(format string, args ...any) error { return refuse(ReasonTokenInvalid, format, args...) }
