package auth

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
)

// Settings are how a service is told whom to believe. A service that is told nothing does not start: there is no way to
// switch authentication off.
type Settings struct {
	KeysFile   string `name:"auth-keys-file" env:"AUTH_KEYS_FILE" help:"File of public keys (JWKS or PEM) whose tokens count; read again when it changes."`
	KeysIssuer string `name:"auth-keys-issuer" env:"AUTH_KEYS_ISSUER" default:"tandem-local" help:"Issuer (iss) of the tokens that are signed by keys of the file."`
	OIDCIssuer string `name:"oidc-issuer" env:"OIDC_ISSUER" help:"URL of an OpenID Connect provider whose tokens count; its keys are found by discovery."`
	Audience   string `name:"audience" env:"AUDIENCE" default:"tandem" help:"Audience (aud) that tokens must be made for."`
	RolesClaim string `name:"auth-roles-claim" env:"AUTH_ROLES_CLAIM" default:"roles" help:"Claim that carries roles, or a path to it such as realm_access.roles."`

	TLS TLSSettings `embed:""`

	// Delegation lets whoever has a key of the file act in the name of service accounts. It is for services that don't know the
	// accounts themselves, and not for operators to choose.
	Delegation bool `kong:"-"`
}

// TLSSettings are the files of a server's TLS; all empty means an open connection. A client certificate says that a program
// may connect; who calls is still for the token to prove.
type TLSSettings struct {
	CertFile     string `name:"tls-cert-file" env:"TLS_CERT_FILE" help:"File of the certificate of the gRPC API (PEM, with its chain); empty: connections are open."`
	KeyFile      string `name:"tls-key-file" env:"TLS_KEY_FILE" help:"File of the certificate's private key (PEM)."`
	ClientCAFile string `name:"tls-client-ca-file" env:"TLS_CLIENT_CA_FILE" help:"File of the authorities (PEM) whose client certificates count; the token is needed all the same."`
	ClientAuth   string `name:"tls-client-auth" env:"TLS_CLIENT_AUTH" default:"require" enum:"require,optional" help:"Whether callers must show a client certificate when there are authorities for them: require, optional."`
}

// How callers show certificates.
const (
	// ClientAuthRequire refuses connections without a client certificate.
	ClientAuthRequire = "require"
	// ClientAuthOptional checks a client certificate when there is one.
	ClientAuthOptional = "optional"
)

// Validate names each wrong setting by the prefix of its environment variable, for example "CRM_".
func (s Settings) Validate(prefix string) error {
	var errs []error
	wrong := func(name string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("%s%s: %w", prefix, name, err))
		}
	}
	if s.KeysFile == "" && s.OIDCIssuer == "" {
		wrong("AUTH_KEYS_FILE", fmt.Errorf("a source of keys is required: give a file of public keys, or %sOIDC_ISSUER", prefix))
	}
	if s.KeysFile != "" {
		_, _, err := readKeys(s.KeysFile)
		wrong("AUTH_KEYS_FILE", err)
		if s.KeysIssuer == "" || s.KeysIssuer == s.OIDCIssuer {
			wrong("AUTH_KEYS_ISSUER", errors.New("must be given, and differ from the OpenID Connect provider"))
		}
	}
	if s.OIDCIssuer != "" {
		wrong("OIDC_ISSUER", CheckOIDCIssuer(s.OIDCIssuer))
	}
	if s.Audience == "" {
		wrong("AUDIENCE", errors.New("must not be empty"))
	}
	if s.RolesClaim == "" {
		wrong("AUTH_ROLES_CLAIM", errors.New("must not be empty"))
	}
	return errors.Join(append(errs, s.TLS.validate(prefix)...)...)
}

// Verifier makes the verifier. More sources are asked after those of the settings.
func (s Settings) Verifier(log *slog.Logger, more ...Source) (*Verifier, error) {
	var sources []Source
	if s.KeysFile != "" {
		keys, err := OpenKeyFile(s.KeysFile, s.KeysIssuer, log)
		if err != nil {
			return nil, err
		}
		keys.delegates = s.Delegation
		sources = append(sources, keys)
	}
	if s.OIDCIssuer != "" {
		provider, err := NewOIDC(s.OIDCIssuer)
		if err != nil {
			return nil, err
		}
		sources = append(sources, provider)
	}
	return NewVerifier(VerifierConfig{Sources: append(sources, more...), Audience: s.Audience, RolesClaim: s.RolesClaim})
}

func (s TLSSettings) validate(prefix string) []error {
	var errs []error
	wrong := func(name, text string) { errs = append(errs, fmt.Errorf("%s%s: %s", prefix, name, text)) }
	switch {
	case s.CertFile == "" && s.KeyFile == "" && s.ClientCAFile == "":
	case s.CertFile == "":
		wrong("TLS_CERT_FILE", "must be given with the other TLS settings")
	case s.KeyFile == "":
		wrong("TLS_KEY_FILE", "must be given with the other TLS settings")
	default:
		if _, err := tls.LoadX509KeyPair(s.CertFile, s.KeyFile); err != nil {
			wrong("TLS_CERT_FILE", err.Error())
		}
	}
	if s.ClientCAFile != "" {
		if _, err := certificates(s.ClientCAFile); err != nil {
			wrong("TLS_CLIENT_CA_FILE", err.Error())
		}
	}
	if s.ClientAuth != ClientAuthRequire && s.ClientAuth != ClientAuthOptional {
		wrong("TLS_CLIENT_AUTH", "must be require or optional")
	}
	return errs
}
