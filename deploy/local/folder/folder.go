// Package folder guards the data folder of a local stack: one user at a time, writable, with room left.
package folder

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// FreeBytesMin is the room that must be left on the disk: below it Postgres could not even create its cluster.
const FreeBytesMin = 256 << 20

// pidName is the file that names the process using the folder.
const pidName = "local.pid"

// Folder is a data folder in use by this process.
type Folder struct {
	path string
	lock *os.File
}

// Open creates the folder when it is new and takes it for this process. freeBytesMin is the room that
// must be left, in bytes. Each error is one sentence for the user.
func Open(path string, freeBytesMin uint64) (*Folder, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("find the data folder: %w", err)
	}
	if err := os.MkdirAll(path, 0o755); err != nil {
		return nil, unusable(path, err)
	}
	// The folder itself carries the lock, so that no lock file can be left behind; the kernel drops the
	// lock when the process ends, however it ends.
	lock, err := os.Open(path)
	if err != nil {
		return nil, unusable(path, err)
	}
	f := &Folder{path: path, lock: lock}
	if err := f.take(freeBytesMin); err != nil {
		_ = lock.Close() // opened for reading only
		return nil, err
	}
	return f, nil
}

func (f *Folder) take(freeBytesMin uint64) error {
	err := syscall.Flock(int(f.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return fmt.Errorf("the data folder %s is in use%s: stop that one first, or choose another folder with --data",
			f.path, f.holder())
	}
	if err != nil {
		return fmt.Errorf("the data folder %s cannot be locked: %w", f.path, err)
	}
	if err := f.checkRoom(freeBytesMin); err != nil {
		return err
	}
	pid := []byte(fmt.Sprintf("%d\n", os.Getpid()))
	if err := os.WriteFile(f.join(pidName), pid, 0o644); err != nil {
		return unusable(f.path, err)
	}
	return nil
}

// holder names the process that has the folder, when it says so.
func (f *Folder) holder() string {
	text, err := os.ReadFile(f.join(pidName))
	if err != nil {
		return ""
	}
	return " by process " + strings.TrimSpace(string(text))
}

func (f *Folder) checkRoom(bytesMin uint64) error {
	var stat syscall.Statfs_t
	if err := syscall.Statfs(f.path, &stat); err != nil {
		return unusable(f.path, err)
	}
	free := stat.Bavail * uint64(stat.Bsize) //nolint:gosec // a block size is positive; its type differs between systems
	if free < bytesMin {
		return fmt.Errorf("the disk of the data folder %s is full: %d MiB are free and %d MiB are needed; make room or choose another folder with --data",
			f.path, free>>20, bytesMin>>20)
	}
	return nil
}

// unusable turns what the system says about the folder into a sentence with a way out.
func unusable(path string, err error) error {
	var reason string
	switch {
	case errors.Is(err, syscall.EROFS):
		reason = "is on a read-only disk"
	case errors.Is(err, syscall.EACCES), errors.Is(err, syscall.EPERM):
		reason = "is not writable for this user"
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		reason = "is on a full disk"
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.EEXIST):
		reason = "is not a folder"
	default:
		return fmt.Errorf("the data folder %s cannot be used: %w", path, err)
	}
	return fmt.Errorf("the data folder %s %s: choose another one with --data (%w)", path, reason, err)
}

// Path is the absolute path of the folder.
func (f *Folder) Path() string { return f.path }

func (f *Folder) join(name string) string { return filepath.Join(f.path, name) }

// Remove deletes the folder with all in it; Close must still be called.
func (f *Folder) Remove() error {
	if err := os.RemoveAll(f.path); err != nil {
		return fmt.Errorf("remove the data folder: %w", err)
	}
	return nil
}

// Close gives the folder back.
func (f *Folder) Close() error {
	err := os.Remove(f.join(pidName))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil // removed with the folder
	}
	return errors.Join(err, f.lock.Close())
}
