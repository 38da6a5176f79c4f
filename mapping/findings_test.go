package mapping

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestCodes holds the codes of findings against their list, which -update writes: people accept findings by code, and
// programs read reports by it, so none goes or is renamed unseen.
func TestCodes(t *testing.T) {
	golden := filepath.Join("testdata", "codes.golden")
	got := strings.Join(slices.Sorted(maps.Keys(meanings)), "\n") + "\n"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != got {
		t.Errorf("the codes are\n%s\nand were\n%s", got, want)
	}
	for code, meaning := range meanings {
		if meaning == "" {
			t.Errorf("%s is not explained", code)
		}
	}
}
