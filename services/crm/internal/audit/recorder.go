package audit

import (
	"context"
	_ "embed"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"google.golang.org/grpc/codes"

	"tandem.bank/pkg/apperr"
)

const (
	// flushTimeout bounds how long readers wait for a database that does not answer.
	flushTimeout = 10 * time.Second
	// groupEntriesMax bounds a statement; what comes above it waits for the next one.
	groupEntriesMax = 500
	// writeUsual is what a commit takes on a busy machine. When the last one takes longer, whoever waits for its end is written
	// beside it: a disk or a processor that pauses for one commit must not hold up everybody.
	writeUsual = 2 * time.Millisecond
	// writesMax bounds the commits at the same time; each holds a connection.
	writesMax = 4
)

//go:embed append_reads.sql
var appendReadsSQL string

// Recorder writes entries about reads. Record returns when the entry is committed, so that no read is answered without
// one; reads that come while a commit is under way share the next. A lone read does not wait for company, and nobody waits
// for a commit that takes unusually long. One recorder serves the whole process: the more share a commit, the less each costs.
type Recorder struct {
	pool *pgxpool.Pool

	mu      sync.Mutex
	waiting []*group
	// writes are under way, the last of them since begun.
	writes int
	begun  time.Time
}

// group is what one statement will write.
type group struct {
	origins []origin
	entries []Entry
	done    chan struct{}
	err     error
}

// NewRecorder writes to a database.
func NewRecorder(pool *pgxpool.Pool) *Recorder { return &Recorder{pool: pool} }

// Record returns when the entry is committed. When the database refuses it, the caller must not answer.
func (r *Recorder) Record(ctx context.Context, entry Entry) error {
	g, lead := r.join(originOf(ctx), entry)
	var late <-chan time.Time
	if lead {
		// Here, and not beside: a lone read, the usual case, would wake another thread twice for nothing.
		r.flush(ctx, g.done)
		if err := ctx.Err(); err != nil {
			return err
		}
	} else {
		ticker := time.NewTicker(writeUsual)
		defer ticker.Stop()
		late = ticker.C
	}
	for {
		select {
		case <-g.done:
			if g.err != nil {
				return apperr.Wrap(g.err, codes.Unavailable, apperr.ReasonUnavailable, "the read could not be recorded, so it is not answered; try again")
			}
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-late:
			if r.relieve() {
				go r.flush(ctx, nil)
			}
		}
	}
}

// join adds an entry to those that wait; lead says that the caller has to see to it that they are written.
func (r *Recorder) join(o origin, entry Entry) (g *group, lead bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.waiting); n > 0 && len(r.waiting[n-1].entries) < groupEntriesMax {
		g = r.waiting[n-1]
	} else {
		g = &group{done: make(chan struct{})}
		r.waiting = append(r.waiting, g)
	}
	g.origins, g.entries = append(g.origins, o), append(g.entries, entry)
	return g, r.lead()
}

// relieve says that the caller has to write what waits, because the writes under way take long.
func (r *Recorder) relieve() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.waiting) > 0 && r.lead()
}

// lead begins one more write when none is under way, or those that are take long. The mutex is held.
func (r *Recorder) lead() bool {
	if r.writes > 0 && (r.writes == writesMax || time.Since(r.begun) <= writeUsual) {
		return false
	}
	r.writes++
	r.begun = time.Now()
	return true
}

// flush writes groups until none waits. A caller who writes does so only until their own is done; nil never is. A caller who
// hangs up ends the writing of their own entry, but must not fail the others.
func (r *Recorder) flush(caller context.Context, own <-chan struct{}) {
	shared := context.WithoutCancel(caller)
	for g := r.next(); g != nil; g = r.next() {
		ctx := shared
		if g.done == own && len(g.entries) == 1 {
			ctx = caller
		}
		g.err = r.write(ctx, g)
		close(g.done)
		select {
		case <-own:
			if !r.end() {
				go r.flush(shared, nil)
			}
			return
		default:
		}
	}
}

// end ends the writing unless a group waits.
func (r *Recorder) end() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.waiting) > 0 {
		return false
	}
	r.writes--
	return true
}

// next takes the group that has waited longest; nil ends the writing.
func (r *Recorder) next() *group {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.waiting) == 0 {
		r.writes--
		return nil
	}
	g := r.waiting[0]
	r.waiting = r.waiting[1:]
	r.begun = time.Now()
	return g
}

// write stores a group by one statement, which is its own transaction.
func (r *Recorder) write(ctx context.Context, g *group) error {
	ctx, cancel := context.WithTimeout(ctx, flushTimeout)
	defer cancel()
	batch := &pgx.Batch{}
	if len(g.entries) == 1 {
		queue(batch, g.origins[0], g.entries)
	} else {
		batch.Queue(appendReadsSQL, columns(g)...)
	}
	if err := r.pool.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("append reads to audit: %w", err)
	}
	return nil
}

// columns are the entries of a group, one array for each column.
func columns(g *group) []any {
	n := len(g.entries)
	var texts [7][]string
	for i := range texts {
		texts[i] = make([]string, n)
	}
	ids, customers := make([]int64, n), make([]int64, n)
	shown, after := make([]*string, n), make([]*string, n)
	for i, e := range g.entries {
		o := g.origins[i]
		for j, text := range [...]string{o.actor, o.Peer, o.Method, o.RequestID, o.traceID, string(e.Action), e.Entity} {
			texts[j][i] = text
		}
		ids[i], customers[i] = e.EntityID, e.CustomerID
		shown[i], after[i] = arrayText(e.CustomerIDs), jsonText(e.After)
	}
	return []any{texts[0], texts[1], texts[2], texts[3], texts[4], texts[5], texts[6], ids, customers, shown, after}
}
