package importer

import (
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"hsimport/checkpoint"
	"hsimport/importer/helpscout"
	"hsimport/mapping"
	"hsimport/sources"
)

// outgoing is one part made ready: symbols replaced, attachments that do not fit moved to uploads.
type outgoing struct {
	row     *checkpoint.Part
	m       *mapped // its ticket
	part    *mapping.Part
	conv    *helpscout.NewConversation
	uploads []mapping.Upload
	sent    time.Time // of the last attempt
	body    *helpscout.Body
}

// part sends one part and returns the state it ends in. Its error, if any, ends the run; what is wrong with the record
// itself is in its row.
func (e *engine) part(ctx context.Context, row *checkpoint.Part, m *mapped) (checkpoint.State, error) {
	part, err := e.partOf(m, row)
	if err != nil {
		return "", e.unready(ctx, row, err)
	}
	out, err := e.makeReady(ctx, row, m, part)
	if err != nil {
		return "", e.unready(ctx, row, err)
	}
	for {
		release, err := e.seen.lock(ctx, out.conv)
		if err != nil {
			return "", err
		}
		state, again, err := e.create(ctx, out)
		release(state == checkpoint.Created)
		if err != nil {
			return "", err
		}
		if again == nil {
			if state == checkpoint.Created && len(out.uploads) > 0 { // other effects, if any, are the sweep's
				err = e.complete(ctx, out.row.ID)
			}
			return state, err
		}
		if out, err = again(); err != nil {
			return "", e.unready(ctx, row, err)
		}
	}
}

// unready sorts what can go wrong before anything is sent: a file that is gone is this record's trouble.
func (e *engine) unready(ctx context.Context, row *checkpoint.Part, err error) error {
	var local *localError
	if !errors.As(err, &local) {
		return err
	}
	return e.reject(ctx, row, time.Now(), 0, local.Error(), "")
}

// localError is about one record and has nothing to do with the server.
type localError struct{ err error }

func (l *localError) Error() string { return l.err.Error() }
func (l *localError) Unwrap() error { return l.err }

// partOf finds the part of a row in the plan of its ticket; one that came of a later export is made again from the
// messages that its row names.
func (e *engine) partOf(m *mapped, row *checkpoint.Part) (*mapping.Part, error) {
	if keys := followed(row); keys != nil {
		parts := e.mapper.Continue(m.ticket, keySet(keys), row.Number, row.Of)
		if len(parts) == 0 {
			return nil, &localError{errors.New("its messages are left out by the mapping")}
		}
		return parts[0], nil
	}
	if row.Number > len(m.plan.Parts) {
		return nil, stopf(ExitDrift, "run the same command again: it plans anew", "ticket %s has fewer parts than planned", row.Ticket)
	}
	return m.plan.Parts[row.Number-1], nil
}

// makeReady turns a part into what goes out.
func (e *engine) makeReady(ctx context.Context, row *checkpoint.Part, m *mapped, part *mapping.Part) (*outgoing, error) {
	conv := part.Conversation
	conv.Threads = slices.Clone(conv.Threads)
	out := &outgoing{row: row, m: m, part: part, conv: &conv, uploads: slices.Clone(part.Uploads)}
	if err := e.link(ctx, out); err != nil {
		return nil, err
	}
	if max := e.learnedInline(); max > 0 && part.Body > max {
		out.moveAttachments()
	}
	return out, e.bodyOf(out)
}

