package record

import (
	"errors"
	"testing"

	"google.golang.org/grpc/codes"

	"tandem.bank/pkg/apperr"
)

var doors = StateMachine{{"open", "shut", "ajar"}, {"shut", "ajar", "shut"}, {"lock", "shut", "locked"}}

func TestStateMachine(t *testing.T) {
	t.Parallel()
	cases := []struct{ from, to, want string }{
		{"shut", "ajar", ""},
		{"ajar", "shut", ""},
		{"locked", "locked", ""},
		{"ajar", "locked", "state: can't go from ajar to locked; allowed: shut (shut)"},
		{"shut", "gone", "state: can't go from shut to gone; allowed: ajar (open), locked (lock)"},
		{"locked", "shut", "state: can't go from locked to shut; locked is final"},
	}
	for _, c := range cases {
		err := doors.Check("state", c.from, c.to)
		if c.want == "" {
			if err != nil {
				t.Errorf("%s to %s: %v", c.from, c.to, err)
			}
			continue
		}
		var refused *apperr.Error
		if !errors.As(err, &refused) || refused.Code != codes.FailedPrecondition || refused.Reason != apperr.ReasonWrongTransition {
			t.Errorf("%s to %s: %#v", c.from, c.to, err)
		} else if refused.Message != c.want {
			t.Errorf("%s to %s:\n got %s\nwant %s", c.from, c.to, refused.Message, c.want)
		}
	}
}
