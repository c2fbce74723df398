package benchkit

import (
	"fmt"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc/credentials"

	"tandem.bank/pkg/auth"
)

// administrator is a caller who may do everything, as the command line is one. The file holds the key that the services trust.
func administrator(keyFile string) (credentials.PerRPCCredentials, error) {
	key, err := auth.ReadPrivateKey(keyFile)
	if err != nil {
		return nil, err
	}
	signer, err := auth.NewSigner(auth.SignerConfig{
		Key: key, Issuer: auth.LocalIssuer, Subject: "bench", Audience: auth.DefaultAudience,
		Roles: []string{auth.RoleAdministrator}, Lifetime: time.Hour,
	})
	if err != nil {
		return nil, err
	}
	return auth.Credentials(signer, true), nil
}

// LoadAverage tells how busy the machine is, beside the figures: a shared machine measures lower on both sides.
func LoadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Join(strings.Fields(string(text))[:3], " ")
}

// Say shows progress on standard error: the table alone goes to standard output.
func Say(format string, args ...any) {
	_, _ = fmt.Fprintf(os.Stderr, time.Now().Format("15:04:05 ")+format+"\n", args...)
}
