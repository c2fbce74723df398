// Package show prints answers of the services for people.
package show

import (
	"fmt"
	"strings"
	"time"

	"github.com/shopspring/decimal"
	datepb "google.golang.org/genproto/googleapis/type/date"
	moneypb "google.golang.org/genproto/googleapis/type/money"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/date"
	"tandem.bank/pkg/money"
)

// none stands where there is nothing to show.
const none = "-"

// Date renders a day as 1997-12-31.
func Date(d *datepb.Date) string {
	t, err := date.Time(d)
	if d == nil || err != nil {
		return none
	}
	return date.Text(t)
}

// Time renders a moment in the zone of the machine.
func Time(t *timestamppb.Timestamp) string {
	if t == nil {
		return none
	}
	return t.AsTime().Local().Format("2006-01-02 15:04:05")
}

// Money renders an amount with its currency, as 1 234.50 CZK.
func Money(m *moneypb.Money) string {
	if m == nil {
		return none
	}
	return Amount(m) + " " + m.GetCurrencyCode()
}

// shownPlaces are the decimal places of an amount.
const shownPlaces = 2

// Amount renders an amount without its currency, with two decimal places and thin groups: 1 234.50.
func Amount(m *moneypb.Money) string {
	value, err := money.Decimal(m)
	if err != nil {
		return none
	}
	return group(value.StringFixed(shownPlaces))
}

// Plain renders an amount for machines, exactly as it is: 1234.5.
func Plain(m *moneypb.Money) string {
	value, err := money.Decimal(m)
	if m == nil || err != nil {
		return ""
	}
	return value.String()
}

// Thousands renders an amount in thousands, rounded.
func Thousands(m *moneypb.Money) string {
	value, err := money.Decimal(m)
	if m == nil || err != nil {
		return none
	}
	return group(value.Div(decimal.New(1000, 0)).StringFixed(0))
}

// Count renders a whole number with groups: 1 234 567.
func Count[N int | int32 | int64 | uint64](n N) string { return group(fmt.Sprint(n)) }

// group puts a blank between groups of three digits before the decimal point.
func group(number string) string {
	whole, fraction, point := strings.Cut(number, ".")
	sign := ""
	if strings.HasPrefix(whole, "-") {
		sign, whole = "-", whole[1:]
	}
	for at := len(whole) - 3; at > 0; at -= 3 {
		whole = whole[:at] + " " + whole[at:]
	}
	if point {
		whole += "." + fraction
	}
	return sign + whole
}

// Age renders how long ago a moment was: "3 s ago", "2 h ago".
func Age(seconds int64) string {
	for _, unit := range []struct {
		seconds int64
		name    string
	}{{86400, "days"}, {3600, "h"}, {60, "min"}} {
		if seconds >= 2*unit.seconds {
			return fmt.Sprintf("%d %s ago", seconds/unit.seconds, unit.name)
		}
	}
	return fmt.Sprintf("%d s ago", max(seconds, 0))
}

// Since renders the age of a moment; nothing happened yet when it is unset.
func Since(t *timestamppb.Timestamp, now time.Time) string {
	if t == nil {
		return "never"
	}
	return Age(int64(now.Sub(t.AsTime()) / time.Second))
}

// Name turns an enum value such as CARD_STATE_ACTIVE into "active", given "CARD_STATE_".
func Name(value fmt.Stringer, prefix string) string {
	short := strings.ToLower(strings.TrimPrefix(value.String(), prefix))
	if short == "unspecified" {
		return none
	}
	return strings.ReplaceAll(short, "_", " ")
}

// orNone shows an empty text as such.
func orNone(s string) string {
	if s == "" {
		return none
	}
	return s
}

// Cause drops what gRPC puts in front of the reason of a broken connection.
func Cause(message string) string {
	if at := strings.LastIndex(message, "desc = "); at >= 0 {
		message = strings.Trim(message[at+len("desc = "):], `"`)
	}
	return strings.TrimPrefix(message, "transport: Error while dialing: ")
}
