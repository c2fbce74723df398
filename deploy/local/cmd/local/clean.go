package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"tandem.bank/deploy/local/folder"
)

// cleanCommand removes the data folder. It takes the folder first, so that a running stack keeps its data.
type cleanCommand struct {
	Root string `help:"Root of the project; found from the working folder." env:"TANDEM_ROOT" type:"path"`
	Data string `help:"Data folder (default: .local/data in the project)." env:"TANDEM_DATA" type:"path"`
}

// Run removes the folder and all in it.
func (c *cleanCommand) Run() error {
	dir := c.Data
	if dir == "" {
		root, err := projectRoot(c.Root)
		if err != nil {
			return err
		}
		dir = filepath.Join(root, ".local", "data")
	}
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		fmt.Println("there are no data at", dir)
		return nil
	}
	data, err := folder.Open(dir, 0) // a full disk is a good reason to clean
	if err != nil {
		return err
	}
	if err := errors.Join(data.Remove(), data.Close()); err != nil {
		return err
	}
	fmt.Println("removed", dir)
	return nil
}
