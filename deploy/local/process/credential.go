package process

import "syscall"

// credential drops to the account, with no supplementary groups.
func credential(account *Account) *syscall.Credential {
	if account == nil {
		return nil
	}
	return &syscall.Credential{Uid: account.UID, Gid: account.GID}
}
