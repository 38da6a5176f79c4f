package main

import (
	"math"
	"runtime/debug"
	"testing"
)

func TestMemoryLimitIsThePersonsWhereTheySetOne(t *testing.T) {
	before := debug.SetMemoryLimit(math.MaxInt64)
	defer debug.SetMemoryLimit(before)
	limitMemory(func(string) (string, bool) { return "2GiB", true })
	if got := debug.SetMemoryLimit(-1); got != math.MaxInt64 {
		t.Errorf("with GOMEMLIMIT set the limit becomes %d", got)
	}
	limitMemory(func(string) (string, bool) { return "", false })
	if got := debug.SetMemoryLimit(-1); got != memoryLimit {
		t.Errorf("the limit is %d, want %d", got, memoryLimit)
	}
}
