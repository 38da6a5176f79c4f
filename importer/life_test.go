package importer_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"hsimport/importer"
)

// TestManyExports: an account that nobody works in follows the source through one export after the other, each with new
// tickets, messages, files and statuses, while answers are lost and runs die: in the end it holds what the source says.
func TestManyExports(t *testing.T) {
	t.Parallel()
	seeds := 400
	switch {
	case os.Getenv("SOAK") != "":
		seeds = 1000
	case testing.Short():
		seeds = 3
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			virtual(t, func(t *testing.T) { manyExports(t, rand.New(rand.NewPCG(11, uint64(seed)))) })
		})
	}
}

// lossy strike one write in eight, the reads too.
const lossy = "create%4=504,applied create%3=reset create%2=504,late:20s append%5=504,applied append%4=reset append%3=html200,applied " +
	"upload%5=504,applied upload%4=reset patch%6=504,applied patch%5=reset patch%3=504 get%2=503 list%2=reset"

func manyExports(t *testing.T, dice *rand.Rand) {
	b := newBench(t, append(many(6), aTicket("long", epoch.AddDate(0, -1, 0), 92+dice.IntN(8), "open"))...) // its conversation soon takes no more
	b.opts.Workers = importer.Workers(1 + dice.IntN(4))
	b.faults(lossy)
	var end *death
	for export := range 5 {
		if export > 0 {
			time.Sleep(time.Hour)
			b.change(dice, export)
		}
		if dice.IntN(2) == 0 {
			end = b.dieAt(1+dice.IntN(40), dice.IntN(2) == 0)
			b.run()
			b.fault = nil
			if dice.IntN(2) == 0 { // the next export is there before this one is done
				continue
			}
		}
		if b.opts.Limit = dice.IntN(3) * 4; b.opts.Limit > 0 {
			b.run()
			b.opts.Limit = 0
			continue
		}
		b.untilDone()
	}
	wantBalanced(t, b.untilDone())
	time.Sleep(time.Hour)
	b.faults("")
	wantBalanced(t, b.mustRun(importer.ExitOK))
	b.wantHeld()
	b.wantFiles()
	for _, ticket := range b.src.tickets {
		parts := b.partsOf(ticket.ID)
		for i, c := range parts {
			want := "closed"
			if i == len(parts)-1 {
				want = map[string]string{"solved": "closed", "open": "active", "pending": "pending"}[ticket.Status]
			}
			if c.Status != want {
				t.Errorf("part %d of ticket %s is %s, want %s", i+1, ticket.ID, c.Status, want)
			}
		}
	}
	if t.Failed() {
		t.Logf("the last crash: %s", end)
	}
	_ = b.box.Close()
}

// change makes the next export.
func (b *bench) change(dice *rand.Rand, export int) {
	b.src.add(aTicket(fmt.Sprint("n", export), epoch.AddDate(0, export, 0), 1+dice.IntN(3), "open"))
	for _, ticket := range b.src.tickets {
		key := ticket.ID
		if dice.IntN(3) == 0 {
			was := ticket.Messages
			b.grow(key, 1+dice.IntN(2))
			copy(b.ticket(key).Messages, was) // with their files
		}
		now := b.ticket(key)
		if dice.IntN(3) == 0 {
			now.Status = []string{"solved", "open", "pending"}[dice.IntN(3)]
		}
		if m := now.Messages[len(now.Messages)-1]; dice.IntN(6) == 0 {
			attach(m, fmt.Sprintf("%s-%d.txt", key, export), strings.Repeat(fmt.Sprint(key, "-", export, " "), 20))
		}
	}
}
