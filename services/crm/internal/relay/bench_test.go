package relay_test

import (
	"fmt"
	"runtime"
	"testing"

	"tandem.bank/pkg/testkit"
)

// fill commits so many transactions with so many events each.
const fill = `DO $$ BEGIN FOR i IN 1..%d LOOP
	INSERT INTO outbox (event_id, entity, entity_id, version, deleted, payload)
	SELECT gen_random_uuid(), 'card', n, 1, false, decode(repeat('0a', 100), 'hex') FROM generate_series(1, %d) n;
	COMMIT; END LOOP; END $$`

// BenchmarkDrain measures how fast a relay works off small events (about 100 bytes) that wait in the log.
func BenchmarkDrain(b *testing.B) {
	for _, perTransaction := range []int{1, 100} {
		b.Run(fmt.Sprintf("%d_per_transaction", perTransaction), func(b *testing.B) {
			const n = 100_000
			bank := newBank(b)
			bank.start(b).stopWhenActive(b)
			rounds := 0
			for b.Loop() {
				b.StopTimer()
				// Written by the server alone, so that the relay has the machine for itself afterwards.
				bank.exec(b, fmt.Sprintf(fill, n/perTransaction, perTransaction))
				runtime.GC()
				b.StartTimer()
				p := bank.start(b)
				testkit.Eventually(b, testkit.Patience, func() error {
					if got := p.Status().PublishedEvents; got < n {
						return fmt.Errorf("published %d", got)
					}
					return nil
				})
				b.StopTimer()
				p.stop()
				rounds++
				b.StartTimer()
			}
			b.ReportMetric(float64(rounds*n)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

func (p *process) stopWhenActive(t testing.TB) {
	t.Helper()
	p.awaitActive(t)
	p.stop()
}
