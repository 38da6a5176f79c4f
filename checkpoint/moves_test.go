package checkpoint

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// model is what a person would expect of a checkpoint: the state machine of doc.go in a few maps.
type model struct {
	s        *Store
	path     string
	now      time.Time
	state    map[int64]State
	how      map[int64]How
	conv     map[int64]int64  // part -> conversation
	messages map[string]int64 // message -> part
	absences map[int64]int    // since the last Unreject
	died     map[int64]bool   // in doubt because the process ended
	uploads  map[int64]State  // the one effect of a part, while it has one
}

const modelParts = 4

// legal are the moves of doc.go.
var legal = map[State][]State{
	Pending:  {Sending, Rejected},
	Sending:  {Created, Rejected, Pending, InDoubt},
	InDoubt:  {Created, Rejected, Pending, InDoubt},
	Created:  {Deleted},
	Rejected: {Pending},
	Deleted:  {Pending},
}

// expect holds the outcome of a move against the table: it reports whether the model has to follow.
func (m *model) expect(t *rapid.T, id int64, from []State, to State, err error) bool {
	t.Helper()
	now, allowed := m.state[id], false
	if slices.Contains(from, now) {
		allowed = slices.Contains(legal[now], to)
	}
	var move *MoveError
	switch {
	case allowed && err != nil:
		t.Fatalf("part %d: %s to %s: %v", id, now, to, err)
	case !allowed && (!errors.As(err, &move) || move.From != now || move.To != to || move.Part != id):
		t.Fatalf("part %d: %s to %s was not refused: %v", id, now, to, err)
	}
	if allowed {
		m.state[id] = to
	}
	return allowed
}

// unplace forgets what a part that is pending or deleted does not have.
func (m *model) unplace(id int64) {
	for key, part := range m.messages {
		if part == id {
			delete(m.messages, key)
		}
	}
	if m.uploads[id] == Pending {
		delete(m.uploads, id)
	}
}

func part(t *rapid.T) int64 { return rapid.Int64Range(1, modelParts).Draw(t, "part") }

func (m *model) Begin(t *rapid.T) {
	id := part(t)
	in := Intent{Run: 1, At: m.now, Effects: []Effect{{Kind: "upload", Slot: "a"}}}
	for _, k := range rapid.SliceOfNDistinct(rapid.IntRange(0, 5), 0, 3, rapid.ID).Draw(t, "messages") {
		in.Messages = append(in.Messages, NewMessage{Key: "m" + strconv.Itoa(k), Thread: k})
	}
	err := m.s.Begin(t.Context(), id, in)
	if m.state[id] == Pending {
		for _, nm := range in.Messages {
			if owner, taken := m.messages[nm.Key]; taken && owner != id {
				var placed *PlacedError
				if !errors.As(err, &placed) || placed.Part != owner || placed.Key != nm.Key {
					t.Fatalf("message %s of part %d: %v", nm.Key, owner, err)
				}
				return
			}
		}
	}
	if !m.expect(t, id, []State{Pending}, Sending, err) {
		return
	}
	m.died[id] = false
	for _, nm := range in.Messages {
		m.messages[nm.Key] = id
	}
	if m.uploads[id] == "" {
		m.uploads[id] = Pending
	}
}

func (m *model) Done(t *rapid.T) {
	id, conversation := part(t), rapid.Int64Range(1, 6).Draw(t, "conversation")
	how := rapid.SampledFrom([]How{ByCreate, ByRecovery}).Draw(t, "how")
	err := m.s.Done(t.Context(), id, conversation, how, m.now)
	if st := m.state[id]; st == Sending || st == InDoubt {
		for owner, c := range m.conv {
			if c == conversation {
				var claimed *ClaimedError
				if !errors.As(err, &claimed) || claimed.Part != owner {
					t.Fatalf("conversation %d of part %d: %v", conversation, owner, err)
				}
				return
			}
		}
	}
	if m.expect(t, id, []State{Sending, InDoubt}, Created, err) {
		m.conv[id], m.how[id] = conversation, how
	}
}

