package relay

import (
	"sync/atomic"

	"tandem.bank/services/crm/internal/relay/pgoutput"
)

// position is how far everything is published: what may be confirmed to Postgres.
type position struct {
	lsn  atomic.Uint64
	wake chan struct{}
}

func newPosition() *position { return &position{wake: make(chan struct{}, 1)} }

// advance moves the position forward. It never moves back.
func (p *position) advance(lsn pgoutput.LSN) {
	if uint64(lsn) > p.lsn.Load() { // only the settling goroutine writes
		p.lsn.Store(uint64(lsn))
		p.report()
	}
}

// report asks for a status to Postgres soon.
func (p *position) report() {
	select {
	case p.wake <- struct{}{}:
	default: // one is asked for already
	}
}

func (p *position) load() pgoutput.LSN { return pgoutput.LSN(p.lsn.Load()) }