// link puts the address of the part before into the note that points to it. Its number is one read.
func (e *engine) link(ctx context.Context, out *outgoing) error {
	i := out.part.LinkThread
	if i < 0 || out.part.Number < 2 {
		return nil
	}
	prev, err := e.store.Part(ctx, out.row.Ticket, out.part.Number-1)
	if err != nil {
		return err
	}
	symbol := fmt.Sprintf(`href="part:%d"`, out.part.Number-1)
	t := &out.conv.Threads[i]
	if prev == nil || prev.ConversationID == 0 {
		t.Text = strings.ReplaceAll(t.Text, symbol, `href="#"`) + fmt.Sprintf("<br>(part %d could not be imported)", out.part.Number-1)
		return nil
	}
	web, err := e.webAddress(ctx, prev.ConversationID)
	if err != nil {
		return err
	}
	t.Text = strings.ReplaceAll(t.Text, symbol, `href="`+html.EscapeString(web)+`"`)
	return nil
}

// webAddress is where people see a conversation; the number in it is known to the server only.
func (e *engine) webAddress(ctx context.Context, id int64) (string, error) {
	c, err := read(ctx, e, func() (*helpscout.Conversation, error) { return e.Client.Conversation(ctx, id, false) })
	if err != nil && helpscout.KindOf(err) != helpscout.Rejected {
		return "", err
	}
	const site = "https://secure.helpscout.net/conversation/"
	switch {
	case err != nil: // merged or deleted by now: the id still leads there or says so
		return fmt.Sprint(site, id), nil
	case c.Links.Web.Href != "":
		return c.Links.Web.Href, nil
	}
	return fmt.Sprint(site, id, "/", c.Number), nil
}

// moveAttachments takes every attachment out of the create call; each goes to its thread afterwards.
func (o *outgoing) moveAttachments() {
	for i := range o.conv.Threads {
		t := &o.conv.Threads[i]
		for _, a := range t.Attachments {
			var size int64
			if f := o.part.Files[strings.TrimPrefix(a.Data, attachmentSymbol)]; f != nil {
				size = f.Size
			}
			o.uploads = append(o.uploads, mapping.Upload{Thread: i, File: a, Size: size})
		}
		t.Attachments = nil
	}
	slices.SortStableFunc(o.uploads, func(a, b mapping.Upload) int { return a.Thread - b.Thread })
}

func (e *engine) bodyOf(out *outgoing) (err error) {
	out.body, err = helpscout.NewBody(out.conv, opener(out.part.Files))
	if err != nil {
		return &localError{fmt.Errorf("part %d: %w", out.part.Number, err)}
	}
	return nil
}

// opener finds the content of an attachment by its SHA-256.
func opener(files map[string]*sources.Attachment) func(string) (int64, func() (io.ReadCloser, error), error) {
	return func(sum string) (int64, func() (io.ReadCloser, error), error) {
		f := files[sum]
		if f == nil || f.Open == nil {
			return 0, nil, fmt.Errorf("attachment %s has no content", sum)
		}
		return f.Size, f.Open, nil
	}
}

// retry makes the part ready again for another attempt.
type retry func() (*outgoing, error)

// create is one attempt: quota, intent, request, result. A retry is returned only for what was certainly not applied.
func (e *engine) create(ctx context.Context, out *outgoing) (checkpoint.State, retry, error) {
	if err := e.reachable(ctx); err != nil {
		return "", nil, err
	}
	if err := e.mayWrite(ctx); err != nil {
		return "", nil, err
	}
	if err := e.halted(ctx); err != nil {
		return "", nil, err
	}
	keep := context.WithoutCancel(ctx)
	if err := e.store.Begin(keep, out.row.ID, e.intent(out)); err != nil {
		var p *checkpoint.PlacedError
		if errors.As(err, &p) {
			return "", func() (*outgoing, error) { return e.withoutPlaced(ctx, out) }, nil
		}
		return "", nil, err
	}
	out.sent = time.Now()
	id, err := e.Client.CreateConversation(e.hard, out.body)
	if err == nil {
		return e.created(keep, out, id)
	}
	return e.failed(keep, out, err)
}

