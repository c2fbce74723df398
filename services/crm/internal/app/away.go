package app

import (
	"errors"
	"net"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5/pgconn"
)

// away reports whether Postgres does not answer, is shutting down or has no connection left: the same call may succeed
// a moment later, which no other error of the database promises.
func away(err error) bool {
	var connect *pgconn.ConnectError
	var network net.Error
	if errors.As(err, &connect) || errors.As(err, &network) && !network.Timeout() || errors.Is(err, net.ErrClosed) {
		return true
	}
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return false
	}
	switch pg.Code {
	case pgerrcode.AdminShutdown, pgerrcode.CrashShutdown, pgerrcode.CannotConnectNow, pgerrcode.TooManyConnections:
		return true
	}
	return pgerrcode.IsConnectionException(pg.Code)
}