func (m *model) Reject(t *rapid.T) {
	id := part(t)
	err := m.s.Reject(t.Context(), id, 422, "no", "corr", m.now)
	if m.expect(t, id, []State{Pending, Sending, InDoubt}, Rejected, err) && m.uploads[id] == Pending {
		delete(m.uploads, id)
	}
}

func (m *model) Doubt(t *rapid.T) {
	id := part(t)
	m.expect(t, id, []State{Sending}, InDoubt, m.s.Doubt(t.Context(), id, "timeout", m.now))
}

func (m *model) Near(t *rapid.T) {
	id := part(t)
	if m.expect(t, id, []State{InDoubt}, InDoubt, m.s.Near(t.Context(), id, 77, "retitled")) {
		m.died[id] = false
		if p, err := m.s.PartByID(t.Context(), id); err != nil || p.Candidate != 77 {
			t.Fatalf("candidate: %+v %v", p, err)
		}
	}
}

func (m *model) Back(t *rapid.T) {
	id := part(t)
	if m.expect(t, id, []State{Sending}, Pending, m.s.Back(t.Context(), id, "429")) {
		m.unplace(id)
	}
}

func (m *model) Absent(t *rapid.T) {
	id := part(t)
	n, err := m.s.Absent(t.Context(), id)
	if m.expect(t, id, []State{InDoubt}, Pending, err) {
		m.unplace(id)
		if !m.died[id] {
			m.absences[id]++
		}
		if n != m.absences[id] {
			t.Fatalf("part %d was absent %d times, it says %d", id, m.absences[id], n)
		}
	}
}

func (m *model) MarkDeleted(t *rapid.T) {
	id := part(t)
	if m.expect(t, id, []State{Created}, Deleted, m.s.MarkDeleted(t.Context(), id, m.now)) {
		m.unplace(id)
		delete(m.conv, id)
	}
}

func (m *model) Unreject(t *rapid.T) {
	ids := some(t)
	n, err := m.s.Unreject(t.Context(), ids)
	m.reopened(t, Rejected, ids, n, err)
}

func (m *model) Reopen(t *rapid.T) {
	ids := some(t)
	n, err := m.s.Reopen(t.Context(), ids)
	m.reopened(t, Deleted, ids, n, err)
}

// some draws nil for all parts, or a few.
func some(t *rapid.T) []int64 {
	if rapid.Bool().Draw(t, "all") {
		return nil
	}
	return rapid.SliceOfNDistinct(rapid.Int64Range(1, modelParts+1), 0, 3, rapid.ID).Draw(t, "ids")
}

// reopened follows a move of several parts, of which those in another state are passed over.
func (m *model) reopened(t *rapid.T, from State, ids []int64, n int, err error) {
	if err != nil {
		t.Fatal(err)
	}
	want := 0
	for id, st := range m.state {
		if st != from || (ids != nil && !slices.Contains(ids, id)) {
			continue
		}
		want++
		m.state[id], m.absences[id] = Pending, 0
		m.unplace(id)
		if from == Deleted {
			delete(m.uploads, id)
		}
	}
	if n != want {
		t.Fatalf("%d parts went from %s to pending, it says %d", want, from, n)
	}
}

// Upload applies the effect of a created part.
func (m *model) Upload(t *rapid.T) {
	id := part(t)
	if m.state[id] != Created || m.uploads[id] != Pending {
		t.Skip("nothing to upload")
	}
	effects, err := m.s.Effects(t.Context(), EffectFilter{PartID: id, Kind: "upload", State: Pending})
	if err != nil || len(effects) != 1 {
		t.Fatalf("the upload of part %d: %v %v", id, effects, err)
	}
	err = errors.Join(m.s.BeginEffect(t.Context(), effects[0].ID, 1, m.now, nil),
		m.s.DoneEffect(t.Context(), effects[0].ID, 9, m.now))
	if err != nil {
		t.Fatal(err)
	}
	m.uploads[id] = Created
}

// Restart is a new process: what was sending is in doubt.
func (m *model) Restart(t *rapid.T) {
	if err := errors.Join(m.close(), m.open()); err != nil {
		t.Fatal(err)
	}
	n, err := m.s.Recover(t.Context(), m.now)
	if err != nil {
		t.Fatal(err)
	}
	want := 0
	for id, st := range m.state {
		if st == Sending {
			want++
			m.state[id], m.died[id] = InDoubt, true
		}
	}
	if n != want {
		t.Fatalf("%d parts were sending, it says %d", want, n)
	}
}

