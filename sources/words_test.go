package sources_test

import (
	"testing"

	"hsimport/sources"
)

func TestNumbersAsPeopleReadThem(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -999: "-999", -1000: "-1,000"} {
		if got := sources.Thousands(n); got != want {
			t.Errorf("%d is %s, want %s", n, got, want)
		}
	}
	if a, b := sources.Counted(1, "row", "rows"), sources.Counted(7000, "row", "rows"); a != "1 row" || b != "7,000 rows" {
		t.Error(a, b)
	}
}
