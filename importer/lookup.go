package importer

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"hsimport/checkpoint"
	"hsimport/sources"
)

// A Place says where a ticket, or one message of it, is on both sides.
type Place struct {
	Key          string    `json:"key"`               // of the ticket
	ID           string    `json:"id,omitempty"`      // the number people knew it by
	OldURL       string    `json:"old_url,omitempty"` // where it was to be seen; known only with the source
	Source       string    `json:"source"`            // file:line
	Part         int       `json:"part"`              // 1-based
	Parts        int       `json:"parts"`
	Created      time.Time `json:"created_at"`
	State        string    `json:"state"`                  // created, pending, rejected, in_doubt, sending, deleted
	How          string    `json:"how,omitempty"`          // created, recovered, adopted
	Conversation int64     `json:"conversation,omitempty"` // 0: nothing of it is in the account
	URL          string    `json:"url,omitempty"`          // of the conversation, for people
	Was          int64     `json:"was,omitempty"`          // the conversation it was before that was deleted
	Candidate    int64     `json:"candidate,omitempty"`    // in doubt: the conversation that may be it
	Message      string    `json:"message,omitempty"`      // key of the message that was asked for
	Thread       int64     `json:"thread,omitempty"`       // its thread, where known
	Reason       string    `json:"reason,omitempty"`
}

// Lookup finds the other side of what a person has at hand: the key, number or address of an old ticket, the Message-ID
// or key of a message, the id or address of a conversation. It reads the checkpoint alone, while a run is going on too;
// only when that does not know the word is open called for the source, which may be nil. No place at all is no error.
func Lookup(ctx context.Context, path, word string, open func() (Source, error)) ([]Place, error) {
	store, err := viewCheckpoint(ctx, path)
	if err != nil {
		return nil, err
	}
	defer store.Close()
	l := &lookup{store: store, seen: map[int64]bool{}}
	if word = strings.TrimSpace(word); word == "" {
		return nil, nil
	}
	words := wordsOf(word)
	for _, w := range words {
		if err := l.direct(ctx, w); err != nil || len(l.places) > 0 {
			return l.places, err
		}
	}
	if err := l.byNumber(ctx, words); err != nil || len(l.places) > 0 || open == nil {
		return l.places, err
	}
	src, err := open()
	if err != nil || src == nil {
		return nil, err
	}
	defer src.Close()
	return l.places, l.inSource(ctx, src, word)
}

// viewCheckpoint opens a checkpoint for reading; none is not this command's to make.
func viewCheckpoint(ctx context.Context, path string) (*checkpoint.Store, error) {
	store, err := checkpoint.View(ctx, path)
	if errors.Is(err, checkpoint.ErrMissing) {
		hint := "nothing has been imported with this configuration yet"
		if strings.HasSuffix(path, TrialSuffix) {
			hint = "no trial has been sent with this configuration; `hsimport run --trial` sends one"
		}
		return nil, &Stop{Code: ExitUsage, Err: err, Hint: hint}
	}
	if err != nil {
		return nil, checkpointStop(err)
	}
	return store, nil
}

type lookup struct {
	store  *checkpoint.Store
	seen   map[int64]bool
	places []Place
}

// wordsOf lists what an address may name a ticket or conversation by: of a Help Scout address the id that follows
// /conversation/; of any other the values of its query, then its segments, the last one first.
func wordsOf(word string) []string {
	u, err := url.Parse(word)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return []string{strings.Trim(word, "<>")}
	}
	segments := strings.FieldsFunc(u.Path+"/"+u.Fragment, func(r rune) bool { return r == '/' })
	for i, s := range segments {
		if (s == "conversation" || s == "conversations") && i+1 < len(segments) {
			return []string{segments[i+1]}
		}
	}
	var out []string
	query := u.Query()
	names := make([]string, 0, len(query))
	for name := range query {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		out = append(out, query[name]...)
	}
	slices.Reverse(segments)
	return append(out, segments...)
}

// direct asks the indexes: keys of tickets and messages, ids of conversations.
func (l *lookup) direct(ctx context.Context, word string) error {
	for _, key := range []string{word, "id:" + word, "mid:" + word} {
		rows, err := l.store.PartsOf(ctx, key)
		if err != nil {
			return err
		}
		for i := range rows {
			l.add(&rows[i], checkpoint.Message{})
		}
	}
	messages, err := l.store.Messages(ctx, []string{word, "mid:" + word})
	if err != nil {
		return err
	}
	for _, key := range []string{word, "mid:" + word} {
		if m, ok := messages[key]; ok && len(l.places) == 0 {
			if err := l.byID(ctx, m.PartID, m); err != nil {
				return err
			}
		}
	}
	id, err := strconv.ParseInt(word, 10, 64)
	if err != nil {
		return nil
	}
	part, ok, err := l.store.Owner(ctx, id)
	if err != nil || !ok {
		return err
	}
	return l.byID(ctx, part, checkpoint.Message{})
}

func (l *lookup) byID(ctx context.Context, part int64, m checkpoint.Message) error {
	row, err := l.store.PartByID(ctx, part)
	if err == nil && row != nil {
		l.add(row, m)
	}
	return err
}

