package engine

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"tandem.bank/deploy/local/process"
)

// cluster is the data folder of Postgres, owned by the account that runs it.
type cluster struct {
	dir     string           // as we see it
	path    string           // as the server sees it
	handle  *os.File         // the folder kept open for a server that cannot walk to it
	account *process.Account // nil: our own user
}

// openCluster creates the folder when it is new.
//
// The account may have no way to the folder: a clone in root's home is closed to others. Then the server
// gets the folder as an open file, number 3, and finds its data through that; the data stay where
// all other data are, and no permission of the home folder changes.
func openCluster(dir string, account *process.Account) (*cluster, error) {
	// Only the cluster itself is closed to others, as Postgres demands; the way to it is not.
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return nil, fmt.Errorf("create the Postgres data folder: %w", err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("create the Postgres data folder: %w", err)
	}
	c := &cluster{dir: dir, path: dir, account: account}
	if account == nil {
		return c, nil
	}
	info, err := os.Stat(dir)
	if err != nil {
		return nil, fmt.Errorf("read the Postgres data folder: %w", err)
	}
	if !ownerIs(info, int(account.UID)) {
		if err := own(dir, account); err != nil {
			return nil, fmt.Errorf("give the Postgres data folder to %s: %w", account.Name, err)
		}
	}
	if reachable(filepath.Dir(dir)) {
		return c, nil
	}
	if runtime.GOOS != "linux" {
		return nil, fmt.Errorf("user %s, who runs Postgres for root, has no way to %s: choose another data folder with --data",
			account.Name, dir)
	}
	c.handle, err = os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("open the Postgres data folder: %w", err)
	}
	c.path = "/proc/self/fd/3"
	return c, nil
}

// files is what the server gets as open files.
func (c *cluster) files() []*os.File {
	if c.handle == nil {
		return nil
	}
	return []*os.File{c.handle}
}

func (c *cluster) close() {
	if c.handle != nil {
		_ = c.handle.Close() // opened for reading only
	}
}

// initialised tells whether initdb has run to its end here: it writes this file among the first, and removes
// all it wrote when it fails.
func (c *cluster) initialised() bool {
	_, err := os.Stat(filepath.Join(c.dir, "global", "pg_control"))
	return err == nil
}

// ctype is a C-library locale that knows the letters of Unicode; its name differs on macOS.
func ctype() string {
	if runtime.GOOS == "darwin" {
		return "UTF-8"
	}
	return "C.UTF-8"
}
