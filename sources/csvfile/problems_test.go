package csvfile

import (
	"fmt"
	"strings"
	"testing"
)

// Findings of a table write numbers as every screen does.
func TestProblemsWriteThousandsApart(t *testing.T) {
	var b strings.Builder
	b.WriteString("id,subject,created,text,left\n")
	for i := range 7000 {
		fmt.Fprintf(&b, "%d,s,03/02/2019 12:00,x,y\n", i)
	}
	b.WriteString("short,s,04/02/2019 12:00,x\n")
	o := perTicket()
	o.TimeZone = "?"
	var all []string
	for _, p := range open(t, o, "a.csv", b.String()).Ledger().Problems {
		all = append(all, p.Code+": "+p.Text)
	}
	text := strings.Join(all, "\n")
	for _, want := range []string{
		"date-order: 7,001 dates can be read", "time-zone: 7,001 dates name no zone", "is filled in 7,000 of 7,001 rows", "taken as empty: 1, the first at a.csv:7002",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("nothing says %q in\n%s", want, text)
		}
	}
}
