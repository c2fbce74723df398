package engine

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// The container's image brings these two files; the library brings nothing.
const (
	baseConfig = `<clickhouse>
    <users_config>users.xml</users_config>
    <default_profile>default</default_profile>
    <default_database>default</default_database>
</clickhouse>
`
	baseUsers = `<clickhouse>
    <profiles><default/></profiles>
    <quotas><default/></quotas>
    <users>
        <default>
            <password></password>
            <networks><ip>127.0.0.1</ip></networks>
            <profile>default</profile>
            <quota>default</quota>
        </default>
    </users>
</clickhouse>
`
)

// containerConfigDir is where the shared files expect to lie.
const containerConfigDir = "/etc/clickhouse-server/"

// writeClickHouseConfig lays out in dir what /etc/clickhouse-server is in the container: base files, and
// beside them the files of shared. It returns the main file.
func writeClickHouseConfig(dir, shared string) (string, error) {
	// Written anew at each start: the files in the repository are the truth.
	if err := os.RemoveAll(dir); err != nil {
		return "", fmt.Errorf("replace the ClickHouse configuration: %w", err)
	}
	if err := copyClickHouseConfig(dir, shared); err != nil {
		return "", fmt.Errorf("copy the ClickHouse configuration: %w", err)
	}
	config := filepath.Join(dir, "config.xml")
	for file, text := range map[string]string{config: baseConfig, filepath.Join(dir, "users.xml"): baseUsers} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			return "", fmt.Errorf("write the ClickHouse configuration: %w", err)
		}
	}
	return config, nil
}

// copyClickHouseConfig copies the XML files of shared and its folders; those that name each other find each other in dir.
func copyClickHouseConfig(dir, shared string) error {
	files, err := xmlFiles(shared)
	if err != nil {
		return err
	}
	for _, file := range files {
		text, err := os.ReadFile(filepath.Join(shared, file))
		if err != nil {
			return err
		}
		target := filepath.Join(dir, file)
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		text = bytes.ReplaceAll(text, []byte(containerConfigDir), []byte(dir+string(filepath.Separator)))
		if err := os.WriteFile(target, text, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// xmlFiles lists them, relative to the folder.
func xmlFiles(folder string) ([]string, error) {
	var found []string
	err := fs.WalkDir(os.DirFS(folder), ".", func(path string, _ fs.DirEntry, err error) error {
		if filepath.Ext(path) == ".xml" {
			found = append(found, filepath.FromSlash(path))
		}
		return err
	})
	return found, err
}
