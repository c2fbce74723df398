package engine

import (
	"fmt"
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

// writeClickHouseConfig lays out in dir what /etc/clickhouse-server is in the container: base files, and
// beside them the config.d and users.d of shared. It returns the main file.
func writeClickHouseConfig(dir, shared string) (string, error) {
	// Written anew at each start: the files in the repository are the truth.
	if err := os.RemoveAll(dir); err != nil {
		return "", fmt.Errorf("replace the ClickHouse configuration: %w", err)
	}
	for _, part := range []string{"config.d", "users.d"} {
		if err := os.CopyFS(filepath.Join(dir, part), os.DirFS(filepath.Join(shared, part))); err != nil {
			return "", fmt.Errorf("copy the ClickHouse configuration: %w", err)
		}
	}
	config := filepath.Join(dir, "config.xml")
	for file, text := range map[string]string{config: baseConfig, filepath.Join(dir, "users.xml"): baseUsers} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			return "", fmt.Errorf("write the ClickHouse configuration: %w", err)
		}
	}
	return config, nil
}
