package main

import (
	"errors"
	"fmt"
	"time"

	"tandem.bank/pkg/auth"
)

// TokenCmd prints a token for other clients.
type TokenCmd struct {
	Role    []string      `default:"administrator" enum:"front_office,manager,analyst,marketer,operations,administrator" help:"Role of the token's owner; may be given several times."`
	Branch  []int64       `help:"Number of a branch that the owner is limited to in analytics; may be given several times. A manager needs one to see reports."`
	Subject string        `help:"Who the owner is; default is --actor, or the account on this machine."`
	TTL     time.Duration `name:"ttl" default:"1h" help:"How long the token lives, up to 24h."`
}

// tokenLifetimeMax keeps tokens that lie about in shell histories from being good for long.
const tokenLifetimeMax = 24 * time.Hour

// Help shows the use.
func (TokenCmd) Help() string {
	return `The token is signed by the private key of the local stack, or by --key-file. With --account it is one of that service
account, whose roles the service knows; it lives an hour at most.

  grpcurl -plaintext -H "authorization: Bearer $(tandem token --role front_office)" 127.0.0.1:7400 list`
}

// Run prints the token and nothing else.
func (c *TokenCmd) Run(app *App) error {
	i := app.globals.Identity
	file := i.keyFile()
	switch {
	case file == "":
		return errors.New("there is no key to sign with: start `make up` once, or give --key-file")
	case c.TTL <= 0 || c.TTL > tokenLifetimeMax:
		return fmt.Errorf("--ttl must be positive and at most %s", tokenLifetimeMax)
	}
	config := auth.SignerConfig{Issuer: i.Issuer, Subject: c.Subject, Audience: i.Audience, Roles: c.Role, Branches: c.Branch, Lifetime: c.TTL}
	if config.Subject == "" {
		config.Subject = i.subject()
	}
	if i.Account != "" {
		config.Issuer, config.Subject, config.Roles, config.Branches = i.Account, i.Account, nil, nil
		config.Lifetime = min(c.TTL, auth.AccountLifetimeMax)
	}
	signer, err := sign(file, config)
	if err != nil {
		return err
	}
	token, err := signer.Token()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(app.Out, token)
	return err
}

// KeyCmd groups what is done with keys.
type KeyCmd struct {
	Create KeyCreateCmd `cmd:"" help:"Make a private key in a file, and print its public key."`
	Local  KeyLocalCmd  `cmd:"" help:"Make the keys that a stack on one machine uses, unless they are there."`
}

// KeyCreateCmd makes a key of a service account.
type KeyCreateCmd struct {
	File string `arg:"" help:"File to be made for the private key; only its owner can read it."`
}

// Run prints the public key in PEM, as a service account takes it.
func (c *KeyCreateCmd) Run(app *App) error {
	if err := auth.CreateKey(c.File); err != nil {
		return err
	}
	key, err := auth.ReadPrivateKey(c.File)
	if err != nil {
		return err
	}
	text, err := auth.PEM(key.Public())
	if err != nil {
		return err
	}
	_, err = app.Out.Write(text)
	return err
}

// KeyLocalCmd makes the keys of the local stack.
type KeyLocalCmd struct {
	Dir string `default:".local/secrets" type:"path" help:"Folder of the keys."`
}

// Run names the files.
func (c *KeyLocalCmd) Run(app *App) error {
	private, public, err := auth.EnsureKeyPair(c.Dir)
	if err != nil {
		return err
	}
	delegate, analytics, err := auth.EnsureDelegation(c.Dir)
	if err != nil {
		return err
	}
	for _, file := range []string{private, public, delegate, analytics} {
		if _, err := fmt.Fprintln(app.Out, file); err != nil {
			return err
		}
	}
	return nil
}
