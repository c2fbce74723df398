package app

import (
	"strings"
	"testing"

	"tandem.bank/pkg/testkit"
	"tandem.bank/services/crm/migrations"
)

// The marks of the settings are those that balances are compared with, at once and after a change.
func TestBalanceMarks(t *testing.T) {
	t.Parallel()
	pool := testkit.Postgres(t, testkit.Template{Name: "crm", Migrate: migrations.Migrate})
	for _, c := range []struct {
		marks []string
		want  string
	}{
		{[]string{"0"}, "0"}, {[]string{"100000", " 0", "-500.50"}, "-500.5,0,100000"}, {nil, ""},
	} {
		config := &Config{BaseCurrency: "CZK", TimeZone: "Europe/Prague", BalanceMarks: c.marks}
		if err := pinBank(t.Context(), pool, config); err != nil {
			t.Fatal(err)
		}
		var got string
		if err := pool.QueryRow(t.Context(), "SELECT array_to_string(balance_marks, ',') FROM bank").Scan(&got); err != nil || got != c.want {
			t.Errorf("%v: %q, want %q, %v", c.marks, got, c.want, err)
		}
	}
	for text, want := range map[string]string{
		"0,many": `"many" is not a number`, "1e5": "is not a number", "5,5.0": "5.0 stands there twice", "0.00001": "more than 4 decimal places",
		strings.Repeat("7,", 20) + "8": "at most 20",
	} {
		config := &Config{BalanceMarks: strings.Split(text, ",")}
		if err := config.checkEngines(); err == nil || !strings.Contains(err.Error(), "CRM_BALANCE_MARKS: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}
