package money_test

import (
	"errors"
	"testing"

	"github.com/shopspring/decimal"
	pb "google.golang.org/genproto/googleapis/type/money"
	"pgregory.net/rapid"

	"tandem.bank/pkg/money"
)

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		value := decimal.New(rapid.Int64().Draw(t, "value"), -money.Scale)
		got, err := money.Decimal(money.Proto(value, "CZK"))
		if err != nil || !got.Equal(value) {
			t.Fatalf("%s became %s (%v)", value, got, err)
		}
	})
}

func TestDecimalRefuses(t *testing.T) {
	t.Parallel()
	cases := []struct {
		in   *pb.Money
		want error
	}{
		{&pb.Money{CurrencyCode: "ZZZ", Units: 1}, money.ErrCurrency},
		{&pb.Money{CurrencyCode: "czk", Units: 1}, money.ErrCurrency},
		{&pb.Money{Units: 1}, money.ErrCurrency},
		{&pb.Money{CurrencyCode: "CZK", Units: 1, Nanos: -1}, money.ErrSigns},
		{&pb.Money{CurrencyCode: "CZK", Units: 1, Nanos: 1_000_000_000}, money.ErrSigns},
		{&pb.Money{CurrencyCode: "CZK", Nanos: 10_000}, money.ErrScale},
	}
	for _, c := range cases {
		if _, err := money.Decimal(c.in); !errors.Is(err, c.want) {
			t.Errorf("Decimal(%v) = %v, want %v", c.in, err, c.want)
		}
	}
}
