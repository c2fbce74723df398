package process

import "syscall"

// attributes puts the child in its own group, so that Ctrl-C reaches only the parent, which then stops
// its children in order; and has the kernel end the child when the parent dies.
func attributes(cfg Config) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true, Pdeathsig: cfg.DeathSignal}
	attr.Credential = credential(cfg.Account)
	return attr
}
