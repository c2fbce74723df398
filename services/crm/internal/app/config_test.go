package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tandem.bank/pkg/auth"
	"tandem.bank/pkg/testkit"
)

// TestCheckNamesWhatIsWrongInThePolicy as `crm check-config` prints it.
func TestCheckNamesWhatIsWrongInThePolicy(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "policy.yaml")
	config := &Config{
		BaseCurrency: "CZK", TimeZone: "Europe/Prague", Country: "CZ", PostgresURL: "postgres://bank@127.0.0.1/tandem", PostgresConnsMax: 4,
		OutboxRetention: 168 * time.Hour, PolicyFile: file,
		Auth: auth.Settings{
			KeysFile: testkit.NewIdentity(t).KeysFile, KeysIssuer: auth.LocalIssuer, Audience: auth.DefaultAudience, RolesClaim: "roles",
			TLS: auth.TLSSettings{ClientAuth: auth.ClientAuthRequire},
		},
	}
	if err := config.Check(); err == nil || !strings.Contains(err.Error(), "CRM_POLICY_FILE: policy: open "+file) {
		t.Errorf("no file: %v", err)
	}
	const text = "version: 1\nmethods:\n  look:\n    title: Look\n    calls: [CustomerService/Fetch*]\nroles:\n  clerk:\n    rows: village\n    may: [look]\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	err := config.Check()
	for _, want := range []string{
		"CRM_POLICY_FILE: " + file + `, line 5: look: "CustomerService/Fetch*" names no method of the API`,
		file + `, line 8: clerk.rows: "village" is not a scope`,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	config.PolicyFile = ""
	if err := config.Check(); err != nil {
		t.Errorf("the policy that is built in: %v", err)
	}
}
