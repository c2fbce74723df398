//go:build unix && !linux

package process

import "syscall"

// attributes puts the child in its own group. There is no parent-death signal outside Linux: children of
// our own binary watch their standard input instead.
func attributes(cfg Config) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Credential: credential(cfg.Account)}
}
