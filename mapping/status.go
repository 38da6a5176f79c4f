package mapping

import (
	"slices"
	"strconv"
	"time"

	"hsimport/sources"
)

// decideStatus finds what the ticket arrives as, or that it does not come along.
func (w *work) decideStatus() {
	if w.t.Kind == sources.Mail {
		w.status = w.mailStatus()
	} else {
		w.status = w.deskStatus()
	}
	switch w.status {
	case "spam", "exclude":
		w.exclude(firstOf(w.excluded, "status "+firstOf(fold(w.t.Status), w.status)))
		return
	case "active", "pending":
		w.live = true
	default:
		w.status = "closed"
	}
	if w.live && w.inactive() {
		w.find(sources.Info, codeInactive, w.t.Status, "the last message is older than %s before the source's newest; it arrives closed, not %s", Duration(w.m.CloseInactive), w.status)
		w.live, w.status = false, "closed"
	}
	if !w.live && w.unanswered() {
		w.find(sources.Warning, codeUnanswered, w.t.Status, "the customer spoke last on %s; the conversation arrives closed all the same", w.last().at.Format("2006-01-02"))
	}
}

// deskStatus looks the status up in the table. One that is not there blocks the job, unless a person wrote
// default_status.
func (w *work) deskStatus() string {
	value := fold(w.t.Status)
	if s, ok := w.m.Statuses[value]; ok {
		return s
	}
	shown := firstOf(value, "(none)")
	if w.m.DefaultStatus != "" {
		if value != "" {
			w.find(sources.Warning, codeStatusDefault, shown, "status %q is not in statuses and becomes %s", shown, w.m.DefaultStatus)
		}
		return w.m.DefaultStatus
	}
	if value == "" {
		w.find(sources.BlocksJob, codeStatus, shown, "the status is empty, and mapping.statuses has no line for that; write \"\": and what it becomes (active, pending, closed, spam, exclude), or set default_status")
		return "closed"
	}
	w.find(sources.BlocksJob, codeStatus, shown, "status %s is not in mapping.statuses; say what it becomes (active, pending, closed, spam, exclude), or set default_status", strconv.Quote(shown))
	return "closed"
}

// mailStatus goes by labels that the statuses table names, then by the rules for live threads; the rest is
// default_status, and closed where that is absent.
func (w *work) mailStatus() string {
	for _, want := range [...]string{"exclude", "spam", "active", "pending", "closed"} {
		for _, l := range w.m.statusLabels {
			if w.m.Statuses[l] == want && w.bears(l) {
				if want == "exclude" || want == "spam" {
					w.exclude("label " + l)
				}
				return want
			}
		}
	}
	if w.mailLive() {
		return "active"
	}
	return firstOf(w.m.DefaultStatus, "closed")
}

func (w *work) mailLive() bool {
	live := w.m.Live
	if live.isZero() {
		return false
	}
	if len(live.Labels) > 0 && !slices.ContainsFunc(live.Labels, w.bears) {
		return false
	}
	last := w.lastSpoken()
	switch live.LastFrom {
	case "customer":
		if last == nil || last.side != sideCustomer {
			return false
		}
	case "agent":
		if last == nil || last.side != sideReply {
			return false
		}
	}
	return live.NewerThan == 0 || w.within(time.Duration(live.NewerThan))
}

// last is the newest message, or nil.
func (w *work) last() *entry {
	if len(w.entries) == 0 {
		return nil
	}
	return w.entries[len(w.entries)-1]
}

// lastSpoken is the newest message that is no note, or nil.
func (w *work) lastSpoken() *entry {
	for i := len(w.entries) - 1; i >= 0; i-- {
		if w.entries[i].side != sideNote {
			return w.entries[i]
		}
	}
	return nil
}

// within reports whether the last message is at most d older than the source's newest. Without a newest, nothing is.
func (w *work) within(d time.Duration) bool {
	last := w.last()
	return last != nil && !w.m.newest.IsZero() && w.m.newest.Sub(last.at) <= d
}

func (w *work) inactive() bool {
	return w.t.Kind == sources.Desk && w.m.CloseInactive > 0 && !w.m.newest.IsZero() && len(w.entries) > 0 && !w.within(w.m.CloseInactive)
}

func (w *work) unanswered() bool {
	last := w.lastSpoken()
	return last != nil && last.side == sideCustomer && w.within(unansweredWithin)
}

// closedAt is when a closed conversation was closed: the source's time, else that of its last thread, never before it
// began.
func (w *work) closedAt(last bool, begun, ended time.Time) time.Time {
	at := ended
	if c := usableTime(w.t.ClosedAt); last && !c.IsZero() {
		at = c
		if at.Before(begun) {
			w.find(sources.Warning, codeClosedEarly, "", "it was closed on %s, before its first message; the closing time becomes that of the message", at.Format(time.RFC3339))
		}
	}
	if at.Before(begun) {
		return begun
	}
	return at
}
