package main

import (
	"math"
	"runtime/debug"
	"testing"
)

func TestMemoryLimitIsThePersonsWhereTheySetOne(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(77))
	before := debug.SetMemoryLimit(math.MaxInt64)
	defer debug.SetMemoryLimit(before)
	limitMemory(func(string) (string, bool) { return "2GiB", true })
	if got := debug.SetMemoryLimit(-1); got != math.MaxInt64 {
		t.Errorf("with GOMEMLIMIT set the limit becomes %d", got)
	}
	if got := debug.SetGCPercent(77); got != 77 {
		t.Errorf("with GOGC set the heap may grow by %d %%", got)
	}
	limitMemory(func(string) (string, bool) { return "", false })
	if got := debug.SetMemoryLimit(-1); got != memoryLimit {
		t.Errorf("the limit is %d, want %d", got, memoryLimit)
	}
	if got := debug.SetGCPercent(77); got != garbage {
		t.Errorf("the heap may grow by %d %%, want %d", got, garbage)
	}
}
