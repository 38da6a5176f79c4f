package mboxfile

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"hsimport/sources"
)

// tangled are files of mails in which everything happens that the index decides: copies in several folders, on another
// road, with a list's footer; different mails under one id; circles, missing parents, parents that come later or in
// another file; Gmail threads and mails that answer into them; answers without references; no date, no id.
func tangled(seed uint64, n int) map[string]string {
	dice := rand.New(rand.NewPCG(seed, 11))
	names := []string{"Inbox", "Sent", "Archive/Lists", "late.mbox"}
	letters := make([][]letter, len(names))
	put := func(l letter) { k := dice.IntN(len(names)); letters[k] = append(letters[k], l) }
	id := func(i int) string { return fmt.Sprintf("m%d@x", i) }
	people := []string{"ann@x.example", "bob@y.example", "ada@team.example", "eve@gmail.com", "list@z.example"}
	for i := range n {
		l := letter{
			id: id(i), from: people[dice.IntN(len(people))], to: people[dice.IntN(len(people))], at: dice.IntN(n / 2),
			subject: fmt.Sprint("Order ", dice.IntN(n/8+1)), body: fmt.Sprintf("text %d of %d\n", dice.IntN(3), i),
		}
		switch dice.IntN(12) {
		case 0:
			l.id = id(dice.IntN(n)) // somebody else's
		case 1:
			l.id = ""
		case 2:
			l.extra = gmail(fmt.Sprint(100+dice.IntN(n/10+1)), []string{"Inbox", "Sent", "Ops"}[dice.IntN(3)])
		case 3:
			l.extra = "X-Mozilla-Status: 0001\n"
		}
		switch dice.IntN(8) {
		case 0, 1, 2:
			l.reply = id(max(0, i-1-dice.IntN(4)))
			l.subject = "Re: " + l.subject
		case 3:
			l.refs = []string{id(dice.IntN(n)), id(dice.IntN(2 * n)), fmt.Sprintf("gone%d@x", dice.IntN(n/4+1))}
		case 4:
			l.reply = people[dice.IntN(len(people))]
		case 5:
			l.subject = "Re: " + l.subject // an answer that says no more
		}
		put(l)
		for dice.IntN(4) == 0 { // copies
			c := l
			switch dice.IntN(5) {
			case 0:
				c.extra += "Received: from a by b; Mon, 1 Jun 2020 12:00:30 +0000\n"
			case 1:
				c.body += "\n_______________________________________________\nlist mailing list\n"
			case 2:
				c.refs = append(c.refs, id(dice.IntN(n)))
			case 3:
				c.body += "as another archive rendered it\n"
			}
			put(c)
		}
	}
	files := map[string]string{}
	for k, name := range names {
		content := mbox(letters[k]...)
		if k == 3 {
			content = strings.ReplaceAll(content, "Date: Mon, 01 Jun 2020 13:", "X-Date: ") // an hour without dates
		}
		files[name] = content
	}
	return files
}

// account is everything that others see of a source: tickets with positions and problems, entries, ledger, digest.
func account(t testing.TB, src *Source) string {
	t.Helper()
	var b strings.Builder
	show := func(v any) {
		raw, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(append(raw, '\n'))
	}
	for i := range src.Len() {
		e := src.Entry(i)
		show(e)
		if at, ok := src.Find(e.Key); !ok || at != i {
			t.Errorf("ticket %d with key %s is found at %d", i, e.Key, at)
		}
		tk := ticketAt(t, src, i)
		for _, m := range tk.Messages {
			for _, a := range m.Attachments {
				shown := *a
				shown.Open = nil
				fmt.Fprintf(&b, "%+v\n", shown)
			}
			m.Attachments = nil
		}
		show(tk)
	}
	show(src.Ledger())
	show(src.Digest())
	return b.String()
}

// TestTangled pins what an archive becomes: whatever changes it doubles histories that were sent before.
func TestTangled(t *testing.T) {
	for _, c := range []struct {
		name, want string
		change     func(*Options)
	}{
		{"auto", "be2d545894818637be1fbc4351c6fe3e143b6bdc2a84656fe5b3acc9073773ba", func(*Options) {}},
		{"gmail", "de4c38930a2a86d38803f0e6b86c1cb312ece84cee27d5fd136922425ebe770d", func(o *Options) { o.ThreadBy = "gmail" }},
		{"references", "c89da0c2bf8b61d7698873227f0addf6f33ad1012ea3926fc736dd7ba35caccb", func(o *Options) { o.ThreadBy = "references" }},
		{"subject", "a33a0a7e62fcde4c2acbcad440fe74f0e9801f12ed37d74f8419f86870746e76", func(o *Options) { o.SubjectFallback = true }},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := sha256.New()
			for seed := range uint64(4) {
				src := openFiles(t, tangled(seed, 300), []string{"Inbox", "Sent", "Archive", "late.mbox"}, c.change)
				if _, ok := src.Find(sources.Key("mid:nobody@x")); ok {
					t.Error("a key that nobody has was found")
				}
				h.Write([]byte(account(t, src)))
			}
			if got := hex.EncodeToString(h.Sum(nil)); got != c.want {
				t.Errorf("the archives become %s, want %s", got, c.want)
			}
		})
	}
}
