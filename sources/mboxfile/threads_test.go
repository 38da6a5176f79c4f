package mboxfile

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestThreads(t *testing.T) {
	for _, c := range []struct {
		name    string
		letters []letter
		want    []string
	}{
		{"by In-Reply-To", []letter{{id: "a@x"}, {id: "b@x", at: 1, reply: "a@x"}, {id: "c@x", at: 2}}, []string{"a@x b@x", "c@x"}},
		{"by References", []letter{{id: "a@x"}, {id: "b@x", at: 1, refs: []string{"a@x"}}, {id: "c@x", at: 2, refs: []string{"a@x", "b@x"}}}, []string{"a@x b@x c@x"}},
		{"two answers to a missing mail", []letter{{id: "b@x", refs: []string{"gone@x"}}, {id: "c@x", at: 1, reply: "gone@x"}}, []string{"b@x c@x"}},
		{"a circle", []letter{{id: "a@x", reply: "b@x"}, {id: "b@x", at: 1, reply: "a@x"}}, []string{"a@x b@x"}},
		{"a mail that names itself", []letter{{id: "a@x", reply: "a@x", refs: []string{"a@x"}}, {id: "b@x", at: 1}}, []string{"a@x", "b@x"}},
		{"answers dated before the question", []letter{{id: "a@x", at: 9}, {id: "b@x", at: 1, reply: "a@x"}}, []string{"b@x a@x"}},
		{"an address in In-Reply-To joins nobody", []letter{
			{id: "a@x", from: "eve@x.example"},
			{id: "b@x", at: 1, reply: "eve@x.example"},
			{id: "c@x", at: 2, reply: "eve@x.example"},
		}, []string{"a@x", "b@x", "c@x"}},
		{"a malformed id names nobody", []letter{{id: "@"}, {id: "", at: 1, reply: "@", body: "other\n"}}, []string{"", ""}},
		{"different mails under one id", []letter{
			{id: "same@x", subject: "Invoice", from: "robot@x.example"},
			{id: "same@x", subject: "Welcome", from: "robot@x.example", at: 5, body: "other\n"},
			{id: "a@x", subject: "Re: Welcome", at: 6, reply: "same@x"},
			{id: "b@x", subject: "Re: Nothing of this", at: 7, reply: "same@x"},
		}, []string{"same@x", "same@x a@x", "b@x"}},
		{"the latest of one subject under one id", []letter{
			{id: "same@x", subject: "Alarm", from: "robot@x.example"},
			{id: "same@x", subject: "Alarm", from: "robot@x.example", at: 60, body: "second\n"},
			{id: "same@x", subject: "Alarm", from: "robot@x.example", at: 120, body: "third\n"},
			{id: "a@x", subject: "Re: Alarm", at: 61, reply: "same@x"},
		}, []string{"same@x", "same@x a@x", "same@x"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			wantGroups(t, open(t, mbox(c.letters...)), slices.Clone(c.want)...)
			slices.Reverse(c.letters)
			wantGroups(t, open(t, mbox(c.letters...)), c.want...)
		})
	}
}

func gmail(id string, labels ...string) string {
	s := "X-GM-THRID: " + id + "\n"
	if len(labels) > 0 {
		s += "X-Gmail-Labels: " + strings.Join(labels, ",") + "\n"
	}
	return s
}

func TestGmailThreads(t *testing.T) {
	letters := []letter{
		{id: "a@x", extra: gmail("17")},
		{id: "b@x", at: 1, extra: gmail("17")},                              // no reference: Gmail knows better
		{id: "c@x", at: 2, extra: gmail("18"), reply: "a@x"},                // Gmail split the thread
		{id: "d@x", at: 3, reply: "b@x", refs: []string{"c@x", "b@x"}},      // no Gmail id, answers both: to the older thread
		{id: "e@x", at: 4, reply: "d@x"},                                    // goes where its parent went
		{id: "f@x", at: 5, extra: gmail("18"), refs: []string{"missing@x"}}, // knows a mail that is not there,
		{id: "g@x", at: 6, refs: []string{"missing@x"}},                     // as this one does
		{id: "h@x", at: 7},
	}
	all := map[string][]string{
		"":           {"a@x b@x d@x e@x", "c@x f@x g@x", "h@x"},
		"gmail":      {"a@x b@x", "c@x f@x", "d@x", "e@x", "g@x", "h@x"},
		"references": {"a@x b@x c@x d@x e@x", "f@x g@x", "h@x"},
	}
	for mode, want := range all {
		t.Run("thread_by "+mode, func(t *testing.T) {
			for range 5 {
				rand.Shuffle(len(letters), func(i, j int) { letters[i], letters[j] = letters[j], letters[i] })
				wantGroups(t, open(t, mbox(letters...), func(o *Options) { o.ThreadBy = mode }), slices.Clone(want)...)
			}
		})
	}
	src := open(t, mbox(letters...))
	i, ok := src.Find("gmail:17")
	if !ok {
		t.Fatal("no ticket gmail:17")
	}
	var reasons []string
	for _, j := range ticketAt(t, src, i).Joins {
		reasons = append(reasons, fmt.Sprint(j.Message, " ", j.Reason, " ", j.With))
	}
	want := []string{"mid:b@x gmail 17", "mid:d@x in-reply-to b@x", "mid:e@x in-reply-to d@x"}
	if !slices.Equal(reasons, want) {
		t.Errorf("joins are %q, want %q", reasons, want)
	}
}

