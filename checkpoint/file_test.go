package checkpoint

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// open opens a checkpoint that is closed at the end of the test.
func open(tb testing.TB, path string) *Store {
	tb.Helper()
	s, err := Open(context.Background(), path, testJob)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = s.Close() })
	return s
}

// closed makes a checkpoint with one pending part and closes it.
func closed(tb testing.TB) string {
	tb.Helper()
	s := create(tb)
	load(tb, s, true, somePart("T1", 1, 1, 1))
	ok(tb, s.Close())
	return s.Path()
}

func TestCreateAndOpenAreDifferentVerbs(t *testing.T) {
	ctx := t.Context()
	path := closed(t)
	before, err := os.ReadFile(path)
	ok(t, err)
	if _, err := Create(ctx, path, testJob); !errors.Is(err, ErrExists) {
		t.Errorf("created over a file: %v", err)
	}
	after, err := os.ReadFile(path)
	ok(t, err)
	if !bytes.Equal(before, after) {
		t.Error("a refused create has changed the file")
	}
	missing := filepath.Join(t.TempDir(), "none.db")
	if _, err := Open(ctx, missing, testJob); !errors.Is(err, ErrMissing) {
		t.Errorf("opened what is not there: %v", err)
	}
	if _, err := View(ctx, missing); !errors.Is(err, ErrMissing) {
		t.Errorf("viewed what is not there: %v", err)
	}
	if _, err := Open(ctx, filepath.Join(t.TempDir(), "no", "folder.db"), testJob); !errors.Is(err, ErrMissing) {
		t.Errorf("opened in a folder that is not there: %v", err)
	}
	if left, err := filepath.Glob(missing + "*"); err != nil || left != nil {
		t.Errorf("opening nothing left %v, %v", left, err)
	}
	info, err := os.Stat(path)
	ok(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("others may read it: %v", info.Mode())
	}
	s := open(t, path)
	if job := s.Job(); job != testJob {
		t.Errorf("job: %+v", job)
	}
}

func TestCloseFoldsEverythingIn(t *testing.T) {
	path := closed(t)
	files, err := filepath.Glob(path + "*")
	ok(t, err)
	if want := []string{path, path + ".lock"}; !slices.Equal(files, want) {
		t.Errorf("left: %v", files)
	}
	before, err := os.ReadFile(path)
	ok(t, err)
	v, err := View(t.Context(), path)
	ok(t, err)
	ok(t, v.Close())
	after, err := os.ReadFile(path)
	ok(t, err)
	if !bytes.Equal(before, after) {
		t.Error("a view has changed the file")
	}
	ok(t, os.Remove(path)) // and what a view leaves is no hindrance
	s, err := Create(t.Context(), path, testJob)
	ok(t, err)
	ok(t, s.Close())
}

func TestAnotherJobIsRefused(t *testing.T) {
	path := closed(t)
	before, err := os.ReadFile(path)
	ok(t, err)
	for member, change := range map[string]func(*Job){
		"origin":      func(j *Job) { j.Origin = "http://localhost:8080" },
		"account":     func(j *Job) { j.Account = "company 2" },
		"source kind": func(j *Job) { j.SourceKind = "mbox" },
		"key rule":    func(j *Job) { j.KeyRule = "csv-2" },
	} {
		other := testJob
		change(&other)
		var refused *OtherJobError
		if _, err := Open(t.Context(), path, other); !errors.As(err, &refused) || refused.Member != member ||
			!strings.Contains(err.Error(), refused.Have) || !strings.Contains(err.Error(), refused.Want) {
			t.Errorf("%s: %v", member, err)
		}
	}
	newer := testJob
	newer.ToolVersion, newer.CreatedAt = "v9", noon
	s, err := Open(t.Context(), path, newer)
	ok(t, err)
	ok(t, s.Close())
	after, err := os.ReadFile(path)
	ok(t, err)
	if len(before) != len(after) {
		t.Error("a refused open has changed the file")
	}
}

func TestForeignFiles(t *testing.T) {
	dir := t.TempDir()
	texts := map[string]string{"empty.db": "", "text.db": strings.Repeat("no database at all\n", 1000)}
	for name, text := range texts {
		ok(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	texts["other.db"] = ""
	other, err := sql.Open("sqlite3", filepath.Join(dir, "other.db"))
	ok(t, err)
	_, err = other.Exec("CREATE TABLE t (x)")
	ok(t, err)
	ok(t, other.Close())
	ok(t, os.Mkdir(filepath.Join(dir, "folder.db"), 0o700))
	for _, name := range []string{"empty.db", "text.db", "other.db", "folder.db"} {
		path := filepath.Join(dir, name)
		before, _ := os.ReadFile(path)
		if _, err := Open(t.Context(), path, testJob); !errors.Is(err, ErrNotCheckpoint) {
			t.Errorf("open %s: %v", name, err)
		}
		if _, err := View(t.Context(), path); !errors.Is(err, ErrNotCheckpoint) {
			t.Errorf("view %s: %v", name, err)
		}
		if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
			t.Errorf("%s was changed", name)
		}
		if _, err := os.Stat(path + "-wal"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s got a WAL", name)
		}
	}
}

func TestNewerSchemaIsRefused(t *testing.T) {
	path := closed(t)
	db, err := sql.Open("sqlite3", path)
	ok(t, err)
	_, err = db.Exec("PRAGMA user_version = 7")
	ok(t, err)
	ok(t, db.Close())
	steps, err := migrations()
	ok(t, err)
	var schema *SchemaError
	if _, err := Open(t.Context(), path, testJob); !errors.As(err, &schema) || schema.Have != 7 || schema.Know != len(steps) {
		t.Errorf("open: %v", err)
	}
	if _, err := View(t.Context(), path); !errors.As(err, &schema) {
		t.Errorf("view: %v", err)
	}
	old := header{application: applicationID, version: 1}
	if err := old.check(path, 2, false); err != nil {
		t.Errorf("an older schema is brought up to date: %v", err)
	}
	if err := old.check(path, 2, true); !errors.As(err, &schema) || !strings.Contains(err.Error(), "older") {
		t.Errorf("a view of an older schema: %v", err)
	}
}

func TestDamage(t *testing.T) {
	path := closed(t)
	content, err := os.ReadFile(path)
	ok(t, err)
	for i := 4096; i < len(content); i++ { // all but the header page
		content[i] = 0xa5
	}
	ok(t, os.WriteFile(path, content, 0o600))
	if _, err := Open(t.Context(), path, testJob); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "-wal") {
		t.Errorf("open: %v", err)
	}
	if _, err := View(t.Context(), path); !errors.Is(err, ErrDamaged) {
		t.Errorf("view: %v", err)
	}
}

