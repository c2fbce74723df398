package definitionfile_test

import (
	"testing"

	"buf.build/go/protovalidate"
	"google.golang.org/protobuf/proto"

	"tandem.bank/services/cli/internal/definitionfile"
)

// What comes with the program is right, and survives being written and read.
func TestReady(t *testing.T) {
	t.Parallel()
	ready, err := definitionfile.Ready()
	if err != nil || len(ready) == 0 {
		t.Fatal(ready, err)
	}
	for _, d := range ready {
		if err := protovalidate.Validate(d); err != nil {
			t.Errorf("%s: %v", d.GetName(), err)
		}
		text, err := definitionfile.Format(d)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := definitionfile.Parse(text); err != nil || !proto.Equal(again, d) {
			t.Errorf("%s became %v, %v", d.GetName(), again, err)
		}
	}
	for _, text := range []string{"", "name: ''", "name: a\ncolour: b", "name: a\nname: b", "name: a\nspec: {rfm: {window: 1}}", "\t"} {
		if d, err := definitionfile.Parse([]byte(text)); err == nil {
			t.Errorf("%q became %v", text, d)
		}
	}
}
