package record

import (
	"errors"
	"strings"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5/pgconn"
)

// Broken reports whether Postgres refused the values of a statement, so that the same statement without the bad row
// would succeed: a constraint (class 23) or a value out of range (class 22). A row that the caller may not write is alike.
func Broken(err error) bool {
	var pg *pgconn.PgError
	if errors.Is(err, errOutOfSight) {
		return true
	}
	return errors.As(err, &pg) && (pgerrcode.IsIntegrityConstraintViolation(pg.Code) || pgerrcode.IsDataException(pg.Code))
}

// contended reports whether Postgres ended a transaction only because others were at work (class 40: a deadlock or a
// failed serialization), so that the same work can succeed a moment later.
func contended(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pgerrcode.IsTransactionRollback(pg.Code)
}

// takenColumn names the column of a unique or exclusion constraint that was broken; such constraints are named
// <table>_<column>_key and <table>_<column>_excl.
func takenColumn(err error) (string, bool) {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) || (pg.Code != pgerrcode.UniqueViolation && pg.Code != pgerrcode.ExclusionViolation) {
		return "", false
	}
	column := strings.TrimPrefix(pg.ConstraintName, pg.TableName+"_")
	return strings.TrimSuffix(strings.TrimSuffix(column, "_key"), "_excl"), true
}