func TestCheckFindsWrongCounts(t *testing.T) {
	for name, wrong := range map[string]string{
		"parts":    "UPDATE tally SET n = n + 1",
		"more":     "INSERT INTO tally VALUES ('', 5, 0, 3, 2, 0, 0)",
		"units":    "UPDATE tally SET units = units + 1",
		"effects":  "INSERT INTO effect (part_id, kind, slot, digest) VALUES (1, 'upload', 'a', ''); DELETE FROM tally WHERE kind <> ''",
		"messages": "INSERT INTO message (key, digest, part_id, thread) VALUES ('m', '', 1, 0)",
	} {
		s := create(t)
		load(t, s, true, somePart("T1", 1, 1, 1))
		ok(t, s.Check(t.Context()))
		ok(t, s.do(t.Context(), "test", func(x tx) error { _, err := x.exec(wrong); return err }))
		if err := s.Check(t.Context()); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSecondHandleIsLockedOut(t *testing.T) {
	s := create(t)
	var locked *LockedError
	if _, err := Open(t.Context(), s.Path(), testJob); !errors.As(err, &locked) || locked.PID != os.Getpid() ||
		locked.Host == "" || time.Since(locked.Since) > time.Hour || !strings.Contains(err.Error(), "locked by pid") {
		t.Errorf("opened twice: %v", err)
	}
	link := filepath.Join(t.TempDir(), "link.db")
	ok(t, os.Symlink(s.Path(), link))
	if _, err := Open(t.Context(), link, testJob); !errors.As(err, &locked) {
		t.Errorf("opened twice, by a symbolic link: %v", err)
	}
	if _, err := Create(t.Context(), s.Path(), testJob); !errors.As(err, &locked) {
		t.Errorf("created while open: %v", err)
	}
	ok(t, s.Close())
	ok(t, open(t, link).Close())
}

func TestCreateBesideALostFilesWAL(t *testing.T) {
	path := filepath.Join(t.TempDir(), "import.db")
	ok(t, os.WriteFile(path+"-wal", []byte("what was not folded in yet"), 0o600))
	if _, err := Create(t.Context(), path, testJob); !errors.Is(err, ErrExists) || !strings.Contains(err.Error(), "-wal") {
		t.Errorf("created beside the WAL of another file: %v", err)
	}
	ok(t, os.Remove(path+"-wal"))
	ok(t, os.WriteFile(path+".new", []byte("a create that died"), 0o600))
	ok(t, os.WriteFile(path+".new-journal", []byte("and its journal"), 0o600))
	s, err := Create(t.Context(), path, testJob)
	ok(t, err)
	ok(t, s.Close())
}

func TestOddNames(t *testing.T) {
	for _, name := range []string{"a b.db", "50%.db", "what?.db", "a#1.db", "x&mode=memory.db", "%41.db", "ünï.db"} {
		path := filepath.Join(t.TempDir(), name)
		s, err := Create(t.Context(), path, testJob)
		ok(t, err)
		ok(t, s.Set(t.Context(), "a", "b"))
		ok(t, s.Close())
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
		v, err := View(t.Context(), path)
		ok(t, err)
		if value, found, err := v.Get(t.Context(), "a"); err != nil || !found || value != "b" {
			t.Errorf("%s: %q %v %v", name, value, found, err)
		}
		ok(t, v.Close())
	}
}

func TestClosedStore(t *testing.T) {
	s := create(t)
	ok(t, s.Close())
	ok(t, s.Close())
	if err := s.Set(t.Context(), "a", "b"); !errors.Is(err, ErrClosed) {
		t.Errorf("write: %v", err)
	}
	if _, err := s.Counts(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("read: %v", err)
	}
	if err := s.CopyTo(t.Context(), s.Path()+".copy"); !errors.Is(err, ErrClosed) {
		t.Errorf("copy: %v", err)
	}
}

func TestViewNeverWrites(t *testing.T) {
	path := closed(t)
	v, err := View(t.Context(), path)
	ok(t, err)
	defer v.Close()
	if err := v.Set(t.Context(), "a", "b"); !errors.Is(err, ErrViewOnly) {
		t.Errorf("write: %v", err)
	}
	if _, err := v.Loader(t.Context()); !errors.Is(err, ErrViewOnly) {
		t.Errorf("loader: %v", err)
	}
	if _, err := v.read.Exec("DELETE FROM part"); err == nil {
		t.Error("a view's connection wrote")
	}
	if v.Path() != path || v.Job() != testJob {
		t.Errorf("%s, %+v", v.Path(), v.Job())
	}
}
