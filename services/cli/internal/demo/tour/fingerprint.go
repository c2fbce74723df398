package tour

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	"tandem.bank/services/cli/internal/show"
)

// Fingerprint compares the cells of this run with those of the tour before, over the same bank.
type Fingerprint struct {
	// Now is a hash over the scores of all customers; Before that of the last tour, empty when there was none.
	Now, Before string
}

// cellHash adds up hashes of scores, so that neither the order nor the customer numbers count: a bank that was loaded
// anew may number its customers in another way.
type cellHash uint64

func (h *cellHash) add(score *analyticsv1.RfmScore) {
	text := fmt.Sprintf("%d %d %s %d", score.GetRecencyDays(), score.GetFrequency(), show.Plain(score.GetMonetary()), score.GetCell())
	sum := sha256.Sum256([]byte(text))
	*h += cellHash(binary.BigEndian.Uint64(sum[:]))
}

func (h *cellHash) text() string { return fmt.Sprintf("%016x", uint64(*h)) }

// rememberCells keeps the fingerprint for the next tour of the same bank and reads the one before.
func (t *tour) rememberCells() error {
	path := filepath.Join(t.config.WorkDir, t.source.name+".cells")
	before, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read fingerprint: %w", err)
	}
	t.report.Cells.Before = strings.TrimSpace(string(before))
	if err := os.WriteFile(path, []byte(t.report.Cells.Now+"\n"), 0o644); err != nil {
		return fmt.Errorf("keep fingerprint: %w", err)
	}
	return nil
}
