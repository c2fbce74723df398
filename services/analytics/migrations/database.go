package migrations

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// Names of the databases that stand in the address of services and in deploy/clickhouse/users.d.
const (
	productionWarehouse = "tandem"
	productionBI        = "bi"
)

// plainName is what a database may be called: the files put names also into places that take no quotes.
var plainName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// databases are the two that belong together.
type databases struct{ warehouse, bi string }

// databasesOf reads their names from the warehouse's address.
func databasesOf(options *clickhouse.Options) (databases, error) {
	name := options.Auth.Database
	if name == "" {
		return databases{}, errors.New("clickhouse url: must name a database, for example clickhouse://host:9000/" + productionWarehouse)
	}
	if !plainName.MatchString(name) {
		return databases{}, fmt.Errorf("clickhouse url: %q is no name for a database: letters, digits and _ are", name)
	}
	return databases{warehouse: name, bi: BIDatabase(name)}, nil
}

// BIDatabase is the database of views for analysts that belongs to a warehouse's database: "bi" to "tandem", "x_bi" to any
// other x, so that several warehouses, as tests have them, can share a server.
func BIDatabase(warehouse string) string {
	if warehouse == productionWarehouse {
		return productionBI
	}
	return warehouse + "_" + productionBI
}

// fill puts the names into a statement: {warehouse} and {bi}. Tables are made without a name before them, so that in a cluster
// they become parts; views and dictionaries name their database and those of what they read, so that they see all rows.
func (d databases) fill(sql string) string {
	return strings.NewReplacer("{warehouse}", d.warehouse, "{bi}", d.bi).Replace(sql)
}

// filled are the migrations with the names in place.
type filled struct {
	fs.FS
	databases
}

// Open opens a migration; folders are left as they are.
func (f filled) Open(name string) (fs.File, error) {
	file, err := f.FS.Open(name)
	if err != nil || !strings.HasSuffix(name, ".sql") {
		return file, err
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	text, err := fs.ReadFile(f.FS, name)
	if err != nil {
		return nil, err
	}
	return filledFile{Reader: bytes.NewReader([]byte(f.fill(string(text)))), info: info}, nil
}

// filledFile is a migration in memory.
type filledFile struct {
	*bytes.Reader
	info fs.FileInfo
}

// Stat describes the file before names were put in.
func (f filledFile) Stat() (fs.FileInfo, error) { return f.info, nil }

// Close has nothing to do.
func (filledFile) Close() error { return nil }
