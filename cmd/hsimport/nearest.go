package main

import "github.com/spf13/pflag"

// visitNearest remembers the flag whose name is nearest to what was written.
func visitNearest(wrong string, best *int, name *string) func(*pflag.Flag) {
	return func(f *pflag.Flag) {
		if d := editDistance(wrong, f.Name); d < *best {
			*best, *name = d, f.Name
		}
	}
}

// editDistance is Levenshtein's.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		prev := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := prev
			if a[i] != b[j] {
				cost = 1 + min(prev, row[j], row[j+1])
			}
			prev, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
