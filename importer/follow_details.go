package importer

import (
	"bytes"
	"context"
	"fmt"

	"hsimport/checkpoint"
	"hsimport/mapping"
	"hsimport/sources"
)

// sentThread is a thread of ours as it was sent.
type sentThread struct {
	ThreadEvidence
	nth, nthAt int   // ordinal among threads of equal type and time, with and without the text
	index      int   // in the create call; -1 of one that was appended
	append     int64 // the effect that appended it; 0 of one in the create call
	id         int64 // Help Scout's, where it is known
}

// sentThreads are the threads of a part by the messages they carry.
type sentThreads struct {
	row     *checkpoint.Part
	ev      Evidence
	created []*sentThread
	byAdd   map[int64]*sentThread
}

// sentOf gathers what was sent of a created part, with the files that were uploaded, are to be or were refused.
func (e *engine) sentOf(ctx context.Context, row *checkpoint.Part) (*sentThreads, error) {
	ev, ok := decodeEvidence(row.Evidence)
	if !ok {
		return nil, nil
	}
	s := &sentThreads{row: row, ev: ev, byAdd: map[int64]*sentThread{}}
	for i, t := range ev.Threads {
		st := &sentThread{ThreadEvidence: t, index: i}
		st.Files = st.Files[:len(st.Files):len(st.Files)]
		for _, before := range ev.Threads[:i] {
			if before.Type == t.Type && before.At == t.At {
				st.nthAt++
				if before.Text == t.Text {
					st.nth++
				}
			}
		}
		s.created = append(s.created, st)
	}
	effects, err := e.store.Effects(ctx, checkpoint.EffectFilter{PartID: row.ID})
	if err != nil {
		return nil, err
	}
	for i := range effects {
		s.take(&effects[i])
	}
	return s, nil
}

func (s *sentThreads) take(ef *checkpoint.Effect) {
	ev, ok := decodeEffect(ef.Evidence)
	if !ok {
		return
	}
	switch ef.Kind {
	case kindAppend:
		if ef.State == checkpoint.Created {
			s.byAdd[ef.ID] = &sentThread{ThreadEvidence: ev.Find, index: -1, append: ef.ID, id: ef.RemoteID}
		}
	case kindUpload:
		if ef.State == checkpoint.Pending && ef.Attempts == 0 && len(ef.Slot) > len(fileSlot) && ef.Slot[:len(fileSlot)] == fileSlot {
			return // a new plan names it anew
		}
		t := s.byAdd[ev.Append]
		if ev.Append == 0 && ev.Thread < len(s.created) {
			t = s.created[ev.Thread]
		}
		if t != nil {
			t.Files = append(t.Files, FileEvidence{Name: ev.Name, Size: ev.Size})
		}
	}
}

// of finds the thread that carries a message.
func (s *sentThreads) of(m checkpoint.Message) *sentThread {
	if m.EffectID != 0 {
		return s.byAdd[m.EffectID]
	}
	if m.Thread < len(s.created) {
		return s.created[m.Thread]
	}
	return nil
}

// details compares what the ticket's messages are now with what was sent of them: new files are planned; an edited text
// and a message that is gone are reported, and nothing is changed.
func (f *following) details(ctx context.Context) error {
	sent := map[int64]*sentThreads{}
	gone := 0
	inTicket := map[string]bool{}
	for _, msg := range f.m.ticket.Messages {
		inTicket[string(msg.Key)] = true
	}
	for i := range f.known {
		row := &f.known[i]
		if row.State != checkpoint.Created {
			continue
		}
		s, err := f.sentOf(ctx, row)
		if err != nil {
			return err
		}
		sent[row.ID] = s
		all, err := f.store.MessagesOf(ctx, row.ID)
		if err != nil {
			return err
		}
		for _, m := range all {
			if !inTicket[m.Key] {
				gone++
			}
		}
	}
	if gone > 0 {
		f.find(sources.Info, "message-gone", f.m.plan.Position, fmt.Sprintf("%s not in this export any more; what was sent stays",
			plural(gone, "message that was sent is", "messages that were sent are")))
	}
	f.edited(sent)
	return f.files(sent)
}

func (f *following) find(sev sources.Severity, code string, at sources.Position, text string) {
	f.rep.Findings.Add(mapping.Finding{Severity: sev, Code: code, Key: f.m.plan.Key, Position: at, Text: text})
}

