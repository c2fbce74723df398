package logit

import (
	"runtime"
	"sync"
)

// stripes is in how many parts sums are made, whatever the number of processors, so that the same rows give the same bits.
const stripes = 16

// inStripes calls work for each chunk of each stripe: those of one stripe one after the other, stripes side by side. A
// worker has one scratch at a time.
func inStripes[S any](t *Table, scratch func() S, work func(stripe int, c chunk, with S)) {
	todo := make(chan int, stripes)
	for s := range stripes {
		todo <- s
	}
	close(todo)
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), stripes) {
		workers.Go(func() {
			with := scratch()
			for s := range todo {
				for i := s; i < len(t.chunks); i += stripes {
					work(s, t.chunks[i], with)
				}
			}
		})
	}
	workers.Wait()
}
