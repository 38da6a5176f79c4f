package sandbox

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestOrderedKeepsOrder compares with a sorted slice, over enough entries that chunks split and vanish.
func TestOrderedKeepsOrder(t *testing.T) {
	for name, key := range map[string]func(i int) int64{
		"random":    func(int) int64 { return rand.Int64N(5000) },
		"ascending": func(i int) int64 { return int64(i) },
		"one":       func(int) int64 { return 7 },
		"backwards": func(i int) int64 { return int64(-i) },
	} {
		t.Run(name, func(t *testing.T) {
			o := ordered{key: func(c *conversation) int64 { return c.created }}
			var all []*conversation
			for i := range 6000 {
				c := &conversation{id: int64(i), created: key(i)}
				all = append(all, c)
				o.insert(c)
			}
			for range 3000 {
				i := rand.IntN(len(all))
				o.remove(all[i])
				o.remove(all[i]) // a second time is no harm
				all = slices.Delete(all, i, i+1)
			}
			slices.SortFunc(all, o.compare)
			if !slices.Equal(slices.Collect(o.all(false)), all) {
				t.Fatal("ascending order differs")
			}
			down := slices.Clone(all)
			slices.Reverse(down)
			if !slices.Equal(slices.Collect(o.all(true)), down) {
				t.Fatal("descending order differs")
			}
			for range 300 {
				from := key(rand.IntN(6000))
				to := from + rand.Int64N(100)
				want := slices.DeleteFunc(slices.Clone(all), func(c *conversation) bool { return c.created < from || c.created > to })
				if got := slices.Collect(o.within(from, to)); !slices.Equal(got, want) {
					t.Fatalf("[%d, %d]: %d, want %d", from, to, len(got), len(want))
				}
			}
			if got := slices.Collect(o.within(math.MinInt64, math.MaxInt64)); !slices.Equal(got, all) {
				t.Fatal("the whole range differs")
			}
		})
	}
}

// TestManyAtOnce lets importers, agents and readers loose on one account, in virtual time with latency and faults;
// afterwards what was answered 201 is there, once, and the counters agree with what is there.
func TestManyAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := with(t, "latency=200ms", "latency-jitter=150ms", "index-lag=3s", "workflow-delay=1s")
		rules, err := ParseFaults("create%5=504,applied create%5=reset create%5=503,late:20s append%10=reset,applied list%10=html200")
		if err != nil {
			t.Fatal(err)
		}
		c.s.SetFaults(rules)
		var mu sync.Mutex
		var made []int64
		var wg sync.WaitGroup
		for g := range 8 {
			wg.Go(func() {
				rng := rand.New(rand.NewPCG(uint64(g), 1))
				for i := range 60 {
					a := c.send("POST", "/v2/conversations", sample(fmt.Sprintf("p%d@b.example", rng.IntN(50)), fmt.Sprintf("2021-03-04T05:%02d:%02dZ", i, g), ""))
					if a.status == 201 {
						mu.Lock()
						made = append(made, a.id())
						mu.Unlock()
						c.send("POST", convPath(a.id(), "/notes"), `{"text":"n","imported":true}`)
					}
					c.send("GET", "/v2/conversations?"+q("subject:order AND createdAt:[2021-01-01T00:00:00Z TO *]"), "")
				}
			})
		}
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(99, 1))
			for range 100 {
				time.Sleep(100 * time.Millisecond)
				mu.Lock()
				n := len(made)
				var a, b int64
				if n > 1 {
					a, b = made[rng.IntN(n)], made[rng.IntN(n)]
				}
				mu.Unlock()
				_ = []func() error{
					func() error { return c.s.Retitle(a, "new") }, func() error { return c.s.Merge(a, b) }, func() error { return c.s.Move(a, 254906) },
					func() error { _, err := c.s.Reply(a, 0, "x"); return err },
				}[rng.IntN(4)]()
				c.s.Dump()
			}
		})
		wg.Wait()
		time.Sleep(time.Minute)
		st := c.s.Dump()
		seen := map[int64]Conversation{}
		numbers := map[int64]bool{}
		live := 0
		for _, conv := range st.Conversations {
			if _, twice := seen[conv.ID]; twice || numbers[conv.Number] {
				t.Errorf("id %d or number %d is there twice", conv.ID, conv.Number)
			}
			seen[conv.ID], numbers[conv.Number] = conv, true
			if conv.Live() {
				live++
			}
		}
		for _, id := range made {
			if seen[id].ID == 0 {
				t.Errorf("conversation %d was answered 201 and is not there", id)
			}
		}
		late := 0
		for text, n := range st.Stats.Faults {
			if strings.HasPrefix(text, "create ") && (strings.Contains(text, "applied") || strings.Contains(text, "late")) {
				late += n
			}
		}
		if len(st.Conversations) != len(made)+late || late == 0 {
			t.Errorf("%d conversations; %d were answered, %d applied without an answer", len(st.Conversations), len(made), late)
		}
		a := c.want(200, "GET", "/v2/conversations?status=all", "")
		if a.at("page/totalElements") != float64(live) {
			t.Errorf("the list counts %v, the dump %d", a.at("page/totalElements"), live)
		}
		_ = c.s.Close()
	})
}

