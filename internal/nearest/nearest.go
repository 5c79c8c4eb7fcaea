// Package nearest finds the known word that a mistyped one most likely meant.
package nearest

// Word returns the one of known with the smallest edit distance to s: insertions, deletions, substitutions, and swaps of
// neighbours (optimal string alignment). It is empty where none is near: the distance may be a third of the longer
// word, at least 1 and at most 3. Of two equally near words the earlier one is returned.
func Word(s string, known []string) string {
	best, word := 4, ""
	for _, k := range known {
		limit := min(3, max(1, max(len(s), len(k))/3))
		if max(len(s)-len(k), len(k)-len(s)) > limit {
			continue
		}
		if d := distance(s, k); d <= limit && d < best {
			best, word = d, k
		}
	}
	return word
}

// distance returns the optimal string alignment distance of a and b, in bytes.
func distance(a, b string) int {
	var previous []int // the row before row
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		next := make([]int, len(b)+1)
		next[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			next[j] = min(next[j-1]+1, row[j]+1, row[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				next[j] = min(next[j], previous[j-2]+1)
			}
		}
		previous, row = row, next
	}
	return row[len(b)]
}
