package importer_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hsimport/importer"
	"hsimport/importer/helpscout"
	"hsimport/importer/helpscout/sandbox"
	"hsimport/mapping"
)

func (b *bench) snapshot() *importer.Snapshot {
	b.t.Helper()
	job := b.job()
	s, err := importer.TakeSnapshot(b.t.Context(), job.Client, job.Quota, "test")
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}

// dryRun rehearses and returns what was said of it, and the plan's lines.
func (b *bench) dryRun(job *importer.Job) (rep *importer.Report, header mapping.Header, lines string) {
	b.t.Helper()
	var out strings.Builder
	job.PlanHeader = func(h mapping.Header) { header = h }
	job.Each = func(s importer.Seen) error {
		for _, l := range s.Plan.Lines() {
			fmt.Fprintf(&out, "%+v\n", l)
		}
		return nil
	}
	return importer.DryRun(b.t.Context(), job), header, out.String()
}

// TestSnapshotReport: over a snapshot, a machine without access makes the report that access gives: the same plan, the
// same findings with the same words, the same sums; and it says what it could not check.
func TestSnapshotReport(t *testing.T) {
	b := flowBench(t)
	b.maps.Agents = map[string]string{"old@legacy.example": "ben@support.example"}
	b.maps.FallbackUser = ""
	raw, err := b.snapshot().Encode()
	if err != nil {
		t.Fatal(err)
	}
	snap, err := importer.DecodeSnapshot(raw)
	if err != nil {
		t.Fatal(err)
	}
	with, boundTo, want := b.dryRun(b.job())
	offline := b.job()
	offline.Client, offline.Quota, offline.Snapshot = nil, nil, snap
	without, header, got := b.dryRun(offline)
	if got != want || want == "" {
		t.Errorf("the plans differ:\n%s\n%s", got, want)
	}
	if header.Snapshot == "" || header.Unbound || header.Target != boundTo.Target || boundTo.Snapshot != "" {
		t.Errorf("headers %+v and %+v", header, boundTo)
	}
	if a, b := fmt.Sprintf("%+v", with.Findings.Groups()), fmt.Sprintf("%+v", without.Findings.Groups()); a != b || !strings.Contains(a, "active-workflow") {
		t.Errorf("the findings differ:\n%s\n%s", a, b)
	}
	if a, b := fmt.Sprintf("%+v", with.Totals), fmt.Sprintf("%+v", without.Totals); a != b {
		t.Errorf("the sums differ:\n%s\n%s", a, b)
	}
	if with.Summary.Unchecked != nil || len(without.Summary.Unchecked) != 2 || without.Rehearsal != with.Rehearsal || without.Summary.Quota.Limit != with.Summary.Quota.Limit {
		t.Errorf("unchecked: %q and %q", with.Summary.Unchecked, without.Summary.Unchecked)
	}
}

// TestSnapshotHoldsEverything: fields and folders of all mailboxes, and nothing that is secret or personal to customers.
func TestSnapshotHoldsEverything(t *testing.T) {
	b := flowBench(t)
	b.mustRun(importer.ExitOK)
	s := b.snapshot()
	if len(s.Mailboxes) != 2 || len(s.Mailboxes[0].Fields) != 5 || len(s.Mailboxes[1].Folders) < 5 || len(s.Users) != 3 || len(s.Teams) != 1 ||
		len(s.Tags) < 3 || len(s.Workflows) != 7 || s.Owner == 0 || s.Account == "" || len(s.Unseen) > 0 {
		t.Errorf("%+v", s)
	}
	raw, err := s.Encode()
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"customers.example", `"secret"`, "Ticket 1"} {
		if strings.Contains(string(raw), secret) {
			t.Errorf("the snapshot holds %q", secret)
		}
	}
	path := filepath.Join(t.TempDir(), "account.json")
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	seed, err := sandbox.LoadSeed(path)
	if err != nil {
		t.Fatal(err)
	}
	likeness, err := sandbox.New(sandbox.Options{Settings: sandbox.Defaults(), Seed: seed})
	if err != nil {
		t.Fatal(err)
	}
	defer likeness.Close()
	twin := newBench(t, many(3)...)
	twin.box = likeness
	again := twin.snapshot()
	if fmt.Sprint(again.Target()) != fmt.Sprint(s.Target()) || again.Account != s.Account {
		t.Errorf("a sandbox seeded with it is another account:\n%+v\n%+v", again.Target(), s.Target())
	}
}

