package main

import (
	"fmt"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"tandem.bank/pkg/auth"
)

// Identity says who calls, and how calls travel.
type Identity struct {
	TokenFile string  `name:"token-file" env:"TANDEM_TOKEN_FILE" help:"File of a token to call with; it is read again when it changes."`
	KeyFile   string  `name:"key-file" env:"TANDEM_KEY_FILE" help:"Private key to sign tokens with, of a service account or of the key file; default is the local stack's."`
	Account   string  `name:"account" env:"TANDEM_ACCOUNT" help:"Service account to be, with its private key."`
	Actor     string  `name:"actor" env:"TANDEM_ACTOR" help:"Whom to be with a private key of the key file; default is the account on this machine."`
	ActorRole string  `name:"actor-role" env:"TANDEM_ACTOR_ROLE" default:"administrator" enum:"front_office,manager,analyst,marketer,operations,administrator" help:"Role to have with a private key of the key file."`
	Branches  []int64 `name:"actor-branches" env:"TANDEM_ACTOR_BRANCHES" help:"Numbers of the branches to be limited to in analytics with a private key of the key file."`
	Issuer    string  `name:"issuer" env:"TANDEM_ISSUER" default:"tandem-local" help:"Issuer that the services expect with the keys of their key file."`
	Audience  string  `name:"audience" env:"TANDEM_AUDIENCE" default:"tandem" help:"Audience that the services expect in tokens."`

	TLS       bool   `name:"tls" env:"TANDEM_TLS" help:"Call through TLS; any of the following files means it too."`
	TLSCA     string `name:"tls-ca-file" env:"TANDEM_TLS_CA_FILE" help:"File of the authorities (PEM) of the services' certificates; default is the system's."`
	TLSCert   string `name:"tls-cert-file" env:"TANDEM_TLS_CERT_FILE" help:"File of the certificate to show to the services (PEM)."`
	TLSKey    string `name:"tls-key-file" env:"TANDEM_TLS_KEY_FILE" help:"File of its private key (PEM)."`
	Plaintext bool   `name:"plaintext" env:"TANDEM_PLAINTEXT" help:"Send tokens to another machine without TLS, where the network is guarded otherwise."`
}

// callLifetime is how long a token for our own calls lives; it is replaced before its end.
const callLifetime = 15 * time.Minute

// dialOptions says who calls, and opens TLS when it is asked for.
func (i Identity) dialOptions(addr string) ([]grpc.DialOption, error) {
	tokens, err := i.tokens()
	if err != nil {
		return nil, err
	}
	transport, open := insecure.NewCredentials(), true
	if i.TLS || i.TLSCA != "" || i.TLSCert != "" || i.TLSKey != "" {
		config, err := auth.ClientTLS(i.TLSCA, i.TLSCert, i.TLSKey)
		if err != nil {
			return nil, err
		}
		transport, open = credentials.NewTLS(config), false
	}
	options := []grpc.DialOption{grpc.WithTransportCredentials(transport)}
	if tokens == nil {
		return options, nil
	}
	if open && !i.Plaintext && !onThisMachine(addr) {
		return nil, fmt.Errorf("a token would travel openly to another machine: use --tls, or --plaintext where the network is guarded")
	}
	return append(options, grpc.WithPerRPCCredentials(auth.Credentials(tokens, open))), nil
}

// tokens finds what to call with; nil when there is nothing, which the services will answer.
func (i Identity) tokens() (auth.Tokens, error) {
	if i.TokenFile != "" {
		return auth.OpenTokenFile(i.TokenFile)
	}
	file := i.keyFile()
	if file == "" {
		return nil, nil //nolint:nilnil // nobody in particular is an answer
	}
	if i.Account != "" {
		return sign(file, auth.SignerConfig{Issuer: i.Account, Subject: i.Account, Audience: i.Audience, Lifetime: callLifetime})
	}
	return sign(file, auth.SignerConfig{
		Issuer: i.Issuer, Subject: i.subject(), Audience: i.Audience, Roles: []string{i.ActorRole}, Branches: i.Branches, Lifetime: callLifetime,
	})
}

func sign(file string, config auth.SignerConfig) (*auth.Signer, error) {
	key, err := auth.ReadPrivateKey(file)
	if err != nil {
		return nil, err
	}
	config.Key = key
	return auth.NewSigner(config)
}

// keyFile is the given one, or that of the local stack in this folder or one above; empty when there is none.
func (i Identity) keyFile() string {
	if i.KeyFile != "" {
		return i.KeyFile
	}
	dir, err := os.Getwd()
	for err == nil {
		file := filepath.Join(dir, ".local", "secrets", auth.SigningKeyFile)
		if _, missing := os.Stat(file); missing == nil {
			return file
		}
		if filepath.Dir(dir) == dir {
			break
		}
		dir = filepath.Dir(dir)
	}
	return ""
}

// subject is the given actor, or who works on this machine.
func (i Identity) subject() string {
	if i.Actor != "" {
		return i.Actor
	}
	if current, err := user.Current(); err == nil && current.Username != "" {
		return current.Username
	}
	if name := os.Getenv("USER"); name != "" {
		return name
	}
	return "tandem"
}

// onThisMachine tells addresses that nobody else can listen to.
func onThisMachine(addr string) bool {
	if strings.HasPrefix(addr, "unix:") {
		return true
	}
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}
