package importer_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hsimport/importer"
	"hsimport/importer/helpscout/sandbox"
)

// verify returns the summary and what was said of each conversation, by its ticket and part.
func (b *bench) verify(code int, how importer.Verifying) (*importer.VerifySummary, map[string]importer.Checked) {
	b.t.Helper()
	job := b.job()
	job.Source = nil
	before := b.box.Stats()
	got := map[string]importer.Checked{}
	sum, stop := importer.Verify(b.t.Context(), job, how, func(c importer.Checked) error {
		got[fmt.Sprintf("%s/%d", c.Key, c.Part)] = c
		return nil
	})
	if sum.ExitCode != code || !sum.Balanced {
		b.t.Fatalf("verify: exit %d (%v), want %d: %s; %+v", sum.ExitCode, stop, code, sum.Verdict, got)
	}
	if now := b.box.Stats(); now.Created != before.Created {
		b.t.Error("verify has changed the account")
	}
	return sum, got
}

// TestVerifyAsSent: after an import of everything the engine can send, all is as it was sent.
func TestVerifyAsSent(t *testing.T) {
	for _, rewrite := range []string{"none", "br", "sanitise"} {
		virtual(t, func(t *testing.T) {
			b := crashBench(t, lostAnswers["applied"], 4)
			b.maps.JobTag = "imported"
			b.box.Configure(func(s *sandbox.Settings) { s.HTMLRewrite = rewrite })
			b.src.add(many(130)...)
			rep := b.untilDone()
			n := rep.Summary.Conversations.Planned
			sum, got := b.verify(importer.ExitOK, importer.Verifying{})
			if v := sum.Verified; v.AsSent != n || len(got) != n || v.Threads < 50 {
				t.Errorf("%d sent: %+v", n, v)
			}
			if u := sum.Quota.Units; u > 80 {
				t.Errorf("%d units to look at %d heads and 50 conversations", u, n)
			}
			sum, _ = b.verify(importer.ExitOK, importer.Verifying{All: true})
			if sum.Verified.Threads != n {
				t.Errorf("--all has read %d of %d", sum.Verified.Threads, n)
			}
			t.Logf("%d conversations: %s for %d units", n, sum.Verdict, sum.Quota.Units)
			_ = b.box.Close()
		})
	}
}

// harm is what happened to a conversation after it was sent, and how verify has to call it.
var harm = map[string]struct {
	symbol, words string
	act           func(b *bench, id, other int64) error
}{
	"nothing":       {importer.AsSent, "", func(*bench, int64, int64) error { return nil }},
	"deleted":       {importer.Absent, "not there", func(b *bench, id, _ int64) error { return b.box.DeleteConversation(id) }},
	"answered":      {importer.GoneOn, "1 thread came since", func(b *bench, id, _ int64) error { _, err := b.box.Reply(id, 0, "hello"); return err }},
	"reactivated":   {importer.GoneOn, "status active", func(b *bench, id, _ int64) error { _, err := b.box.CustomerReply(id, "again"); return err }},
	"status":        {importer.GoneOn, "status pending", func(b *bench, id, _ int64) error { return b.box.SetStatus(id, "pending") }},
	"retitled":      {importer.GoneOn, "subject", func(b *bench, id, _ int64) error { return b.box.Retitle(id, "what it is really about") }},
	"moved":         {importer.GoneOn, "mailbox", func(b *bench, id, _ int64) error { return b.box.Move(id, otherMailbox) }},
	"merged":        {importer.GoneOn, "merged into", func(b *bench, id, other int64) error { return b.box.Merge(id, other) }},
	"text replaced": {importer.Differs, "the text of the", func(b *bench, id, _ int64) error { return b.rewrite(id, "nobody sent this") }},
}

// rewrite replaces the text of a conversation's first thread, as the API allows.
func (b *bench) rewrite(id int64, text string) error {
	c := b.job().Client
	threads, err := c.Threads(b.t.Context(), id)
	if err != nil {
		return err
	}
	last := threads[len(threads)-1]
	return c.Patch(b.t.Context(), fmt.Sprintf("/v2/conversations/%d/threads/%d", id, last.ID), "replace", "/text", text)
}

