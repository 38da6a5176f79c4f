package report

import (
	"strings"
	"testing"
)

// Every kind of finding of the fixture is explained; what is to be done about it is said without repeating the code.
func TestFindingsAreExplained(t *testing.T) {
	_, rep, _ := dryRun(t, job(), options(), account())
	for _, g := range rep.Findings.Groups() {
		if Meaning(g.Code) == "" {
			t.Errorf("nothing explains %s", g.Code)
		}
	}
	for code, hint := range hintsByCode {
		if Meaning(code) == "" {
			t.Errorf("%s has a hint and no meaning", code)
		}
		if strings.HasSuffix(hint, ".") || hint != strings.TrimSpace(hint) {
			t.Errorf("the hint of %s: %q", code, hint)
		}
	}
}
