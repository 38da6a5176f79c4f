package importer_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"hsimport/checkpoint"
	"hsimport/importer"
)

// TestCopies: each finished run leaves a copy that stands where the checkpoint stands; the oldest go; a run that moved
// nothing makes none; and when the checkpoint is lost, the way back names the newest copy, and works.
func TestCopies(t *testing.T) {
	virtual(t, func(t *testing.T) {
		b := newBench(t, many(50)...)
		b.copies = 3
		var left []string
		for i := 1; i <= 5; i++ {
			b.opts.Limit = 5
			rep := b.mustRun(importer.ExitLeft)
			left = append(left, rep.Summary.Copy)
			store, err := checkpoint.View(t.Context(), rep.Summary.Copy)
			if err != nil {
				t.Fatal(err)
			}
			c, err := store.Counts(t.Context())
			if n := c.Parts[checkpoint.Created]; err != nil || n < 5*i || store.Check(t.Context()) != nil {
				t.Errorf("copy %d holds %d created: %v", i, n, err)
			}
			_ = store.Close()
			time.Sleep(time.Minute)
		}
		have, err := importer.Copies(b.path)
		if err != nil || strings.Join(have, " ") != left[4]+" "+left[3]+" "+left[2] {
			t.Fatalf("copies %v (%v), want the last three of %v", have, err, left)
		}
		b.opts.Limit = 0
		b.mustRun(importer.ExitOK)
		time.Sleep(time.Minute)
		if rep := b.mustRun(importer.ExitOK); rep.Summary.Copy == "" {
			t.Error("a run that had nothing to do names no copy")
		}
		again, _ := importer.Copies(b.path)
		time.Sleep(time.Minute)
		b.mustRun(importer.ExitOK)
		if now, _ := importer.Copies(b.path); now[0] != again[0] {
			t.Errorf("a run that moved nothing made the copy %s beside %s", now[0], again[0])
		}

		b.lose()
		rep := b.mustRun(importer.ExitCheckpoint)
		if !strings.Contains(rep.Cause.Hint, "cp "+again[0]+" "+b.path) || !strings.Contains(rep.Cause.Hint, "recover --merge") {
			t.Errorf("hint %q", rep.Cause.Hint)
		}
		data, err := os.ReadFile(again[0])
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(b.path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		b.recover(importer.ExitOK, true)
		b.wantNothingToDo()
		b.wantHeld()
		_ = b.box.Close()
	})
}
