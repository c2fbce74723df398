package report

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/encoding/protojson"

	"tandem.bank/pkg/apperr"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
)

//go:embed ready/*.yaml
var readyFiles embed.FS

// Ready are the definitions that come with this program, by name.
type Ready map[string]*definitionv1.ReportDefinition

// ReadReady reads them. Each file is a ReportDefinition, in YAML instead of JSON.
func ReadReady() (Ready, error) {
	files, err := readyFiles.ReadDir("ready")
	if err != nil {
		return nil, err
	}
	out := Ready{}
	for _, file := range files {
		text, err := readyFiles.ReadFile(path.Join("ready", file.Name()))
		if err != nil {
			return nil, err
		}
		d := &definitionv1.ReportDefinition{}
		var tree any
		if err := yaml.Unmarshal(text, &tree); err != nil {
			return nil, fmt.Errorf("%s: %w", file.Name(), err)
		}
		plain, err := json.Marshal(tree)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file.Name(), err)
		}
		if err := protojson.Unmarshal(plain, d); err != nil {
			return nil, fmt.Errorf("%s: %w", file.Name(), err)
		}
		out[strings.TrimSuffix(file.Name(), ".yaml")] = d
	}
	return out, nil
}

// Names of the definitions, sorted.
func (r Ready) Names() []string {
	var names []string
	for name := range r {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Compile is the definition.Compiler of reports.
func (s *Service) Compile(_ context.Context, _ string, spec *definitionv1.Spec) ([]apperr.Violation, error) {
	d := spec.GetReport()
	var wrong *apperr.Error
	if err := s.Check(d.GetQuery(), Scope{}); errors.As(err, &wrong) {
		return wrong.Violations, nil
	} else if err != nil {
		return nil, err
	}
	return checkChart(d), nil
}

// checkChart finds the columns of a chart.
func checkChart(d *definitionv1.ReportDefinition) []apperr.Violation {
	var wrong []apperr.Violation
	q := d.GetQuery()
	if category := d.GetChart().GetCategory(); category != "" {
		columns := slices.Clone(q.GetDimensions())
		if q.GetGrain() != 0 {
			columns = append(columns, grainName(q.GetGrain()))
		}
		if !slices.Contains(columns, category) {
			wrong = append(wrong, unknown("chart.category", "column of this report", category, columns))
		}
	}
	for i, name := range d.GetChart().GetMeasures() {
		if !slices.Contains(q.GetMeasures(), name) {
			wrong = append(wrong, unknown(fmt.Sprintf("chart.measures[%d]", i), "measure of this report", name, q.GetMeasures()))
		}
	}
	return wrong
}
