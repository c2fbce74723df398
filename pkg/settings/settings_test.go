package settings_test

import (
	"strings"
	"testing"

	"tandem.bank/pkg/settings"
)

func TestShowHidesPasswords(t *testing.T) {
	t.Parallel()
	config := struct {
		URL   string `env:"X_URL"`
		Limit int    `env:"X_LIMIT"`
		plain string
	}{"postgres://crm:hunter2@db/tandem", 7, "not a setting"}
	_ = config.plain
	var out strings.Builder
	settings.Show(&out, config)
	if got := out.String(); got != "X_URL=postgres://crm:xxxxx@db/tandem\nX_LIMIT=7\n" {
		t.Fatal(got)
	}
	out.Reset()
	settings.Names(&out, config)
	if got := out.String(); got != "X_URL\nX_LIMIT\n" {
		t.Fatal(got)
	}
}
