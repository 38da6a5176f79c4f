package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"
)

func TestRuns(t *testing.T) {
	s, ctx := create(t), t.Context()
	if r, err := s.LastRun(ctx); r != nil || err != nil {
		t.Errorf("before the first run: %v %v", r, err)
	}
	r := Run{
		Command: "run", ConfigDigest: "c", SourceDigest: "s", MappingDigest: "m", ToolVersion: "v1",
		StartedAt: noon.Add(123 * time.Millisecond),
	}
	id, err := s.BeginRun(ctx, r)
	ok(t, err)
	last, err := s.LastRun(ctx)
	ok(t, err)
	r.ID, r.ExitCode = id, -1
	if diff := cmp.Diff(&r, last); diff != "" {
		t.Error("while it runs:", diff)
	}
	ok(t, s.EndRun(ctx, id, 3, []byte(`{"exit_code":3}`), noon.Add(time.Hour)))
	r.ExitCode, r.Summary, r.EndedAt = 3, []byte(`{"exit_code":3}`), noon.Add(time.Hour)
	last, err = s.LastRun(ctx)
	ok(t, err)
	if diff := cmp.Diff(&r, last); diff != "" {
		t.Error("at its end:", diff)
	}
	if err := s.EndRun(ctx, 99, 0, nil, noon); err == nil {
		t.Error("ended a run that never began")
	}
}

func TestFactsAndRecords(t *testing.T) {
	s, ctx := create(t), t.Context()
	if v, found, err := s.Get(ctx, "canary"); v != "" || found || err != nil {
		t.Errorf("before it is set: %q %v %v", v, found, err)
	}
	ok(t, s.Set(ctx, "canary", "passed"))
	ok(t, s.Set(ctx, "canary", ""))
	if v, found, err := s.Get(ctx, "canary"); v != "" || !found || err != nil {
		t.Errorf("set to nothing: %q %v %v", v, found, err)
	}
	var records []Record
	for i := range page + 3 {
		records = append(records, Record{Run: 1, Kind: "finding", Code: "c" + strconv.Itoa(i), Ticket: "t", Place: "a.csv:1", Text: "x"})
	}
	ok(t, s.Note(ctx, append(records, Record{Run: 1, Kind: "refused", Text: "r"}, Record{Run: 2, Kind: "finding"})))
	ok(t, s.Note(ctx, nil))
	var got []Record
	for r, err := range s.Records(ctx, 1, "finding") {
		ok(t, err)
		got = append(got, r)
	}
	if diff := cmp.Diff(records, got); diff != "" {
		t.Error(diff)
	}
	all := 0
	for _, err := range s.Records(ctx, 1, "") {
		ok(t, err)
		all++
	}
	if all != len(records)+1 {
		t.Errorf("%d records of the run", all)
	}
}

func TestMessagesByTheHundred(t *testing.T) {
	s, ctx := create(t), t.Context()
	load(t, s, true, somePart("T1", 1, 1, 1))
	in := Intent{At: noon}
	var keys []string
	for i := range 3*keysAtOnce + 1 {
		in.Messages = append(in.Messages, NewMessage{Key: "k" + strconv.Itoa(i), Digest: hexDigest(i), Thread: i})
		keys = append(keys, "k"+strconv.Itoa(i), "absent"+strconv.Itoa(i))
	}
	ok(t, s.Begin(ctx, 1, in))
	found, err := s.Messages(ctx, keys)
	ok(t, err)
	for _, m := range in.Messages {
		if want := (Message{Key: m.Key, Digest: m.Digest, PartID: 1, Thread: m.Thread}); found[m.Key] != want {
			t.Errorf("%+v, not %+v", found[m.Key], want)
		}
	}
	if len(found) != len(in.Messages) {
		t.Errorf("%d found", len(found))
	}
	if none, err := s.Messages(ctx, nil); err != nil || len(none) != 0 {
		t.Errorf("of no keys: %v %v", none, err)
	}
}

