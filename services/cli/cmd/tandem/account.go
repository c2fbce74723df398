package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"tandem.bank/pkg/auth"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

// ServiceAccountCmd groups what is done with the accounts of programs.
type ServiceAccountCmd struct {
	Create  AccountCreateCmd  `cmd:"" help:"Make an account for a program, with a new private key in a file or a given public key."`
	List    AccountListCmd    `cmd:"" help:"List accounts with their roles and keys."`
	Rotate  AccountRotateCmd  `cmd:"" help:"Give an account a new key; the old ones end after a while."`
	Revoke  AccountRevokeCmd  `cmd:"" help:"Take a key back at once."`
	Disable AccountDisableCmd `cmd:"" help:"Refuse an account's calls."`
	Enable  AccountEnableCmd  `cmd:"" help:"Take an account's calls again."`
}

// newKeyFlags say where a key comes from.
type newKeyFlags struct {
	PrivateKey string `name:"private-key" placeholder:"FILE" help:"Private key of the program; it is made when the file is not there, and stays on this machine."`
	PublicKey  string `name:"public-key" placeholder:"FILE" help:"Public key of the program (PEM or JSON Web Key), when its private key is elsewhere."`
}

// text returns the public key in PEM or JSON; empty when there is none.
func (f newKeyFlags) text() (string, error) {
	switch {
	case f.PrivateKey != "" && f.PublicKey != "":
		return "", fmt.Errorf("--private-key and --public-key exclude each other")
	case f.PublicKey != "":
		text, err := os.ReadFile(f.PublicKey)
		return string(text), err
	case f.PrivateKey == "":
		return "", nil
	}
	if _, err := os.Stat(f.PrivateKey); err != nil {
		if err := auth.CreateKey(f.PrivateKey); err != nil {
			return "", err
		}
	}
	key, err := auth.ReadPrivateKey(f.PrivateKey)
	if err != nil {
		return "", err
	}
	text, err := auth.PEM(key.Public())
	return string(text), err
}

// AccountCreateCmd makes an account.
type AccountCreateCmd struct {
	newKeyFlags
	Name        string   `arg:"" help:"Name of the account, for example nightly-import."`
	Role        []string `required:"" enum:"front_office,manager,analyst,marketer,operations,administrator" help:"What it may do; may be given several times."`
	Description string   `help:"What it is for."`
}

// Run makes the account.
func (c *AccountCreateCmd) Run(ctx context.Context, app *App) error {
	key, err := c.text()
	if err != nil {
		return err
	}
	return ask(ctx, app, accountService, callTimeout, crmv1.ServiceAccountServiceClient.CreateServiceAccount, &crmv1.CreateServiceAccountRequest{
		ServiceAccount: &crmv1.ServiceAccount{Name: c.Name, Description: c.Description, Roles: c.Role}, PublicKey: key,
	}, printAccount)
}

// AccountListCmd lists accounts.
type AccountListCmd struct {
	Filter string `help:"Conditions, such as 'state = \"active\"'."`
}

// Run prints a line for each account and each of its keys.
func (c *AccountListCmd) Run(ctx context.Context, app *App) error {
	return askPages(ctx, app, accountService, 0, crmv1.ServiceAccountServiceClient.ListServiceAccounts,
		&crmv1.ListServiceAccountsRequest{Filter: c.Filter}, (*crmv1.ListServiceAccountsResponse).GetServiceAccounts,
		func(out io.Writer, r *crmv1.ListServiceAccountsResponse) error {
			return printAccounts(out, r.GetServiceAccounts()...)
		})
}

// AccountRotateCmd gives an account a new key.
type AccountRotateCmd struct {
	newKeyFlags
	Name    string        `arg:"" help:"Name of the account."`
	Overlap time.Duration `default:"24h" help:"How long the old keys go on to count, up to 720h."`
}

// Run sends the new key.
func (c *AccountRotateCmd) Run(ctx context.Context, app *App) error {
	key, err := c.text()
	if err != nil {
		return err
	}
	if key == "" {
		return fmt.Errorf("give the new key by --private-key or --public-key")
	}
	return ask(ctx, app, accountService, callTimeout, crmv1.ServiceAccountServiceClient.RotateServiceAccountKey,
		&crmv1.RotateServiceAccountKeyRequest{Name: c.Name, PublicKey: key, Overlap: durationpb.New(c.Overlap)}, printAccount)
}

// AccountRevokeCmd takes a key back.
type AccountRevokeCmd struct {
	Name  string `arg:"" help:"Name of the account."`
	KeyID string `arg:"" help:"Id of the key, as it is listed."`
}

// Run takes the key back.
func (c *AccountRevokeCmd) Run(ctx context.Context, app *App) error {
	return ask(ctx, app, accountService, callTimeout, crmv1.ServiceAccountServiceClient.RevokeServiceAccountKey,
		&crmv1.RevokeServiceAccountKeyRequest{Name: c.Name, KeyId: c.KeyID}, printAccount)
}

// AccountDisableCmd refuses calls.
type AccountDisableCmd struct {
	Name string `arg:"" help:"Name of the account."`
}

// Run disables the account.
func (c *AccountDisableCmd) Run(ctx context.Context, app *App) error {
	return ask(ctx, app, accountService, callTimeout, crmv1.ServiceAccountServiceClient.DisableServiceAccount,
		&crmv1.DisableServiceAccountRequest{Name: c.Name}, printAccount)
}

// AccountEnableCmd takes calls again.
type AccountEnableCmd struct {
	Name string `arg:"" help:"Name of the account."`
}

// Run enables the account.
func (c *AccountEnableCmd) Run(ctx context.Context, app *App) error {
	return ask(ctx, app, accountService, callTimeout, crmv1.ServiceAccountServiceClient.EnableServiceAccount,
		&crmv1.EnableServiceAccountRequest{Name: c.Name}, printAccount)
}

// printAccount prints the account of an answer.
func printAccount[A interface{ GetServiceAccount() *crmv1.ServiceAccount }](out io.Writer, answer A) error {
	return printAccounts(out, answer.GetServiceAccount())
}

// printAccounts prints a line for each account and each of its keys.
func printAccounts(out io.Writer, all ...*crmv1.ServiceAccount) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprint(w, "account\tstate\troles\tkey\tit is\tends\n")
	for _, a := range all {
		keys := slices.Clone(a.GetKeys())
		if len(keys) == 0 {
			keys = append(keys, &crmv1.ServiceAccountKey{KeyId: "none"})
		}
		for _, k := range keys {
			ends := "-"
			if k.GetExpireTime() != nil {
				ends = k.GetExpireTime().AsTime().Local().Format(time.DateTime)
			}
			_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", a.GetName(), word(a.GetState().String(), "SERVICE_ACCOUNT_STATE_"),
				strings.Join(a.GetRoles(), ","), k.GetKeyId(), word(k.GetState().String(), "SERVICE_ACCOUNT_KEY_STATE_"), ends)
		}
	}
	return w.Flush()
}

// word is an enum's value without its prefix, "-" when it is not set.
func word(value, prefix string) string {
	text := strings.ToLower(strings.TrimPrefix(value, prefix))
	if text == "unspecified" {
		return "-"
	}
	return text
}
