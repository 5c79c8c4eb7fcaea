// Package nearest finds the known word that a mistyped one most likely meant.
package nearest

// Word is the one of known with the smallest edit distance to s: insertions, deletions, substitutions, and swaps of
// neighbours (optimal string alignment). It is empty where nothing is near: the distance may be a third of the longer
// word, at least 1 and at most 3. Of two equally near words the earlier of known wins.
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

func distance(a, b string) int {
	var before []int
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
				next[j] = min(next[j], before[j-2]+1)
			}
		}
		before, row = row, next
	}
	return row[len(b)]
}
