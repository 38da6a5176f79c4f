package mboxfile

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hsimport/sources"
)

// sorted is what a sorter with so much memory makes of items.
func sorted(t *testing.T, memory int, items [][]byte) [][]byte {
	t.Helper()
	s := newSorter(&tempDir{memory: memory}, "items")
	defer s.close()
	for _, item := range items {
		if err := s.add(item); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.finish(); err != nil {
		t.Fatal(err)
	}
	var out [][]byte
	for range 2 { // it can be read again
		out = nil
		err := s.each(context.Background(), func(item []byte) error {
			out = append(out, bytes.Clone(item))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func TestSorter(t *testing.T) {
	dice := rand.New(rand.NewPCG(5, 6))
	for _, n := range []int{0, 1, 2, 3000} {
		items := make([][]byte, n)
		for i := range items {
			items[i] = make([]byte, dice.IntN(20))
			if i%50 == 0 {
				items[i] = make([]byte, dice.IntN(maxItem-2)) // as long as they may be
			}
			for k := range items[i] {
				items[i][k] = byte(dice.IntN(3)) * 127
			}
		}
		want := slices.Clone(items)
		slices.SortFunc(want, bytes.Compare)
		for _, memory := range []int{1, 500, 20_000, 1 << 20} {
			if got := sorted(t, memory, items); !slices.EqualFunc(got, want, bytes.Equal) {
				t.Errorf("%d items with %d bytes of memory are in a wrong order", n, memory)
			}
		}
	}
}

// FuzzEscaped proves that an escaped text comes back, and that it sorts as the text does, whatever follows.
func FuzzEscaped(f *testing.F) {
	f.Add([]byte("mid:a@x"), []byte("mid:a@x\x00"), []byte{0}, []byte{255})
	f.Add([]byte("a\x00\xff"), []byte("a\x00\x01"), []byte{1, 2}, []byte{})
	f.Fuzz(func(t *testing.T, a, b, behindA, behindB []byte) {
		p, q := append(appendEscaped(nil, a), behindA...), append(appendEscaped(nil, b), behindB...)
		text, rest := cutEscaped(nil, p)
		if !bytes.Equal(text, a) || !bytes.Equal(rest, behindA) {
			t.Errorf("%q and %q come back as %q and %q", a, behindA, text, rest)
		}
		if order := bytes.Compare(a, b); order != 0 && bytes.Compare(p, q) != order {
			t.Errorf("%q and %q sort otherwise when they are escaped", a, b)
		}
	})
}

func TestRecordRow(t *testing.T) {
	r := record{
		date: -5, id: 1 << 63, gmail: 2, subject: 3, sender: 4, digest: [16]byte{0: 9, 15: 8}, labels: 1 << 31, nrefs: 65535,
		flags: isReply, idAt: 1<<40 - 1,
	}
	var row [recordBytes]byte
	r.encode(&row)
	var back record
	if back.decode(row[:]); back != r {
		t.Errorf("%+v comes back as %+v", r, back)
	}
}

// spilled opens a small archive with its index in files.
func spilled(o *Options) { o.memory = 1 }

func TestIndexFilesLeaveNothing(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	names := func() string {
		list, err := filepath.Glob(filepath.Join(tmp, "*"))
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(list, " ")
	}
	open(t, mbox(letter{id: "a@x"}, letter{id: "b@x", reply: "a@x"}), spilled)
	if left := names(); left != "" && os.PathSeparator == '/' {
		t.Errorf("a killed program would leave %s", left)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	dir := tree(t, map[string]string{"a.mbox": mbox(letter{id: "a@x"})})
	if _, err := Open(ctx, Options{Paths: []string{dir}, memory: 1}); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled Open says %v", err)
	}
	if left := names(); left != "" && os.PathSeparator == '/' {
		t.Errorf("a cancelled Open leaves %s", left)
	}
}

func TestNoRoomForTheIndex(t *testing.T) {
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "gone"))
	dir := tree(t, map[string]string{"a.mbox": mbox(letter{id: "a@x"})})
	src, err := Open(context.Background(), Options{Paths: []string{dir}, memory: 1})
	if err == nil {
		src.Close()
		t.Fatal("an archive was opened without its index")
	}
	for _, want := range []string{"gone", "set TMPDIR"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %q and does not say %q", err, want)
		}
	}
}

// TestBrokenIndexFiles proves that a file of the index which cannot be read any more is an error that names it, and never
// a ticket with less in it, or none.
func TestBrokenIndexFiles(t *testing.T) {
	for name, table := range map[string]func(*Source) *spool{
		"records": func(s *Source) *spool { return &s.index.records },
		"places":  func(s *Source) *spool { return &s.index.places.spool },
		"tickets": func(s *Source) *spool { return &s.threads.tickets },
		"members": func(s *Source) *spool { return &s.threads.members },
		"keys":    func(s *Source) *spool { return &s.threads.keys },
	} {
		t.Run(name, func(t *testing.T) {
			src := open(t, mbox(letter{id: "a@x"}), spilled)
			if err := table(src).file.Truncate(0); err != nil {
				t.Fatal(err)
			}
			_, err := src.Ticket(context.Background(), 0)
			var rec *sources.RecordError
			if err == nil || errors.As(err, &rec) || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), os.TempDir()) {
				t.Errorf("reading a ticket says %v", err)
			}
		})
	}
	t.Run("hashed-keys", func(t *testing.T) {
		src := open(t, mbox(letter{id: "a@x"}), spilled)
		if err := src.threads.byKey.file.Truncate(0); err != nil {
			t.Fatal(err)
		}
		if _, ok := src.Find("mid:a@x"); ok {
			t.Error("a key is found in an empty file")
		}
		if _, err := src.Ticket(context.Background(), 0); err == nil {
			t.Error("the next ticket is read as if nothing had been")
		}
	})
	t.Run("runs", func(t *testing.T) {
		s := newSorter(&tempDir{memory: 1}, "items")
		defer s.close()
		for i := range uint32(3) {
			if err := s.add(binary.BigEndian.AppendUint32(nil, i)); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.finish(); err != nil {
			t.Fatal(err)
		}
		if err := s.file.Truncate(0); err != nil {
			t.Fatal(err)
		}
		if _, err := s.stream(); err == nil || !strings.Contains(err.Error(), "items") {
			t.Errorf("reading runs that are gone says %v", err)
		}
	})
}
