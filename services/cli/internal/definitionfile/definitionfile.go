// Package definitionfile reads and writes definitions as YAML files, which hold the fields of tandem.crm.v1.Definition that
// people write, by the names of the contract.
package definitionfile

import (
	"embed"
	"errors"
	"fmt"
	"path"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"sigs.k8s.io/yaml"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

//go:embed ready/*.yaml
var files embed.FS

// Parse reads a definition. A field that is unknown, or that comes twice, is an error.
func Parse(text []byte) (*crmv1.Definition, error) {
	plain, err := yaml.YAMLToJSONStrict(text)
	if err != nil {
		return nil, err
	}
	d := &crmv1.Definition{}
	if err := protojson.Unmarshal(plain, d); err != nil {
		return nil, err
	}
	if d.GetName() == "" {
		return nil, errors.New("name: is required")
	}
	return d, nil
}

// Format writes a definition as Parse reads it: what only the service sets is left out.
func Format(d *crmv1.Definition) ([]byte, error) {
	written := proto.CloneOf(&crmv1.Definition{
		Key: d.GetKey(), Name: d.GetName(), Title: d.GetTitle(), Description: d.GetDescription(), Spec: d.GetSpec(), ChangeNote: d.GetChangeNote(),
		Schedule: d.GetSchedule(), ReaderRoles: d.GetReaderRoles(), EditorRoles: d.GetEditorRoles(),
	})
	plain, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(written)
	if err != nil {
		return nil, err
	}
	return yaml.JSONToYAML(plain)
}

// Ready are the definitions that come with the program, by the names of their files.
func Ready() ([]*crmv1.Definition, error) {
	entries, err := files.ReadDir("ready")
	if err != nil {
		return nil, err
	}
	out := make([]*crmv1.Definition, len(entries))
	for i, entry := range entries {
		text, err := files.ReadFile(path.Join("ready", entry.Name()))
		if err != nil {
			return nil, err
		}
		if out[i], err = Parse(text); err != nil {
			return nil, fmt.Errorf("%s: %w", entry.Name(), err)
		}
	}
	return out, nil
}