func (e *engine) intent(out *outgoing) checkpoint.Intent {
	ev := evidenceOf(out.conv, out.part)
	ev.Source, ev.Follow = sourceSign(out.m.ticket), followed(out.row)
	in := checkpoint.Intent{
		Run: e.run, At: time.Now(), Digest: out.part.Digest, // of the plan: links and the way of the files do not count
		Evidence: ev.encode(),
	}
	for _, c := range out.part.Messages {
		in.Messages = append(in.Messages, checkpoint.NewMessage{Key: string(c.Message), Digest: c.Digest, Thread: c.Thread})
	}
	for i, u := range out.uploads {
		in.Effects = append(in.Effects, uploadEffect(out, i, u))
	}
	return in
}

func (e *engine) created(ctx context.Context, out *outgoing, id int64) (checkpoint.State, retry, error) {
	err := e.store.Done(ctx, out.row.ID, id, checkpoint.ByCreate, time.Now())
	var claimed *checkpoint.ClaimedError
	if errors.As(err, &claimed) { // a server that names one id twice cannot be trusted with an answer
		return e.doubt(ctx, out.row, fmt.Sprintf("the server answered with conversation %d, which part %d already is", id, claimed.Part))
	}
	if err != nil {
		return "", nil, err
	}
	e.out.applied()
	e.streak.success(out.sent)
	e.counted(func(c *Conversations) { c.Created++ })
	e.finished(out.row.Ticket, id)
	return checkpoint.Created, nil, nil
}

// failed sorts a create that brought no id.
func (e *engine) failed(ctx context.Context, out *outgoing, err error) (checkpoint.State, retry, error) {
	switch helpscout.KindOf(err) {
	case helpscout.Wait:
		return e.notApplied(ctx, out, err)
	case helpscout.Stop:
		if berr := e.store.Back(ctx, out.row.ID, err.Error()); berr != nil {
			return "", nil, berr
		}
		return "", nil, authStop(err)
	case helpscout.Rejected:
		return e.refused(ctx, out, err)
	}
	return e.unanswered(ctx, out.row, err)
}

// notApplied puts a part back: nothing was wrong with it, the server would not take it just now.
func (e *engine) notApplied(ctx context.Context, out *outgoing, err error) (checkpoint.State, retry, error) {
	if berr := e.store.Back(ctx, out.row.ID, err.Error()); berr != nil {
		return "", nil, berr
	}
	if helpscout.StatusOf(err) == 0 {
		e.out.refused()
	} else if _, patient := e.out.pause(e.patience()); !patient {
		return "", nil, stopf(ExitLeft, "everything is saved; try again later, or lower run.share",
			"the server has refused every write for %s (%v)", e.patience(), err)
	}
	return "", func() (*outgoing, error) { return out, nil }, nil
}

// refused is a record the server will not have. Too large a body gets a second way: its attachments follow by
// themselves. 403 before anything has worked is about the account, not about the record.
func (e *engine) refused(ctx context.Context, out *outgoing, err error) (checkpoint.State, retry, error) {
	status := helpscout.StatusOf(err)
	if status == 413 && len(inlineFiles(out.conv)) > 0 {
		return e.tooLarge(ctx, out)
	}
	if status == 403 && !e.streak.any() {
		if berr := e.store.Back(ctx, out.row.ID, err.Error()); berr != nil {
			return "", nil, berr
		}
		return "", nil, authStop(err)
	}
	var he *helpscout.Error
	correlation := ""
	reason := err.Error()
	if errors.As(err, &he) {
		correlation, reason = he.CorrelationID, fmt.Sprintf("%d %s", he.Status, he.Reason())
	}
	return checkpoint.Rejected, nil, e.reject(ctx, out.row, out.sent, status, reason, correlation)
}

func inlineFiles(c *helpscout.NewConversation) (n []helpscout.NewAttachment) {
	for _, t := range c.Threads {
		n = append(n, t.Attachments...)
	}
	return n
}

