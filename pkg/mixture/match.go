package mixture

import "math"

// Match pairs groups of one fit with those of an earlier one so that the sum of the squared distances between their means is
// least, and returns for each of now its place in earlier, or −1 for those that have no counterpart because there are more
// of them. Both must be in the same scale.
func Match(earlier, now [][]float64) []int {
	if len(now) == 0 || len(earlier) == 0 {
		return none(len(now))
	}
	if len(now) > len(earlier) {
		out := none(len(now))
		for e, n := range assign(earlier, now) {
			out[n] = e
		}
		return out
	}
	return assign(now, earlier)
}

func none(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = -1
	}
	return out
}

// assign gives each row a column of its own at the least total cost; there are at least as many columns as rows. It is the
// Hungarian method by shortest augmenting paths with potentials (Jonker and Volgenant, "A Shortest Augmenting Path Algorithm
// for Dense and Sparse Linear Assignment Problems", Computing 38, 1987), O(rows²·columns). Place 0 of the slices stands for
// "none yet".
func assign(rows, columns [][]float64) []int {
	n, m := len(rows), len(columns)
	rowPotential, columnPotential := make([]float64, n+1), make([]float64, m+1)
	rowOf, via := make([]int, m+1), make([]int, m+1)
	for row := 1; row <= n; row++ {
		rowOf[0] = row
		column := 0
		slack, visited := make([]float64, m+1), make([]bool, m+1)
		for j := range slack {
			slack[j] = math.Inf(1)
		}
		for rowOf[column] != 0 {
			visited[column] = true
			from, next, least := rowOf[column], 0, math.Inf(1)
			for j := 1; j <= m; j++ {
				if visited[j] {
					continue
				}
				reduced := distance2(rows[from-1], columns[j-1]) - rowPotential[from] - columnPotential[j]
				if reduced < slack[j] {
					slack[j], via[j] = reduced, column
				}
				if slack[j] < least {
					least, next = slack[j], j
				}
			}
			for j := range visited {
				if visited[j] {
					rowPotential[rowOf[j]] += least
					columnPotential[j] -= least
				} else {
					slack[j] -= least
				}
			}
			column = next
		}
		for column != 0 { // the path back: each column takes over the row of the one before it
			rowOf[column] = rowOf[via[column]]
			column = via[column]
		}
	}
	out := make([]int, n)
	for j := 1; j <= m; j++ {
		if rowOf[j] > 0 {
			out[rowOf[j]-1] = j - 1
		}
	}
	return out
}