// edited reports the messages whose text is not what was sent.
func (f *following) edited(sent map[int64]*sentThreads) {
	texts := map[string]string{}
	for _, part := range f.m.plan.Parts {
		for _, c := range part.Messages {
			texts[string(c.Message)] = textDigest(part.Conversation.Threads[c.Thread].Text)
		}
	}
	for _, msg := range f.m.ticket.Messages {
		r, ok := f.rows[string(msg.Key)]
		if !ok || r.Digest == msg.Digest {
			continue
		}
		if s := sent[r.PartID]; s != nil {
			if t := s.of(r); t != nil && t.Text == texts[string(msg.Key)] {
				continue // a file came to it, or something that no reader sees
			}
		}
		f.find(sources.Warning, "message-edited", msg.Position, "this message was edited in the source after it was sent; the sent text stays")
	}
}

// files plans the uploads of files that a message did not have when it was sent.
func (f *following) files(sent map[int64]*sentThreads) error {
	for _, part := range f.m.plan.Parts {
		for i, th := range part.Conversation.Threads {
			want := th.Attachments
			for _, u := range part.Uploads {
				if u.Thread == i {
					want = append(want[:len(want):len(want)], u.File)
				}
			}
			t, row := f.threadOf(part, i, sent)
			if len(want) == 0 || t == nil {
				continue
			}
			had := map[FileEvidence]int{}
			for _, x := range t.Files {
				had[x]++
			}
			for n, a := range want {
				file := part.Files[a.Data[len(attachmentSymbol):]]
				like := FileEvidence{Name: a.FileName, Size: file.Size}
				if had[like]--; had[like] >= 0 {
					continue
				}
				f.appends = append(f.appends, t.upload(row, a.Data[len(attachmentSymbol):], a.FileName, a.MIMEType, file.Size, n))
				f.rep.Totals.NewFiles++
				f.rep.Totals.more(2)
			}
		}
	}
	return nil
}

// threadOf finds the thread that was sent for a thread of the plan: by the first message it carries.
func (f *following) threadOf(part *mapping.Part, i int, sent map[int64]*sentThreads) (*sentThread, *checkpoint.Part) {
	for _, c := range part.Messages {
		if c.Thread != i {
			continue
		}
		r, ok := f.rows[string(c.Message)]
		if s := sent[r.PartID]; ok && s != nil {
			return s.of(r), s.row
		}
		break
	}
	return nil, nil
}

// upload is the intent to add a file to a thread that is there.
func (t *sentThread) upload(row *checkpoint.Part, sum, name, mime string, size int64, n int) checkpoint.Effect {
	find := t.ThreadEvidence
	find.Files = nil
	ev := effectEvidence{
		Thread: t.index, Find: find, Nth: t.nth, NthAt: t.nthAt, SHA: sum, Name: name, MIME: mime, Size: size,
		Append: t.append, ThreadID: t.id,
	}
	return checkpoint.Effect{
		PartID: row.ID, Kind: kindUpload, Digest: sum, State: checkpoint.Pending, Evidence: ev.encode(),
		Slot: fmt.Sprintf("%s%d:%d:%s:%d", fileSlot, t.index, t.append, sum, n),
	}
}

// statuses plans the changes of status: of the last conversation that is there, when the source says something else of
// the ticket than it said when it was sent, or new messages came; those before it are closed.
func (f *following) statuses(ctx context.Context, fresh bool) error {
	want := lastStatus(f.m.plan)
	sign := sourceSign(f.m.ticket)
	for i := range f.known {
		row := &f.known[i]
		if row.State != checkpoint.Created || !bytes.Contains(row.Evidence, []byte(`"ss":"`)) {
			continue
		}
		to := want
		if row.Number < f.ends {
			to = "closed"
		} else if !fresh && bytes.Contains(row.Evidence, []byte(`"ss":"`+sign+`"`)) {
			if due, err := f.closedByPlace(ctx, row); err != nil {
				return err
			} else if !due {
				continue
			}
		}
		if bytes.Contains(row.Evidence, []byte(`"st":"`+to+`"`)) || to == "" {
			continue
		}
		f.appends = append(f.appends, statusEffect(row, to, sign, f.changes))
		f.rep.Totals.StatusChanges++
		f.rep.Totals.more(4) // two reads, a write
	}
	return nil
}

// closedByPlace reports that a part was closed because another one was to come behind it, which never did: now it is the
// ticket's last one. That is asked about once.
func (f *following) closedByPlace(ctx context.Context, row *checkpoint.Part) (bool, error) {
	if row.Number >= row.Of {
		return false, nil
	}
	asked, err := f.store.Effects(ctx, checkpoint.EffectFilter{PartID: row.ID, Kind: kindStatus})
	return len(asked) == 0, err
}