// tooLarge learns the server's limit and sends the part again with its attachments to be uploaded.
func (e *engine) tooLarge(ctx context.Context, out *outgoing) (checkpoint.State, retry, error) {
	if err := e.store.Back(ctx, out.row.ID, "413: attachments go by themselves"); err != nil {
		return "", nil, err
	}
	if err := e.learnInline(ctx, out.body.Size()); err != nil {
		return "", nil, err
	}
	return "", func() (*outgoing, error) {
		out.moveAttachments()
		return out, e.bodyOf(out)
	}, nil
}

// reject writes the refusal down; a streak of like ones ends the run, and they go back to pending, so that a mended
// configuration sends them.
func (e *engine) reject(ctx context.Context, row *checkpoint.Part, sent time.Time, status int, reason, correlation string) error {
	ctx = context.WithoutCancel(ctx)
	if err := e.store.Reject(ctx, row.ID, status, reason, correlation, time.Now()); err != nil {
		return err
	}
	if err := e.answer(ctx, row, string(checkpoint.Rejected), status, reason, correlation); err != nil {
		return err
	}
	e.out.applied()
	e.finished(row.Ticket, 0)
	e.tell(Event{Kind: EventRejected, Key: row.Ticket, Text: reason})
	ids := e.streak.rejected(row.ID, reason, sent)
	if ids == nil {
		return nil
	}
	if _, err := e.store.Unreject(ctx, ids); err != nil {
		return err
	}
	return stopf(ExitLeft, "mend the configuration and run the same command again: they are pending, not lost",
		"%d conversations in a row were rejected for one reason: %s", len(ids), reason)
}

// unanswered leaves a part in doubt and keeps what was answered, if anything was.
func (e *engine) unanswered(ctx context.Context, row *checkpoint.Part, err error) (checkpoint.State, retry, error) {
	var he *helpscout.Error
	correlation := ""
	if errors.As(err, &he) {
		correlation = he.CorrelationID
	}
	if nerr := e.answer(ctx, row, string(checkpoint.InDoubt), helpscout.StatusOf(err), err.Error(), correlation); nerr != nil {
		return "", nil, nerr
	}
	return e.doubt(ctx, row, err.Error())
}

// doubt leaves a part in doubt: it may have been applied, now or in a while.
func (e *engine) doubt(ctx context.Context, row *checkpoint.Part, reason string) (checkpoint.State, retry, error) {
	if err := e.store.Doubt(ctx, row.ID, reason, time.Now()); err != nil {
		return "", nil, err
	}
	if n := e.out.doubt(); n >= doubtsAtMost {
		return "", nil, stopf(ExitLeft, "everything is saved; what is in doubt is looked for when the run goes on",
			"the last %d writes got no answer that says what became of them (%s)", n, reason)
	}
	return checkpoint.InDoubt, nil, nil
}

// read asks again for as long as the server is merely away; other errors are the caller's.
func read[T any](ctx context.Context, e *engine, ask func() (T, error)) (T, error) {
	for {
		v, err := ask()
		if err == nil || helpscout.KindOf(err) == helpscout.Rejected {
			e.out.answered()
			return v, err
		}
		if herr := e.halted(ctx); herr != nil {
			return v, herr
		}
		if helpscout.KindOf(err) == helpscout.Stop {
			return v, authStop(err)
		}
		pause, patient := e.out.pause(e.patience())
		if !patient {
			return v, stopf(ExitLeft, "everything is saved; the same command goes on when the server is back",
				"the server has not answered a read for %s (%v)", e.patience(), err)
		}
		if helpscout.StatusOf(err) == http.StatusTooManyRequests && e.Quota != nil && !e.Quota.Closed().IsZero() {
			e.tellPause() // the next read waits as long as the server has asked for
			continue
		}
		e.tell(Event{Kind: EventWait, Why: "the server does not answer", Until: time.Now().Add(pause), Text: fmt.Sprintf("no answer (%v); asking again in %s", err, pause.Round(time.Second))})
		if err := e.sleep(ctx, pause); err != nil {
			return v, err
		}
	}
}
