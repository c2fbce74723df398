package folder

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Two users of one folder get one clear sentence, and nothing is left when the first is done.
func TestFolderHasOneUser(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	first, err := Open(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Open(dir, 0)
	want := fmt.Sprintf("the data folder %s is in use by process %d: stop that one first, or choose another folder with --data",
		dir, os.Getpid())
	if err == nil || err.Error() != want {
		t.Errorf("the error is %v, want %s", err, want)
	}
	if err := first.Close(); err != nil {
		t.Error(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 0 {
		t.Errorf("left behind: %v (%v)", entries, err)
	}
	again, err := Open(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Remove(); err != nil {
		t.Error(err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("the folder is still there")
	}
}

// A disk without room is one clear sentence.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	_, err := Open(t.TempDir(), 1<<60)
	if err == nil || !strings.Contains(err.Error(), "is full: ") || !strings.Contains(err.Error(), "make room or choose another folder with --data") {
		t.Errorf("the error is %v", err)
	}
}

// What is not a folder is one clear sentence.
func TestFileInPlaceOfFolder(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "data")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(file, 0)
	if err == nil || !strings.HasPrefix(err.Error(), "the data folder "+file+" is not a folder: choose another one with --data") {
		t.Errorf("the error is %v", err)
	}
}

// The system's reasons become sentences. A test as root cannot provoke them on a real disk.
func TestUnusable(t *testing.T) {
	t.Parallel()
	for errno, want := range map[syscall.Errno]string{
		syscall.EROFS:  "the data folder /x is on a read-only disk: choose another one with --data",
		syscall.EACCES: "the data folder /x is not writable for this user: choose another one with --data",
		syscall.ENOSPC: "the data folder /x is on a full disk: choose another one with --data",
		syscall.EIO:    "the data folder /x cannot be used",
	} {
		err := unusable("/x", &fs.PathError{Op: "open", Path: "/x", Err: errno})
		if !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v: the error is %q, want it to begin with %q", errno, err, want)
		}
	}
}
