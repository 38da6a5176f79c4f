package mapping

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hsimport/importer/helpscout"
	"hsimport/sources"
)

var update = flag.Bool("update", false, "write the golden files anew")

// fixture is a ticket with the configuration it is mapped under. Files are contents of attachments by name.
type fixture struct {
	Options Options
	Unbound bool
	Newest  time.Time
	Ticket  *sources.Ticket
	Files   map[string]string
}

// account is the account's side that all tests share.
func account() Target {
	return Target{
		Bound: true,
		Mailboxes: []helpscout.Mailbox{
			{ID: 101, Name: "Support", Slug: "support", Email: "help@support.example", Fields: []helpscout.Field{
				{ID: 31, Name: "Priority", Type: "dropdown", Options: []helpscout.Option{{ID: 901, Label: "Low"}, {ID: 902, Label: "Normal"}, {ID: 903, Label: "High"}}},
				{ID: 32, Name: "Legacy ID", Type: "single_line"},
				{ID: 33, Name: "Due", Type: "date"},
				{ID: 34, Name: "Seats", Type: "NUMBER"},
				{ID: 35, Name: "Remarks", Type: "MULTI_LINE"},
			}},
			{ID: 102, Name: "Sales", Slug: "sales", Email: "sales@support.example"},
		},
		Users: []helpscout.User{
			{ID: 11, FirstName: "Ada", LastName: "Lovelace", Email: "ada@support.example"},
			{ID: 12, FirstName: "Grace", LastName: "Hopper", Email: "grace@support.example", AlternateEmails: []string{"gh@navy.example"}},
		},
		Teams: []helpscout.Team{{ID: 71, Name: "Second line"}},
		Owner: helpscout.User{ID: 19, Email: "importer@support.example"},
	}
}

// withFiles gives the attachments of a ticket their contents.
func withFiles(t *sources.Ticket, files map[string]string) {
	for _, m := range t.Messages {
		for _, a := range m.Attachments {
			if content, ok := files[a.Name]; ok && a.Missing == "" {
				sum := sha256.Sum256([]byte(content))
				a.Size, a.SHA256 = int64(len(content)), hex.EncodeToString(sum[:])
				a.Open = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(content)), nil }
			}
		}
	}
}

func readFixture(t *testing.T, path string) (*Mapper, *sources.Ticket) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var f fixture
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&f); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	withFiles(f.Ticket, f.Files)
	f.Options.Mailbox, f.Options.Newest = "Support", f.Newest
	target := account()
	if f.Unbound {
		target = Target{}
	}
	m, job := New(f.Options, target)
	for _, j := range job {
		if j.Severity == sources.BlocksJob {
			t.Fatalf("%s: the configuration of the fixture is wrong: %s", path, j.Text)
		}
	}
	return m, f.Ticket
}

// show is a plan as the golden files hold it: the exact bodies of the create calls, then everything beside them.
func show(p *Plan) string {
	var b strings.Builder
	for _, part := range p.Parts {
		withJSON(&part.Conversation, func(j []byte) { fmt.Fprintf(&b, "%s\n", j) })
		fmt.Fprintf(&b, "  part %d of %d, %d bytes, %d units, link thread %d\n", part.Number, part.Of, part.Body, part.Units(), part.LinkThread)
		for _, c := range part.Messages {
			fmt.Fprintf(&b, "  thread %d carries %s\n", c.Thread, c.Message)
		}
		for _, u := range part.Uploads {
			fmt.Fprintf(&b, "  thread %d gets %s (%d bytes)\n", u.Thread, u.File.FileName, u.Size)
		}
	}
	for _, x := range [][2]string{{"excluded", p.Excluded}, {"refused", p.Refused}} {
		if x[1] != "" {
			fmt.Fprintf(&b, "%s: %s\n", x[0], x[1])
		}
	}
	for _, l := range p.Left {
		fmt.Fprintf(&b, "left out: %s: %s\n", l.Message, l.Rule)
	}
	if p.Noted > 0 {
		fmt.Fprintf(&b, "named in notes: %d attachments\n", p.Noted)
	}
	for _, f := range p.Findings {
		fmt.Fprintf(&b, "%s: %s: %s\n", f.Severity, f.Code, f.Text)
	}
	return b.String()
}

// TestGolden holds each fixture's plan against its golden file; -update writes them.
func TestGolden(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.json")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".json"), func(t *testing.T) {
			m, ticket := readFixture(t, path)
			plan := m.Map(ticket)
			checkPlan(t, m, ticket, plan)
			got := show(plan)
			golden := strings.TrimSuffix(path, ".json") + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("the plan of %s has changed (-want +got); if it should, bump Version and run with -update:\n%s", path, diff)
			}
		})
	}
}

// TestPinnedDigest fails when anything moves the output, a library upgrade too: then Version has to be bumped, and the
// digest here replaced.
func TestPinnedDigest(t *testing.T) {
	const (
		version = 5
		pinned  = "c8bf5eac425f3d7d7876df9821cc698120df3200fc0ee0056640a9f111465fbf"
	)
	paths, _ := filepath.Glob("testdata/*.json")
	sum := sha256.New()
	for _, path := range paths {
		m, ticket := readFixture(t, path)
		for _, l := range m.Map(ticket).Lines() {
			withJSON(l, func(b []byte) { sum.Write(b) })
		}
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != pinned || Version != version {
		t.Errorf("version %d gives %s, pinned is version %d with %s: bump Version when the output of an unchanged ticket changes, then pin anew", Version, got, version, pinned)
	}
}