func TestViewWhileARunWrites(t *testing.T) {
	s, ctx := create(t), t.Context()
	const n = 300
	var parts []Part
	for i := range n {
		parts = append(parts, somePart(strconv.Itoa(i), 1, 1, int64(i)))
	}
	load(t, s, true, parts...)
	var group errgroup.Group
	group.Go(func() error {
		for id := range int64(n) {
			err := errors.Join(s.Begin(ctx, id+1, Intent{At: noon}), s.Done(ctx, id+1, id+1, ByCreate, noon))
			if err != nil {
				return err
			}
		}
		return nil
	})
	group.Go(func() error {
		for created := 0; created < n; {
			v, err := View(ctx, s.Path())
			if err != nil {
				return err
			}
			counts, err := v.Counts(ctx)
			if err := errors.Join(err, v.Close()); err != nil {
				return err
			}
			if counts.Total() != n || counts.Parts[Created] < created || counts.Parts[Sending] > 1 {
				return fmt.Errorf("counts of a view: %+v after %d created", counts.Parts, created)
			}
			created = counts.Parts[Created]
		}
		return nil
	})
	ok(t, group.Wait())
}

func TestCopy(t *testing.T) {
	s, ctx := create(t), t.Context()
	load(t, s, true, somePart("T1", 1, 1, 1), somePart("T2", 1, 1, 2))
	copied := filepath.Join(t.TempDir(), "import.db.last")
	ok(t, s.CopyTo(ctx, copied))
	ok(t, s.Reject(ctx, 1, 0, "no", "", noon))
	ok(t, os.WriteFile(copied+".new", []byte("a copy that died"), 0o600))
	ok(t, s.CopyTo(ctx, copied)) // it replaces the first
	ok(t, s.Reject(ctx, 2, 0, "no", "", noon))
	info, err := os.Stat(copied)
	ok(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("others may read the copy: %v", info.Mode())
	}
	again := open(t, copied) // it is a checkpoint like any other
	ok(t, again.Check(ctx))
	pending, err := again.Pending(ctx, math.MinInt64, 10)
	ok(t, err)
	if tickets(pending) != "T2/1" {
		t.Errorf("pending in the copy: %s", tickets(pending))
	}
	ok(t, again.Close())
	if left, err := filepath.Glob(copied + "*"); err != nil || len(left) != 2 {
		t.Errorf("left: %v %v", left, err)
	}
	link := filepath.Join(t.TempDir(), "link")
	ok(t, os.Symlink(s.Path(), link))
	for _, own := range []string{s.Path(), link} {
		if err := s.CopyTo(ctx, own); err == nil || !strings.Contains(err.Error(), "a name of its own") {
			t.Errorf("copied onto itself: %v", err)
		}
	}
	if _, err := s.read.Exec("DELETE FROM part"); err == nil {
		t.Error("after a copy, a reading connection may write")
	}
	if err := s.CopyTo(ctx, filepath.Join(t.TempDir(), "no", "folder")); err == nil {
		t.Error("copied into a folder that is not there")
	}
	v, err := View(ctx, s.Path())
	ok(t, err)
	ok(t, v.CopyTo(ctx, copied))
	ok(t, v.Close())
}

func TestCopyWhileWriting(t *testing.T) {
	s, ctx := create(t), t.Context()
	stop, cancel := context.WithCancel(ctx)
	var group errgroup.Group
	group.Go(func() error {
		for i := 0; stop.Err() == nil; i++ {
			// Two facts in two writes: a copy may have the first alone, never the second alone.
			err := errors.Join(s.Set(ctx, fmt.Sprintf("%d a", i), ""), s.Set(ctx, fmt.Sprintf("%d b", i), ""))
			if err != nil {
				return err
			}
		}
		return nil
	})
	for i := range 5 {
		to := filepath.Join(t.TempDir(), strconv.Itoa(i))
		ok(t, s.CopyTo(ctx, to))
		v, err := View(ctx, to)
		ok(t, err)
		var a, b int
		ok(t, v.row(ctx, "SELECT coalesce(sum(key LIKE '% a'), 0), coalesce(sum(key LIKE '% b'), 0) FROM fact").Scan(&a, &b))
		if a-b != 0 && a-b != 1 {
			t.Errorf("a copy has %d of the first and %d of the second", a, b)
		}
		ok(t, v.Check(ctx))
		ok(t, v.Close())
	}
	cancel()
	ok(t, group.Wait())
}

// FuzzPacked: what goes into a packed column comes out, and different strings stay different.
func FuzzPacked(f *testing.F) {
	for _, seed := range []string{"", "a", hexDigest(7), strings.ToUpper(hexDigest(10)), "<m@x>", strings.Repeat("g", 64), "\x00\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		v, err := packed(in).Value()
		ok(t, err)
		var out packed
		ok(t, out.Scan(v))
		if string(out) != in {
			t.Errorf("%q came back as %q", in, out)
		}
	})
}