func TestClosedSandbox(t *testing.T) {
	c := with(t)
	if err := c.s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := c.s.Close(); err != nil {
		t.Errorf("the second Close: %v", err)
	}
	if a := c.send("GET", "/v2/users/me", ""); a.err == nil {
		t.Errorf("a closed sandbox answers %d", a.status)
	}
}

func TestHalfSettingsAreRefused(t *testing.T) {
	if _, err := New(Options{Settings: Settings{QuotaLimit: 200}}); err == nil || !strings.Contains(err.Error(), "sandbox.Defaults()") {
		t.Errorf("New: %v", err)
	}
}

// TestInboxRuleAssigns: without the key assignTo, the one who replied gets it; an explicit null keeps it free.
func TestInboxRuleAssigns(t *testing.T) {
	c := with(t)
	body := sample("a@b.example", "2021-03-04T05:06:07Z", "")
	null := c.want(201, "POST", "/v2/conversations", body).id()
	absent := c.want(201, "POST", "/v2/conversations", strings.Replace(body, `"assignTo":null,`, "", 1)).id()
	if got := c.want(200, "GET", convPath(null, ""), "").at("assignee"); got != nil {
		t.Errorf("null: assigned to %v", got)
	}
	if got := c.want(200, "GET", convPath(absent, ""), "").at("assignee/id"); got != 512344.0 {
		t.Errorf("absent: assigned to %v", got)
	}
}

func FuzzCreate(f *testing.F) {
	f.Add(sample("a@b.example", "2021-03-04T05:06:07Z", `,"tags":["x"],"fields":[{"id":31201,"value":"90511"}]`))
	f.Add(`{"subject":"s","customer":{"id":1},"mailboxId":"254871","type":"chat","status":"open","threads":[{"type":"note","text":"x","attachments":[{"fileName":"a","mimeType":"b","data":"aGk="}]}]}`)
	f.Add(`{"threads":[null,{"type":"reply","cc":["x"],"createdAt":5}],"customer":[],"fields":{},"assignTo":-1}`)
	c := with(f)
	n := 0
	f.Fuzz(func(t *testing.T, body string) {
		if body == "" {
			return
		}
		a := c.send("POST", "/v2/conversations", body)
		made := c.s.Stats().Created - n
		n += made
		switch {
		case a.status == 201 && made == 1:
			got := c.send("GET", convPath(a.id(), "?embed=threads"), "")
			threads, _ := got.at("_embedded/threads").([]any)
			if got.status != 200 || got.at("threads") != float64(len(threads)) || len(threads) == 0 || len(threads) > 100 {
				t.Fatalf("created by %q, reads back as %d %s", body, got.status, got.raw)
			}
		case a.status == 400 && made == 0:
			if a.at("logRef") == nil || a.at("_embedded/errors") == nil {
				t.Fatalf("%q is refused with %s", body, a.raw)
			}
		case (a.status == 412 || a.status == 413) && made == 0:
		default:
			t.Fatalf("%q: answered %d, %d conversations made", body, a.status, made)
		}
	})
}