func TestSubjectFallback(t *testing.T) {
	letters := []letter{
		{id: "a@x", subject: "Order", from: "ann@x.example"},
		{id: "b@x", subject: "Order", from: "bob@y.example", at: 1},
		{id: "c@x", subject: "Re: Order", from: "ada@team.example", to: "ann@x.example", at: 2},
		{id: "d@x", subject: "AW: Order", from: "ann@x.example", to: "ada@team.example", at: 3},
		{id: "e@x", subject: "Re: Order", from: "eve@x.example", to: "sales@other.example", at: 4},
		{id: "f@x", subject: "Re: Order", from: "bob@y.example", at: 60 * 24 * 40},
		{id: "g@x", subject: "Order", from: "ann@x.example", at: 5},
	}
	wantGroups(t, open(t, mbox(letters...)), "a@x", "b@x", "c@x", "d@x", "e@x", "f@x", "g@x")
	on := func(o *Options) { o.SubjectFallback = true }
	src := open(t, mbox(letters...), on)
	wantGroups(t, src, "a@x c@x d@x", "b@x", "e@x", "f@x", "g@x")
	i, _ := src.Find("mid:a@x")
	if j := ticketAt(t, src, i).Joins; len(j) != 2 || j[0].Reason != "subject" || j[0].With != "Re: Order" {
		t.Errorf("joins are %+v, want two by subject", j)
	}
	slices.Reverse(letters)
	wantGroups(t, open(t, mbox(letters...), on), "a@x c@x d@x", "b@x", "e@x", "f@x", "g@x")
	wide := func(o *Options) { o.SubjectFallback, o.SubjectWindow = true, 60*24*time.Hour }
	wantGroups(t, open(t, mbox(letters...), wide), "a@x c@x d@x", "b@x f@x", "e@x", "g@x")
}

func TestRootAndKeys(t *testing.T) {
	src := open(t, mbox(
		letter{id: "late-root@x", at: 10},
		letter{id: "early@x", at: 1, reply: "late-root@x"},
		letter{id: "c1@x", at: 2, reply: "c2@x"}, letter{id: "c2@x", at: 3, reply: "c1@x"},
		letter{at: 4, body: "no id\n"},
		letter{id: "same@x", at: 5, subject: "one"}, letter{id: "same@x", at: 6, subject: "two"},
	))
	var keys []string
	for i := range src.Len() {
		e := src.Entry(i)
		keys = append(keys, string(e.Key))
		if at, ok := src.Find(e.Key); !ok || at != i {
			t.Errorf("Find(%s) is %d, %v, want %d", e.Key, at, ok, i)
		}
	}
	want := []string{"mid:late-root@x", "mid:c1@x", "sha:", "mid:same@x", "mid:same@x#"}
	for i, k := range keys {
		if exact := k == want[i]; !exact && (!strings.HasSuffix(want[i], ":") && !strings.HasSuffix(want[i], "#") || !strings.HasPrefix(k, want[i])) {
			t.Errorf("ticket %d is %s, want %s", i, k, want[i])
		}
	}
	if _, ok := src.Find("mid:nobody@x"); ok {
		t.Error("a key that nobody has was found")
	}
}

