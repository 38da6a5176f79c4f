package sources

import (
	"strings"
	"testing"
)

func TestEditDistance(t *testing.T) {
	long := strings.Repeat("a", 1<<20)
	for _, tt := range []struct {
		a, b string
		want int
	}{
		{"", "", 0},
		{"", "abc", 3},
		{"subject", "subjekt", 1},
		{"status", "satus", 1},
		{"rnu", "run", 1},
		{"kitten", "sitting", 3},
		{long, long + "b", 0},
		{long, "", 64},
	} {
		if got := EditDistance(tt.a, tt.b); got != tt.want {
			t.Errorf("from %.20q to %.20q: %d, want %d", tt.a, tt.b, got, tt.want)
		}
		if there, back := EditDistance(tt.a, tt.b), EditDistance(tt.b, tt.a); there != back {
			t.Errorf("from %.20q to %.20q: %d there, %d back", tt.a, tt.b, there, back)
		}
	}
}