func (l *lookup) add(row *checkpoint.Part, m checkpoint.Message) {
	if l.seen[row.ID] {
		return
	}
	l.seen[row.ID] = true
	p := placeOf(row, l.store.Job().Origin)
	p.Message, p.Thread = m.Key, m.ThreadID
	l.places = append(l.places, p)
}

func placeOf(row *checkpoint.Part, origin string) Place {
	p := Place{
		Key: row.Ticket, ID: row.LegacyID, Source: row.Place, Part: row.Number, Parts: row.Of, Created: time.Unix(row.Created, 0).UTC(),
		State: string(row.State), How: string(row.How), Conversation: row.ConversationID, Was: row.DeletedID, Candidate: row.Candidate, Reason: row.Reason,
	}
	if p.Conversation != 0 {
		p.URL = conversationURL(origin, p.Conversation)
	}
	return p
}

// conversationURL is where people see a conversation; without the number at its end the address leads there too.
func conversationURL(origin string, id int64) string {
	return conversationSite(origin) + strconv.FormatInt(id, 10)
}

// conversationSite is what stands before the id in the address of a conversation.
func conversationSite(origin string) string {
	site := "https://secure.helpscout.net"
	if rehearsalHost(origin) != "" {
		site = strings.TrimSuffix(origin, "/")
	}
	return site + "/conversation/"
}

// allStates are those of a part, in the order of its life.
var allStates = [...]checkpoint.State{checkpoint.Created, checkpoint.Pending, checkpoint.Sending, checkpoint.InDoubt, checkpoint.Rejected, checkpoint.Deleted}

// byNumber goes through all parts for an old number, or for a conversation that was deleted or may be one.
func (l *lookup) byNumber(ctx context.Context, words []string) error {
	for _, st := range allStates {
		for row, err := range l.store.InState(ctx, st) {
			if err != nil {
				return err
			}
			if row.LegacyID != "" && slices.Contains(words, row.LegacyID) ||
				row.DeletedID != 0 && slices.Contains(words, strconv.FormatInt(row.DeletedID, 10)) ||
				row.Candidate != 0 && slices.Contains(words, strconv.FormatInt(row.Candidate, 10)) {
				l.add(row, checkpoint.Message{})
			}
		}
	}
	return nil
}

// inSource reads the source for a ticket of that address or number, or a message of that id.
func (l *lookup) inSource(ctx context.Context, src Source, word string) error {
	id := strings.Trim(word, "<>")
	for i := range src.Len() {
		t, err := src.Ticket(ctx, i)
		var rec *sources.RecordError
		if errors.As(err, &rec) {
			continue
		}
		if err != nil {
			return err
		}
		m := slices.IndexFunc(t.Messages, func(m *sources.Message) bool { return m.ID != "" && m.ID == id || string(m.Key) == word })
		if m < 0 && t.URL != word && t.ID != word {
			continue
		}
		if err := l.ofTicket(ctx, t, m); err != nil {
			return err
		}
	}
	return nil
}

func (l *lookup) ofTicket(ctx context.Context, t *sources.Ticket, message int) error {
	if message >= 0 {
		key := string(t.Messages[message].Key)
		rows, err := l.store.Messages(ctx, []string{key})
		if err != nil {
			return err
		}
		if m, ok := rows[key]; ok {
			return l.byID(ctx, m.PartID, m)
		}
	}
	rows, err := l.store.PartsOf(ctx, string(t.Key))
	if err != nil {
		return err
	}
	for i := range rows {
		l.add(&rows[i], checkpoint.Message{})
		l.places[len(l.places)-1].OldURL = t.URL
	}
	return nil
}

// ExportMap writes where every ticket of the job went, one line a conversation in the order they were sent in, with the
// columns old_id, old_url, key, part, parts, conversation and new_url. Old addresses are known to the source only: src may
// be nil, then their column is empty. It returns how many lines were written.
func ExportMap(ctx context.Context, path string, src Source, to io.Writer) (n int, err error) {
	store, err := viewCheckpoint(ctx, path)
	if err != nil {
		return 0, err
	}
	defer store.Close()
	w := csv.NewWriter(to)
	if err := w.Write([]string{"old_id", "old_url", "key", "part", "parts", "conversation", "new_url"}); err != nil {
		return 0, err
	}
	for row, err := range store.InState(ctx, checkpoint.Created) {
		if err != nil {
			return n, err
		}
		old, err := oldURL(ctx, src, row.Ticket)
		if err != nil {
			return n, err
		}
		p := placeOf(row, store.Job().Origin)
		if err := w.Write([]string{p.ID, old, p.Key, strconv.Itoa(p.Part), strconv.Itoa(p.Parts), fmt.Sprint(p.Conversation), p.URL}); err != nil {
			return n, err
		}
		n++
	}
	w.Flush()
	return n, w.Error()
}

func oldURL(ctx context.Context, src Source, key string) (string, error) {
	if src == nil {
		return "", nil
	}
	i, ok := src.Find(sources.Key(key))
	if !ok {
		return "", nil
	}
	t, err := src.Ticket(ctx, i)
	var rec *sources.RecordError
	switch {
	case errors.As(err, &rec):
		return "", nil
	case err != nil:
		return "", err
	}
	return t.URL, nil
}