// TestLateTwin proves that a mail that turns up later under an id that was sent already does not change the key of the
// one that was.
func TestLateTwin(t *testing.T) {
	first := letter{id: "same@x", subject: "one"}
	key := ticketAt(t, open(t, mbox(first)), 0).Messages[0].Key
	src := open(t, mbox(letter{id: "same@x", subject: "two", at: 5}, first))
	for i := range src.Len() {
		if m := ticketAt(t, src, i).Messages[0]; (m.Subject == "one") != (m.Key == key) {
			t.Errorf("%q has the key %s, the first mail had %s", m.Subject, m.Key, key)
		}
	}
}

func TestThousandsInOneThread(t *testing.T) {
	const n = 4000
	letters := []letter{{id: "m0@x"}}
	for i := 1; i < n; i++ {
		letters = append(letters, letter{id: fmt.Sprintf("m%d@x", i), at: i, reply: fmt.Sprintf("m%d@x", i-1)})
	}
	rand.Shuffle(n, func(i, j int) { letters[i], letters[j] = letters[j], letters[i] })
	src := open(t, mbox(letters...))
	if src.Len() != 1 {
		t.Fatalf("%d tickets, want 1", src.Len())
	}
	tk := ticketAt(t, src, 0)
	if len(tk.Messages) != n || len(tk.Joins) != n-1 || tk.Key != "mid:m0@x" {
		t.Errorf("ticket %s has %d messages and %d joins", tk.Key, len(tk.Messages), len(tk.Joins))
	}
	for i, m := range tk.Messages {
		if m.ID != fmt.Sprintf("m%d@x", i) || m.Ordinal != i {
			t.Fatalf("message %d is %s", i, m.ID)
		}
	}
}

// randomIndex is an index of n mails with few ids, so that everything happens: shared ids, circles, missing parents,
// copies, Gmail threads. choose decides each thing.
func randomIndex(n int, choose func(int) int) *index {
	x := newIndex(&tempDir{})
	for range n {
		addRandom(x, choose)
	}
	return x
}

func addRandom(x *index, choose func(int) int) {
	r := record{date: int64(choose(4)), subject: uint64(1 + choose(2)), sender: idHash(fmt.Sprint("s", choose(3)))}
	if choose(8) == 0 {
		r.date = noDate
	}
	id := ""
	if k := choose(12); k > 0 {
		id = fmt.Sprint("id", k)
		r.id = idHash(id)
	}
	sum := sha256.Sum256(fmt.Append(nil, r.date, r.subject, r.sender, r.id, choose(3)))
	copy(r.digest[:], sum[:])
	if choose(3) == 0 {
		r.gmail = uint64(1 + choose(3))
	}
	var refs []uint64
	whole := fmt.Append(nil, r.digest, r.gmail)
	for range choose(3) {
		refs = append(refs, idHash(fmt.Sprint("id", 1+choose(14))))
		whole = fmt.Append(whole, refs[len(refs)-1])
	}
	x.labels.number(nil)
	at := place{check: crc32.ChecksumIEEE(whole)} // of different bytes, copies with other references or another thread
	if err := x.add(r, at, refs, id); err != nil {
		panic(err)
	}
}

// shuffled is the same index with its records in another order, and with so much memory for each table.
func shuffled(x *index, order []int, memory int) *index {
	y := newIndex(&tempDir{memory: memory})
	y.labels.number(nil)
	refs := make([][]uint64, x.n)
	at := 0
	record := func(i uint32) record {
		r, err := x.at(i)
		if err != nil {
			panic(err)
		}
		return r
	}
	for i := range refs {
		for range record(uint32(i)).nrefs {
			refs[i] = append(refs[i], be64(x.refs.mem[at:]))
			at += 8
		}
	}
	for _, i := range order {
		r := record(uint32(i))
		id, err := x.ids.read(nil, r.idAt)
		if err != nil {
			panic(err)
		}
		at, err := x.places.at(uint32(i))
		if err == nil {
			err = y.add(r, at, refs[i], string(id))
		}
		if err != nil {
			panic(err)
		}
	}
	if err := y.flush(); err != nil {
		panic(err)
	}
	return y
}

// threaded makes tickets of an index, without what needs the mails themselves.
func threaded(ctx context.Context, x *index, mode string) (*threads, error) {
	rep, byDigest, _, err := x.copies(ctx)
	defer byDigest.close()
	if err != nil {
		return nil, err
	}
	owners, shared, err := x.sharingID(ctx, rep)
	defer owners.close()
	defer shared.close()
	if err != nil {
		return nil, err
	}
	t, err := newThreader(ctx, x, rep, shared, mode)
	if err != nil {
		return nil, err
	}
	defer t.close()
	if err := t.join(ctx, owners); err != nil {
		return nil, err
	}
	return t.collect(ctx)
}