// Load names the parts again, under another digest.
func (m *model) Load(t *rapid.T) {
	l, err := m.s.Loader(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for id := range int64(modelParts) {
		p := somePart("T"+strconv.FormatInt(id+1, 10), 1, 1, id)
		if err := l.Put(p); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Finish(true); err != nil {
		t.Fatal(err)
	}
}

// Check holds the whole checkpoint against the model, after every step.
func (m *model) Check(t *rapid.T) {
	counts, err := m.s.Counts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	parts, uploads := map[State]int{}, map[State]int{}
	for id := range int64(modelParts) {
		id++
		p, err := m.s.PartByID(t.Context(), id)
		if err != nil || p == nil {
			t.Fatalf("part %d: %v", id, err)
		}
		if p.State != m.state[id] || p.ConversationID != m.conv[id] || (p.State == Created && p.How != m.how[id]) {
			t.Fatalf("part %d is %s %s %d, not %s %s %d",
				id, p.State, p.How, p.ConversationID, m.state[id], m.how[id], m.conv[id])
		}
		messages, err := m.s.MessagesOf(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		want := 0
		for _, owner := range m.messages {
			if owner == id {
				want++
			}
		}
		if len(messages) != want {
			t.Fatalf("part %d has messages %v, not %d", id, messages, want)
		}
		parts[p.State]++
		if st := m.uploads[id]; st != "" {
			uploads[st]++
		}
	}
	if !maps.Equal(counts.Parts, parts) || !maps.Equal(counts.Effects["upload"], uploads) {
		t.Fatalf("counts %v %v, not %v %v", counts.Parts, counts.Effects["upload"], parts, uploads)
	}
}

// open opens the file again, with fsync off: nobody pulls the plug here.
func (m *model) open() (err error) {
	if m.s, err = Open(context.Background(), m.path, testJob); err != nil {
		return err
	}
	_, err = m.s.w.conn.ExecContext(context.Background(), "PRAGMA synchronous = OFF")
	return err
}

// close ends a history, or one process of it.
func (m *model) close() error {
	return errors.Join(m.s.Check(context.Background()), m.s.Close())
}

func TestEveryHistoryIsLegalAndBalanced(t *testing.T) {
	fresh, err := os.ReadFile(closed(t)) // each history begins with a copy: making a file costs a dozen fsyncs
	ok(t, err)
	rapid.Check(t, func(r *rapid.T) {
		dir, err := os.MkdirTemp(t.TempDir(), "history")
		ok(t, err)
		m := &model{
			path: filepath.Join(dir, "import.db"), now: noon, state: map[int64]State{}, how: map[int64]How{},
			conv: map[int64]int64{}, messages: map[string]int64{}, absences: map[int64]int{}, died: map[int64]bool{}, uploads: map[int64]State{},
		}
		ok(t, os.WriteFile(m.path, fresh, 0o600))
		ok(t, m.open())
		defer func() { ok(t, m.close()) }()
		for id := range int64(modelParts) {
			m.state[id+1] = Pending
		}
		m.Load(r)
		r.Repeat(rapid.StateMachineActions(m))
	})
}

func TestWhatAMoveNotes(t *testing.T) {
	s, ctx := create(t), t.Context()
	load(t, s, true, somePart("T1", 1, 1, 1))
	id := must(t, s, "T1", 1).ID
	ok(t, s.Begin(ctx, id, Intent{Run: 1, At: noon, Digest: hexDigest(5), Evidence: []byte("{}")}))
	_, err := s.BeginRun(ctx, Run{Command: "run", StartedAt: noon})
	ok(t, err)
	run, err := s.BeginRun(ctx, Run{Command: "run", StartedAt: noon})
	ok(t, err)
	ok(t, s.Doubt(ctx, id, "timeout\xff"+strings.Repeat("ü", 4000), noon.Add(time.Minute)))
	p := must(t, s, "T1", 1)
	if p.Run != run || !p.GaveUpAt.Equal(noon.Add(time.Minute)) || len(p.Reason) > maxReason || !utf8.ValidString(p.Reason) ||
		!strings.HasPrefix(p.Reason, "timeoutü") || !strings.HasSuffix(p.Reason, "…") {
		t.Errorf("in doubt: %+v", p)
	}
	ok(t, s.Near(ctx, id, 12, "retitled"))
	n, err := s.Absent(ctx, id)
	ok(t, err)
	p = must(t, s, "T1", 1)
	if n != 1 || p.Absences != 1 || p.Resends != 1 || p.Candidate != 0 || p.Digest != hexDigest(5) {
		t.Errorf("absent: %+v", p)
	}
	ok(t, s.Begin(ctx, id, Intent{Run: run, At: noon.Add(time.Hour)}))
	p = must(t, s, "T1", 1)
	if p.Attempts != 2 || p.Reason != "" || !p.GaveUpAt.IsZero() || string(p.Evidence) != "{}" || p.Digest != hexDigest(5) {
		t.Errorf("begun again: %+v", p)
	}
	ok(t, s.Reject(ctx, id, 422, "subject is too long", "c-1", noon.Add(2*time.Hour)))
	p = must(t, s, "T1", 1)
	if p.Status != 422 || p.Reason != "subject is too long" || p.Correlation != "c-1" || !p.DoneAt.Equal(noon.Add(2*time.Hour)) {
		t.Errorf("rejected: %+v", p)
	}
	count, err := s.Unreject(ctx, nil)
	ok(t, err)
	p = must(t, s, "T1", 1)
	if count != 1 || p.Absences != 0 || p.Status != 0 || p.Reason != "" || p.Resends != 1 {
		t.Errorf("unrejected: %+v", p)
	}
	ok(t, s.Adopt(ctx, id, 31, Intent{Run: run, At: noon, Messages: []NewMessage{{Key: "m"}}}))
	ok(t, s.MarkDeleted(ctx, id, noon.Add(3*time.Hour)))
	p = must(t, s, "T1", 1)
	if p.State != Deleted || p.ConversationID != 0 || p.DeletedID != 31 || !p.DeletedAt.Equal(noon.Add(3*time.Hour)) {
		t.Errorf("deleted: %+v", p)
	}
	if _, found, err := s.Owner(ctx, 31); found || err != nil {
		t.Errorf("the deleted conversation still has an owner: %v", err)
	}
}

func TestAdoption(t *testing.T) {
	s, ctx := create(t), t.Context()
	load(t, s, true, somePart("T1", 1, 1, 1), somePart("T2", 1, 1, 2))
	a, b := must(t, s, "T1", 1).ID, must(t, s, "T2", 1).ID
	var move *MoveError
	if err := s.Done(ctx, a, 5, ByCreate, noon); !errors.As(err, &move) {
		t.Errorf("created without an intent: %v", err)
	}
	ok(t, s.Done(ctx, a, 5, ByAdoption, noon))
	in := Intent{Run: 3, At: noon, Evidence: []byte("{}"), Messages: []NewMessage{{Key: "m"}}}
	var claimed *ClaimedError
	if err := s.Adopt(ctx, b, 5, in); !errors.As(err, &claimed) || claimed.Part != a {
		t.Errorf("adopted twice: %v", err)
	}
	ok(t, s.Adopt(ctx, b, 6, in))
	p := must(t, s, "T2", 1)
	if p.How != ByAdoption || p.ConversationID != 6 || !p.SentAt.IsZero() || p.Attempts != 0 || string(p.Evidence) != "{}" {
		t.Errorf("adopted: %+v", p)
	}
	if messages, err := s.MessagesOf(ctx, b); err != nil || len(messages) != 1 {
		t.Errorf("messages: %v %v", messages, err)
	}
	if err := s.Adopt(ctx, b, 7, in); !errors.As(err, &move) {
		t.Errorf("adopted again: %v", err)
	}
	for _, err := range []error{s.Done(ctx, a, 0, ByCreate, noon), s.Done(ctx, a, 9, "", noon), s.Adopt(ctx, a, 0, in)} {
		if err == nil || !strings.Contains(err.Error(), "only with the id") {
			t.Errorf("without an id: %v", err)
		}
	}
}
