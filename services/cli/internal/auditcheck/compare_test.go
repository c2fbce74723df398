package auditcheck

import (
	"errors"
	"io"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

// link is a block's number and the byte its hash is made of; hashes chain by the number before.
type link struct {
	number int64
	hash   byte
}

// portions hands out items two at a time, with an empty portion in front.
func portions[T any](items []T) func() ([]T, error) {
	started := false
	return func() ([]T, error) {
		if !started {
			started = true
			return nil, nil
		}
		if len(items) == 0 {
			return nil, io.EOF
		}
		n := min(2, len(items))
		out := items[:n]
		items = items[n:]
		return out, nil
	}
}

func compare(t *testing.T, age time.Duration, chain, copies []link) (Result, []string) {
	t.Helper()
	var blocks []*crmv1.AuditBlock
	for _, l := range chain {
		blocks = append(blocks, &crmv1.AuditBlock{Number: l.number, Hash: []byte{l.hash}, SealedTime: timestamppb.New(time.Now().Add(-age))})
	}
	var copied []*analyticsv1.AuditBlockCopy
	for _, l := range copies {
		copied = append(copied, &analyticsv1.AuditBlockCopy{Number: l.number, Hash: []byte{l.hash}})
	}
	nextBlocks, nextCopies := portions(blocks), portions(copied)
	c := &Copies{}
	c.reader.items = (*analyticsv1.StreamAuditBlockCopiesResponse).GetCopies
	c.reader.receive = func() (*analyticsv1.StreamAuditBlockCopiesResponse, error) {
		items, err := nextCopies()
		return &analyticsv1.StreamAuditBlockCopiesResponse{Copies: items}, err
	}
	var found []string
	m := &merge{copies: &c.reader, report: func(text string) { found = append(found, text) }}
	m.blocks.items = (*crmv1.StreamAuditBlocksResponse).GetBlocks
	m.blocks.receive = func() (*crmv1.StreamAuditBlocksResponse, error) {
		items, err := nextBlocks()
		return &crmv1.StreamAuditBlocksResponse{Blocks: items}, err
	}
	if err := m.run(); err != nil {
		t.Fatal(err)
	}
	return m.result, found
}

func TestCompare(t *testing.T) {
	t.Parallel()
	whole := []link{{1, 'a'}, {2, 'b'}, {3, 'c'}}
	for name, test := range map[string]struct {
		age           time.Duration
		chain, copies []link
		want          Result
		found         []string
	}{
		"both empty":     {},
		"equal":          {chain: whole, copies: whole, want: Result{Equal: 3}},
		"on the way":     {chain: whole, copies: whole[:1], want: Result{Equal: 1, Waiting: 2}},
		"cut tail":       {chain: whole[:1], copies: whole, want: Result{Equal: 1}, found: []string{"block 2 was published and is gone: the chain was cut behind block 1", "block 3 was published and is gone: the chain was cut behind block 1"}},
		"all gone":       {copies: whole[:1], found: []string{"block 1 was published and is gone: the chain was cut behind block 0"}},
		"hole":           {chain: []link{whole[0], whole[2]}, copies: whole, want: Result{Equal: 2}, found: []string{"block 2 was published and is gone"}},
		"hole in copy":   {chain: whole, copies: []link{whole[0], whole[2]}, want: Result{Equal: 2}, found: []string{"block 2 was never copied, though later ones were"}},
		"rewritten":      {chain: []link{{1, 'a'}, {2, 'x'}, {3, 'y'}}, copies: whole, want: Result{Equal: 1}, found: []string{"block 2 has another hash than was published: the chain was rewritten", "block 3 has another hash than was published: the chain was rewritten"}},
		"sealed anew":    {chain: []link{{1, 'a'}, {2, 'x'}}, copies: []link{{1, 'a'}, {2, 'b'}, {2, 'x'}, {3, 'c'}}, want: Result{Equal: 1}, found: []string{"block 2 was published with 2 different hashes: the chain was rewritten and sealed anew", "block 3 was published and is gone: the chain was cut behind block 2"}},
		"copies emptied": {age: time.Hour, chain: whole, want: Result{Waiting: 3}, found: []string{"block 1 has no copy"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, found := compare(t, test.age, test.chain, test.copies)
			if name == "copies emptied" && len(found) == 1 {
				found = []string{"block 1 has no copy"} // the time is not known beforehand
			}
			if diff := cmp.Diff(test.found, found); diff != "" || got != test.want {
				t.Errorf("%v, want %v; found (-want +got):\n%s", got, test.want, diff)
			}
		})
	}
}

func TestBrokenStreamIsNoVerdict(t *testing.T) {
	t.Parallel()
	broken := errors.New("away")
	m := &merge{copies: &reader[*analyticsv1.StreamAuditBlockCopiesResponse, *analyticsv1.AuditBlockCopy]{
		receive: func() (*analyticsv1.StreamAuditBlockCopiesResponse, error) { return nil, broken },
	}, report: func(text string) { t.Error(text) }}
	m.blocks.receive = func() (*crmv1.StreamAuditBlocksResponse, error) { return nil, io.EOF }
	if err := m.run(); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}