// TestSnapshotStrict: half an account, or one that is not understood, makes no report.
func TestSnapshotStrict(t *testing.T) {
	raw, err := newBench(t).snapshot().Encode()
	if err != nil {
		t.Fatal(err)
	}
	changed := func(change func(m map[string]any)) string {
		var m map[string]any
		if err := json.Unmarshal(raw, &m); err != nil {
			t.Fatal(err)
		}
		change(m)
		out, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	first := func(m map[string]any, key string) map[string]any { return m[key].([]any)[0].(map[string]any) }
	for name, c := range map[string]struct{ file, want string }{
		"empty":          {"", "it is not JSON"},
		"a list":         {"[]", "it is not JSON"},
		"a seed":         {`{"mailboxes":[],"users":[]}`, "it is not a snapshot of an account; hsimport doctor --snapshot FILE writes one"},
		"cut off":        {string(raw[:len(raw)/2]), ": it is not JSON"},
		"newer":          {changed(func(m map[string]any) { m["snapshot"] = 2 }), "it is of format 2, and this version reads 1"},
		"unknown key":    {changed(func(m map[string]any) { m["plan"] = "pro" }), `unknown field "plan"`},
		"unknown inside": {changed(func(m map[string]any) { first(m, "users")["phone"] = "1" }), `unknown field "phone"`},
		"no mailbox":     {changed(func(m map[string]any) { m["mailboxes"] = []any{} }), "0 mailboxes and 3 users"},
		"no origin":      {changed(func(m map[string]any) { m["origin"] = "" }), "it does not say of which account"},
		"twice":          {changed(func(m map[string]any) { m["users"] = append(m["users"].([]any), first(m, "users")) }), "is there twice"},
		"owner":          {changed(func(m map[string]any) { m["owner"] = 7 }), "the owner is user 7"},
		"field":          {changed(func(m map[string]any) { first(first(m, "mailboxes"), "fields")["id"] = 0 }), `custom field "Priority": id 0`},
		"type":           {strings.Replace(string(raw), `"limit": 0`, `"limit": "x"`, 1), "line 7: limit cannot be a string"},
		"something more": {string(raw) + "{}", "it is not JSON"},
	} {
		if _, err := importer.DecodeSnapshot([]byte(c.file)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// FuzzSnapshot: what is read is a bound account whose file reads back as the same.
func FuzzSnapshot(f *testing.F) {
	raw, err := (&importer.Snapshot{
		Snapshot: importer.SnapshotFormat, Origin: "https://api.helpscout.net", Account: "user:1", Owner: 1,
		Mailboxes: []importer.SnapshotMailbox{{ID: 1, Name: "Support"}}, Users: []helpscout.User{{ID: 1}},
	}).Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(strings.Replace(string(raw), "0001-01-01", "2026-01-01", 1)))
	f.Add([]byte(`{"snapshot":1}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		s, err := importer.DecodeSnapshot(raw)
		if err != nil {
			return
		}
		if !s.Target().Bound || len(s.Target().Mailboxes) == 0 {
			t.Errorf("read, but not bound: %+v", s)
		}
		first, err := s.Encode()
		if err != nil {
			t.Fatal(err)
		}
		again, err := importer.DecodeSnapshot(first)
		if err != nil {
			t.Fatalf("its own file is refused: %v\n%s", err, first)
		}
		if second, err := again.Encode(); err != nil || string(second) != string(first) {
			t.Errorf("%v: %s is not %s", err, second, first)
		}
	})
}
