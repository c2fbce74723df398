package bi

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// read returns a file of the project.
func read(t *testing.T, path ...string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{star.root}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Every question of the page for analysts can be asked by the user bi and by a user of a branch, who is refused the dictionary of
// managers alone.
func TestQuestionsOfThePage(t *testing.T) {
	t.Parallel()
	questions := regexp.MustCompile("(?s)```sql\n(.*?)\n```").FindAllSubmatch(read(t, "deploy", "clickhouse", "bi.md"), -1)
	if len(questions) < 16 {
		t.Fatalf("only %d questions", len(questions))
	}
	for _, question := range questions {
		for _, user := range []string{"bi", oneBranch} {
			_, err := star.ask(t.Context(), user, string(question[1]))
			if user == oneBranch && strings.Contains(string(question[1]), "lookup_manager") {
				if codeOf(err) != accessDenied {
					t.Errorf("%s as %s: %v, want code %s", question[1], user, err, accessDenied)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s as %s: %v", question[1], user, err)
			}
		}
	}
}

// dashboard is what the test reads of Grafana's model of a dashboard.
type dashboard struct {
	Panels []struct {
		Title      string `json:"title"`
		Datasource source `json:"datasource"`
		Targets    []struct {
			RawSQL string `json:"rawSql"`
		} `json:"targets"`
	} `json:"panels"`
}

// source is a reference to a data source.
type source struct {
	Type string `json:"type" yaml:"type"`
	UID  string `json:"uid" yaml:"uid"`
}

// macros are those of Grafana's plugin that the dashboard uses, as the plugin fills them in.
var macros = []struct{ macro, sql string }{
	{`\$__dateFilter\(([^)]+)\)`, "$1 >= toDate('2025-07-01') AND $1 <= toDate('2026-06-30')"},
	{`\$__toTime`, "toDateTime('2026-06-30 00:00:00')"},
}

// Every panel asks the data source that is provisioned, and its SQL gives rows to the user bi.
func TestDashboard(t *testing.T) {
	t.Parallel()
	var provisioned struct {
		Datasources []struct {
			source   `yaml:",inline"`
			JSONData struct{ Username, DefaultDatabase string } `yaml:"jsonData"`
		} `yaml:"datasources"`
	}
	if err := yaml.Unmarshal(read(t, "deploy", "grafana", "provisioning", "datasources", "clickhouse.yaml"), &provisioned); err != nil {
		t.Fatal(err)
	}
	if len(provisioned.Datasources) != 1 {
		t.Fatalf("%d data sources", len(provisioned.Datasources))
	}
	var board dashboard
	if err := json.Unmarshal(read(t, "deploy", "grafana", "dashboards", "bank.json"), &board); err != nil {
		t.Fatal(err)
	}
	if len(board.Panels) < 8 {
		t.Errorf("only %d panels", len(board.Panels))
	}
	for _, panel := range board.Panels {
		if panel.Datasource != provisioned.Datasources[0].source || len(panel.Targets) != 1 {
			t.Errorf("%s asks %v", panel.Title, panel.Datasource)
			continue
		}
		sql := panel.Targets[0].RawSQL
		for _, m := range macros {
			sql = regexp.MustCompile(m.macro).ReplaceAllString(sql, m.sql)
		}
		if out, err := star.ask(t.Context(), "bi", sql); err != nil || strings.TrimSpace(out) == "" {
			t.Errorf("%s: %q, %v", panel.Title, out, err)
		}
	}
}

// dbt finds every view and column where it says.
func TestSourcesOfDbt(t *testing.T) {
	t.Parallel()
	var file struct {
		Sources []struct {
			Schema string `yaml:"schema"`
			Tables []struct {
				Name    string `yaml:"name"`
				Columns []struct {
					Name string `yaml:"name"`
				} `yaml:"columns"`
			} `yaml:"tables"`
		} `yaml:"sources"`
	}
	if err := yaml.Unmarshal(read(t, "deploy", "clickhouse", "dbt", "sources.yml"), &file); err != nil {
		t.Fatal(err)
	}
	if got, want := len(file.Sources[0].Tables), len(star.views(t)); got != want {
		t.Errorf("%d tables, the database has %d", got, want)
	}
	for _, table := range file.Sources[0].Tables {
		var columns []string
		for _, column := range table.Columns {
			columns = append(columns, column.Name)
		}
		sql := "SELECT " + strings.Join(columns, ", ") + " FROM " + file.Sources[0].Schema + "." + table.Name + " LIMIT 1"
		if _, err := star.ask(t.Context(), "bi", sql); err != nil {
			t.Errorf("%s: %v", table.Name, err)
		}
	}
}
