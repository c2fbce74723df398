package importer

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/google/uuid"

	"tandem.bank/services/cli/internal/mapping"
)

// importNamespace is the UUID under which import ids are made (RFC 9562, version 5).
var importNamespace = uuid.MustParse("0f6a6f0c-2b5e-4a55-9d39-6f2f0a4f9d11")

// identify notes the hash of each file's content.
func identify(inputs []*input) error {
	for _, in := range inputs {
		sum, err := hashFile(in.path)
		if err != nil {
			return err
		}
		in.sum = sum
	}
	return nil
}

func hashFile(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	digest := sha256.New()
	_, err = io.Copy(digest, file)
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	return hex.EncodeToString(digest.Sum(nil)), nil
}

// importID depends on the mapping and on the names and contents of all files, not on where they lie: an interrupted
// import that is begun again is the same import to the service, which then takes the rows that come again as unchanged.
// Within one import the service refuses a key that comes again with other content; that is why all files make one id.
func importID(m *mapping.Mapping, inputs []*input) string {
	lines := make([]string, len(inputs))
	for i, in := range inputs {
		lines[i] = in.base + " " + in.sum
	}
	slices.Sort(lines)
	digest := sha256.New()
	write(digest, m.Name, string(m.Hash[:]), strings.Join(lines, "\n"))
	return uuid.NewSHA1(importNamespace, digest.Sum(nil)).String()
}

func write(digest hash.Hash, parts ...string) {
	for _, part := range parts {
		// A hash never fails to write.
		_, _ = fmt.Fprintf(digest, "%d:%s", len(part), part)
	}
}
