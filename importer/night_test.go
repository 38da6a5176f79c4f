package importer_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"hsimport/importer"
	"hsimport/importer/helpscout/sandbox"
	"hsimport/mapping"
)

// night is one simulated run of some thousands of conversations on virtual time, against a real SQLite file.
type night struct {
	name       string
	limit      int
	faults     string
	competitor float64
	set        func(*sandbox.Settings)
	noFault    bool    // then no 429 is allowed
	least      float64 // share of what others leave that has to be used, but for outages and faults
}

var nights = []night{
	{name: "alone", limit: 400, noFault: true, least: 0.99},
	{name: "alone, sliding window", limit: 400, noFault: true, least: 0.99, set: func(s *sandbox.Settings) { s.QuotaWindow = "sliding"; s.QuotaCharge429 = true }},
	{name: "alone, 200 a minute", limit: 200, noFault: true, least: 0.98},
	{name: "faults", limit: 400, faults: "create%1=504,applied create%1=reset create%0.5=reset,late:30s create%0.3=html200,applied create%0.2=timeout,applied list%1=503 get%1=reset", least: 0.9},
	{name: "an outage of ten minutes", limit: 400, faults: "outage@8m+10m create%0.5=504,applied", least: 0.9},
	{name: "a hanging server", limit: 400, faults: "any@5m+3m=timeout,applied", least: 0.9},
	{name: "a competitor", limit: 400, competitor: 0.5, least: 0.95},
	// 40 units a minute are left: one write is 5 % of them, and in the first minute foreign use cannot be known.
	{name: "a greedy competitor", limit: 400, competitor: 0.9, least: 0.80},
}

func conversations() int {
	if n, err := strconv.Atoi(os.Getenv("NIGHT")); err == nil {
		return n
	}
	if testing.Short() {
		return 600
	}
	return 2000
}

// TestNight runs whole nights in a blink and prints what they came to. Nothing is lost, nothing doubled, and the quota
// is used.
func TestNight(t *testing.T) {
	t.Parallel()
	for _, n := range nights {
		t.Run(n.name, func(t *testing.T) { synctest.Test(t, n.run) })
	}
}

func (n night) run(t *testing.T) {
	count := conversations()
	if n.competitor > 0.8 {
		count /= 5 // 20 conversations a minute
	}
	b := newBench(t, many(count)...)
	b.opts = importer.Options{Settle: mapping.Duration(60 * time.Second), OutagePatience: mapping.Duration(time.Hour)}
	b.box.Configure(func(s *sandbox.Settings) {
		s.QuotaLimit, s.Competitor = n.limit, n.competitor
		s.Latency, s.LatencyJitter = 300*time.Millisecond, 140*time.Millisecond
		s.IndexLag, s.TokenLifetime = 2*time.Minute, 10*time.Minute
		if n.set != nil {
			n.set(s)
		}
	})
	rules, err := sandbox.ParseFaults(n.faults)
	if err != nil {
		t.Fatal(err)
	}
	b.box.SetFaults(rules)
	rep := b.untilDone()
	b.wantHeld()
	st := b.box.Stats()
	q := rep.Summary.Quota
	left := float64(n.limit)*rep.Summary.ElapsedS/60 - float64(st.Foreign)
	t.Logf("%d conversations in %s: %d units, %d of them settling; %.2f %% of what was permitted, %.1f %% of what others left; %d answers 429; %d recovered",
		count, time.Duration(rep.Summary.ElapsedS*float64(time.Second)).Round(time.Second), q.Units, q.Settling, 100*q.Utilization, 100*float64(st.Units)/left, st.Throttled, rep.Summary.Conversations.Recovered)
	if n.noFault && st.Throttled > 0 {
		t.Errorf("%d calls were answered 429 although nobody else used the quota", st.Throttled)
	}
	used := q.Utilization // of what was permitted while there was work: an outage permits nothing
	if n.faults == "" {
		used = float64(st.Units) / left
	}
	if count < 5000 && n.competitor < 0.8 {
		n.least -= 0.02 // the first handful and the end weigh more in a short night
	}
	if used < n.least {
		t.Errorf("%.2f %% of the permitted units used, want %.0f %%", 100*used, 100*n.least)
	}
	_ = b.box.Close()
}

// TestSleepingLaptop suspends the machine for eight hours in mid-request: no answer comes back, the token has expired,
// and the clock has jumped.
func TestSleepingLaptop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, many(200)...)
		b.box.Configure(func(s *sandbox.Settings) {
			s.QuotaLimit, s.TokenLifetime, s.Latency = 400, 2*time.Hour, 200*time.Millisecond
		})
		asleep := false
		b.box.Inject(func(op sandbox.Op) *sandbox.Fault {
			if op.Kind == "create" && op.N == 60 && !asleep {
				asleep = true
				time.Sleep(8 * time.Hour)
				return &sandbox.Fault{Kind: sandbox.Reset, Apply: sandbox.ApplyBefore}
			}
			return nil
		})
		b.untilDone()
		b.wantHeld()
		if !asleep {
			t.Error("the machine never slept")
		}
		_ = b.box.Close()
	})
}

// meddled is what people do to a conversation while its part is in doubt.
var meddled = map[string]struct {
	act  func(*sandbox.Sandbox, int64) error
	code int // what the run ends with
	held int // conversations of the ticket afterwards
}{
	"retitled": {func(s *sandbox.Sandbox, id int64) error { return s.Retitle(id, "something else") }, importer.ExitDoubt, 1},
	"moved":    {func(s *sandbox.Sandbox, id int64) error { return s.Move(id, otherMailbox) }, importer.ExitDoubt, 1},
	"answered": {func(s *sandbox.Sandbox, id int64) error { _, err := s.Reply(id, 0, "on it"); return err }, importer.ExitDoubt, 1},
	"deleted":  {func(s *sandbox.Sandbox, id int64) error { return s.DeleteConversation(id) }, importer.ExitOK, 1},
}

// TestPeopleMeddle: what agents do to a conversation whose answer was lost is noticed; it is never sent a second time
// while it is there.
func TestPeopleMeddle(t *testing.T) {
	for name, m := range meddled {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, many(20)...)
				var subject string
				b.box.Inject(func(op sandbox.Op) *sandbox.Fault {
					if op.Kind == "create" && op.N == 12 && subject == "" {
						subject = subjectOf(op.Body)
						return &sandbox.Fault{Kind: sandbox.Status, Code: 504, Apply: sandbox.ApplyBefore}
					}
					if op.Kind == "create" && op.N == 15 {
						for c := range b.box.Conversations() {
							if c.Subject == subject {
								go func() { _ = m.act(b.box, c.ID) }()
							}
						}
					}
					return nil
				})
				b.opts.Workers = 1
				b.mustRun(m.code)
				held := 0
				for c := range b.box.Conversations() {
					for _, th := range c.Threads {
						if !c.Deleted && plain(th.Text) == "message 1 of ticket "+numberOf(subject) {
							held++
						}
					}
				}
				if held != m.held {
					t.Errorf("%d conversations of %q, want %d", held, subject, m.held)
				}
				_ = b.box.Close()
			})
		})
	}
}

func numberOf(subject string) string {
	var n string
	_, _ = fmt.Sscanf(subject, "Ticket %s", &n)
	return n
}

// subjectOf reads the subject out of a create call.
func subjectOf(body []byte) string {
	var c struct {
		Subject string `json:"subject"`
	}
	_ = json.Unmarshal(body, &c)
	return c.Subject
}

var otherMailbox = sandbox.DefaultSeed().Mailboxes[1].ID
