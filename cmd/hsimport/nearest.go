package main

import (
	"github.com/spf13/pflag"

	"hsimport/sources"
)

// visitNearest remembers the flag whose name is nearest to what was written.
func visitNearest(wrong string, best *int, name *string) func(*pflag.Flag) {
	return func(f *pflag.Flag) {
		if d := sources.EditDistance(wrong, f.Name); d < *best {
			*best, *name = d, f.Name
		}
	}
}
