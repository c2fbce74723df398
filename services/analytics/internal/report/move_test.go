package report

import "slices"

func sortMoves(moves []*moveRow) {
	slices.SortFunc(moves, func(a, b *moveRow) int {
		if c := a.day.Compare(b.day); c != 0 {
			return c
		}
		return int(a.id) - int(b.id)
	})
}
