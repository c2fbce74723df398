package app

import (
	"errors"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

func TestAway(t *testing.T) {
	t.Parallel()
	_, refused := pgx.Connect(t.Context(), "postgres://nobody@127.0.0.1:1/none")
	cases := []struct {
		err  error
		want bool
	}{
		{refused, true},
		{fmt.Errorf("query: %w", &pgconn.PgError{Code: "57P01"}), true},
		{&pgconn.PgError{Code: "23505"}, false},
		{errors.New("other"), false},
	}
	for _, c := range cases {
		if got := away(c.err); got != c.want {
			t.Errorf("away(%v) = %v", c.err, got)
		}
	}
}