// threading is a rendering of the tickets of an index that no order shows in.
func threading(t *testing.T, x *index, mode string) string {
	t.Helper()
	defer x.close()
	all, err := threaded(context.Background(), x, mode)
	if err != nil {
		t.Fatal(err)
	}
	defer all.close()
	s := Source{index: x, threads: all}
	var lines []string
	for i := range s.Len() {
		e := s.Entry(i)
		line := fmt.Sprintf("%s %d %d:", e.Key, e.Created.Unix(), e.Last.Unix())
		tk, err := all.ticket(i)
		if err != nil {
			t.Fatal(err)
		}
		members, err := all.membersOf(&tk)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range members {
			r, err := x.at(m.i)
			if err != nil {
				t.Fatal(err)
			}
			line += fmt.Sprintf(" %x", r.digest)
		}
		lines = append(lines, line)
		if at, ok := s.Find(e.Key); !ok || at != i {
			t.Errorf("ticket %d with key %s is found at %d", i, e.Key, at)
		}
	}
	return strings.Join(lines, "\n")
}

func FuzzThreader(f *testing.F) {
	f.Add([]byte("a few mails of a few people"), uint64(1), uint8(0))
	f.Add([]byte(strings.Repeat("\x00\x01\x02\x03\x05\x09\x11", 60)), uint64(2), uint8(1))
	f.Add([]byte("\x07\x07\x07\x07\x07\x01\x07\x07\x07\x02\x07\x07\x07\x07\x03\x07\x07\x07\x07\x07\x07\x07\x07"), uint64(3), uint8(2))
	f.Fuzz(func(t *testing.T, data []byte, seed uint64, mode uint8) {
		next := 0
		choose := func(n int) int {
			if next >= len(data) {
				return 0
			}
			next++
			return int(data[next-1]) % n
		}
		modes := []string{"auto", "gmail", "references"}
		orderFree(t, randomIndex(min(len(data)/6+1, 200), choose), modes[int(mode)%3], seed)
	})
}

// orderFree proves that the threading of an index does not change when its records are shuffled, nor when it has hardly
// any memory.
func orderFree(t *testing.T, x *index, mode string, seed uint64) {
	t.Helper()
	order := make([]int, x.n)
	for i := range order {
		order[i] = i
	}
	want := threading(t, shuffled(x, order, 0), mode)
	rng := rand.New(rand.NewPCG(seed, 1))
	least := 1 // a run for every item; of many items they take their time
	if x.n > 20 {
		least = 1000
	}
	for _, memory := range []int{0, least, 5000} {
		rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		if got := threading(t, shuffled(x, order, memory), mode); got != want {
			t.Fatalf("thread_by %s depends on the order:\n%s\n--- and\n%s", mode, want, got)
		}
	}
}

func TestThreadingIsOrderFree(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 7))
		x := randomIndex(1+rng.IntN(40), rng.IntN)
		orderFree(t, x, []string{"auto", "gmail", "references"}[seed%3], seed)
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	dir := tree(t, map[string]string{"a.mbox": mbox(letter{id: "a@x"})})
	if _, err := Open(ctx, Options{Paths: []string{dir}}); err == nil {
		t.Error("Open went on without its context")
	}
	src := open(t, mbox(letter{id: "a@x"}))
	if _, err := src.Ticket(ctx, 0); err == nil {
		t.Error("Ticket went on without its context")
	}
}

// BenchmarkThreads makes tickets of a million mails in threads of four.
func BenchmarkThreads(b *testing.B) {
	const n = 1_000_000
	x := newIndex(&tempDir{})
	x.labels.number(nil)
	ids := make([]uint64, n)
	for i := range ids {
		ids[i] = uint64(i+1) * 0x9e3779b97f4a7c15 // spreads numbers as hashes are
	}
	for i := range n {
		r := record{id: ids[i], date: int64(i)}
		binary.BigEndian.PutUint64(r.digest[:], ids[i])
		var refs []uint64
		for k := range i % 4 {
			refs = append(refs, ids[i-k-1])
		}
		if err := x.add(r, place{}, refs, ""); err != nil {
			b.Fatal(err)
		}
	}
	if err := x.flush(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		all, err := threaded(context.Background(), x, "auto")
		if err != nil {
			b.Fatal(err)
		}
		all.close()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/mail")
}