// TestVerifyTells: what people have done since is told from damage.
func TestVerifyTells(t *testing.T) {
	for name, h := range harm {
		t.Run(name, func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				b := newBench(t, many(12)...)
				b.mustRun(importer.ExitOK)
				time.Sleep(time.Hour)
				one, other := b.conversations("Ticket 1002")[0], b.conversations("Ticket 1007")[0]
				if err := h.act(b, one.ID, other.ID); err != nil {
					t.Fatal(err)
				}
				code := importer.ExitOK
				if h.symbol == importer.Differs || h.symbol == importer.Absent {
					code = importer.ExitRejected
				}
				for _, how := range []importer.Verifying{{All: true}, {Only: []string{"1002"}}} {
					sum, got := b.verify(code, how)
					c := got["id:1002/1"]
					if c.Symbol != h.symbol || !strings.Contains(strings.Join(c.Differences, "; "), h.words) {
						t.Errorf("%+v", c)
					}
					others := sum.Verified.AsSent + sum.Verified.Unseen
					if name == "merged" {
						others++ // the one it went into has gone on too
					}
					if h.symbol != importer.AsSent && others != 11 && how.All {
						t.Errorf("%+v", sum.Verified)
					}
				}
				_ = b.box.Close()
			})
		})
	}
}

// TestVerifyUnfinished: what was not sent yet is no difference, and no success either.
func TestVerifyUnfinished(t *testing.T) {
	b := newBench(t, many(12)...)
	b.opts.Limit = 5
	b.mustRun(importer.ExitLeft)
	if sum, _ := b.verify(importer.ExitLeft, importer.Verifying{}); sum.Verified.Pending != 7 || sum.Verified.AsSent != 5 {
		t.Errorf("%+v", sum.Verified)
	}
	b.base = "http://127.0.0.1:9999"
	b.verify(importer.ExitCheckpoint, importer.Verifying{}) // another server is not compared with
	b.base = "http://127.0.0.1:8080"
	b.path = filepath.Join(t.TempDir(), "none.db")
	b.verify(importer.ExitUsage, importer.Verifying{})
}

// TestVerifyFiles: a file that is gone is missed.
func TestVerifyFiles(t *testing.T) {
	b := crashBench(t, "", 1)
	b.mustRun(importer.ExitOK)
	b.wrap = func(rt http.RoundTripper) http.RoundTripper { return hideFile{rt} }
	sum, got := b.verify(importer.ExitRejected, importer.Verifying{All: true})
	if sum.Verified.Differ != 1 || !strings.Contains(strings.Join(got["id:files/1"].Differences, ";"), `lacks the attachment "small.txt"`) {
		t.Errorf("%+v %+v", sum.Verified, got["id:files/1"])
	}
}

// TestVerifySample: a sample is what it says, and the same for the same seed.
func TestVerifySample(t *testing.T) {
	b := newBench(t, many(60)...)
	b.mustRun(importer.ExitOK)
	read := func(text string, seed uint64) string {
		var s importer.Sample
		if err := s.UnmarshalText([]byte(text)); err != nil {
			t.Fatal(err)
		}
		_, got := b.verify(importer.ExitOK, importer.Verifying{Read: s, Seed: seed})
		var names []string
		for _, tk := range b.src.tickets {
			if got[string(tk.Key)+"/1"].Threads {
				names = append(names, tk.ID)
			}
		}
		return strings.Join(names, " ")
	}
	if a, z := read("10%", 1), read("10%", 1); a != z || len(strings.Fields(a)) != 6 {
		t.Errorf("%q and %q", a, z)
	}
	if a, z := read("7", 1), read("7", 2); a == z || len(strings.Fields(a)) != 7 {
		t.Errorf("%q and %q", a, z)
	}
	for _, wrong := range []string{"", "0", "-3", "0.5", "101%", "x%"} {
		if err := new(importer.Sample).UnmarshalText([]byte(wrong)); err == nil {
			t.Errorf("%q is taken for a sample", wrong)
		}
	}
}

// hideFile takes the file small.txt out of every answer.
type hideFile struct{ next http.RoundTripper }

func (h hideFile) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := h.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	body = bytes.ReplaceAll(body, []byte(`"filename":"small.txt"`), []byte(`"filename":"other.txt"`))
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}
