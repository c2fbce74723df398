package engine

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"

	"tandem.bank/deploy/local/process"
)

// unprivileged is the account every Unix system has for programs that own nothing.
const unprivileged = "nobody"

// postgresAccount is nil for an ordinary user. Postgres refuses to run as root, so root gets an
// unprivileged account for it.
func postgresAccount() (*process.Account, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	found, err := user.Lookup(unprivileged)
	if err != nil {
		return nil, fmt.Errorf("Postgres does not run as root, and there is no user %s to run it under: %w", unprivileged, err)
	}
	uid, err := strconv.ParseUint(found.Uid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("user %s has the unusable uid %s", unprivileged, found.Uid)
	}
	gid, err := strconv.ParseUint(found.Gid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("user %s has the unusable gid %s", unprivileged, found.Gid)
	}
	return &process.Account{Name: unprivileged, UID: uint32(uid), GID: uint32(gid)}, nil
}

// reachable tells whether strangers may walk down to path: every folder on the way lets others pass.
// A clone in a private home folder does not.
func reachable(path string) bool {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return false
	}
	for {
		info, err := os.Stat(path)
		if err != nil || (info.IsDir() && info.Mode().Perm()&0o001 == 0) {
			return false
		}
		parent := filepath.Dir(path)
		if parent == path {
			return true
		}
		path = parent
	}
}

// own gives the folder and all in it to the account.
func own(dir string, account *process.Account) error {
	return filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, int(account.UID), int(account.GID))
	})
}

// ownerIs tells whether the file belongs to uid.
func ownerIs(info os.FileInfo, uid int) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == uid
}
