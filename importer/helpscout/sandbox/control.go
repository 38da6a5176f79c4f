package sandbox

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// The control endpoints live under /_sandbox/, which the real service does not have. They need no token and cost no
// quota. A page of another origin may not use them.
//
//	GET  /_sandbox/dump                     the whole truth: see State; ?conversations=no leaves the conversations out
//	GET  /_sandbox/stats                    the counters alone
//	GET  /_sandbox/calls                    the last calls
//	POST /_sandbox/reset                    the account as it was at the start
//	GET, PUT /_sandbox/settings             {"quota-limit":"200", ...}; those that are absent stay
//	GET, PUT, DELETE /_sandbox/faults       a script, as text
//	POST /_sandbox/tokens/revoke            ends all access tokens
//	POST /_sandbox/people/ACTION            somebody acts: see Action
type controlHandler func(s *Sandbox, body []byte, q url.Values) (any, error)

var controls = map[string]controlHandler{
	"GET dump": func(s *Sandbox, _ []byte, q url.Values) (any, error) {
		if q.Get("conversations") == "no" {
			return &State{Time: time.Now().UTC(), Stats: s.Stats(), Deliveries: s.Deliveries()}, nil
		}
		return s.Dump(), nil
	},
	"GET stats":          func(s *Sandbox, _ []byte, _ url.Values) (any, error) { return s.Stats(), nil },
	"GET calls":          func(s *Sandbox, _ []byte, _ url.Values) (any, error) { return s.Calls(), nil },
	"POST reset":         func(s *Sandbox, _ []byte, _ url.Values) (any, error) { return nil, s.Reset() },
	"GET settings":       func(s *Sandbox, _ []byte, _ url.Values) (any, error) { return s.allSettings(), nil },
	"PUT settings":       (*Sandbox).putSettings,
	"POST settings":      (*Sandbox).putSettings,
	"PATCH settings":     (*Sandbox).putSettings,
	"GET faults":         func(s *Sandbox, _ []byte, _ url.Values) (any, error) { return s.script(), nil },
	"PUT faults":         (*Sandbox).putFaults,
	"POST faults":        (*Sandbox).putFaults,
	"DELETE faults":      func(s *Sandbox, _ []byte, _ url.Values) (any, error) { s.SetFaults(nil); return nil, nil },
	"POST tokens/revoke": func(s *Sandbox, _ []byte, _ url.Values) (any, error) { s.RevokeTokens(); return nil, nil },
}

// Action is what POST /_sandbox/people/ACTION takes; which fields count depends on the action: retitle (subject), move
// (mailboxId), merge (into), reply, note, customer-reply (text), status, assign (assignee), tag (tags), delete,
// workflow (a Workflow), native (a Native), competitor (share).
type Action struct {
	ID       int64    `json:"id"` // the conversation
	User     int64    `json:"user"`
	Into     int64    `json:"into"`
	Mailbox  int64    `json:"mailboxId"`
	Assignee int64    `json:"assignee"`
	Subject  string   `json:"subject"`
	Text     string   `json:"text"`
	Status   string   `json:"status"`
	Tags     []string `json:"tags"`
	Share    float64  `json:"share"`
}

func (s *Sandbox) serveControl(r *http.Request) reply {
	if o := r.Header.Get("Origin"); o != "" {
		if u, err := url.Parse(o); err != nil || u.Host != r.Host {
			return controlReply(http.StatusForbidden, map[string]string{"error": "not for pages of another origin"})
		}
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, 16<<20))
	if err != nil {
		return controlReply(http.StatusBadRequest, map[string]string{"error": err.Error()})
	}
	path := strings.Trim(strings.TrimPrefix(r.URL.Path, "/_sandbox"), "/")
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	if path == "" {
		list := make([]string, 0, len(controls)+1)
		for k := range controls {
			list = append(list, k)
		}
		slices.Sort(list)
		return controlReply(http.StatusOK, append(list, "POST people/ACTION"))
	}
	var v any
	if action, ok := strings.CutPrefix(path, "people/"); ok && method == http.MethodPost {
		v, err = s.people(action, body)
	} else if h := controls[method+" "+path]; h != nil {
		v, err = h(s, body, r.URL.Query())
	} else {
		return controlReply(http.StatusNotFound, map[string]string{"error": "no such control: " + method + " " + path})
	}
	if err != nil {
		return controlReply(http.StatusBadRequest, map[string]string{"error": err.Error()})
	}
	if text, ok := v.(string); ok {
		return reply{status: http.StatusOK, typ: plainType, body: []byte(text), header: map[string]string{}}
	}
	if v == nil {
		return reply{status: http.StatusNoContent, header: map[string]string{}}
	}
	return controlReply(http.StatusOK, v)
}

func controlReply(status int, v any) reply {
	return reply{status: status, typ: jsonType, body: append(encode(v), '\n'), header: map[string]string{"Cache-Control": "no-store"}}
}

func (s *Sandbox) allSettings() map[string]string {
	set := s.Settings()
	all := map[string]string{}
	for _, st := range SettingNames() {
		all[st.Name], _ = set.Get(st.Name)
	}
	return all
}

func (s *Sandbox) putSettings(body []byte, _ url.Values) (any, error) {
	var sent map[string]any
	if err := json.Unmarshal(body, &sent); err != nil {
		return nil, fmt.Errorf("settings: %w", err)
	}
	set := s.Settings()
	for name, v := range sent {
		if f, ok := v.(float64); ok && f == float64(int64(f)) {
			v = int64(f)
		}
		if err := set.Set(name, fmt.Sprint(v)); err != nil {
			return nil, err
		}
	}
	s.Configure(func(now *Settings) { *now = set })
	return s.allSettings(), nil
}

func (s *Sandbox) script() string {
	j := s.now.Load().fault.Load()
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.rules) == 0 {
		return ""
	}
	return j.rules.String() + "\n"
}

func (s *Sandbox) putFaults(body []byte, _ url.Values) (any, error) {
	rules, err := ParseFaults(string(body))
	if err != nil {
		return nil, err
	}
	s.SetFaults(rules)
	return nil, nil
}

// people lets somebody act.
func (s *Sandbox) people(action string, body []byte) (any, error) {
	var a Action
	if err := json.Unmarshal(body, &a); err != nil {
		return nil, fmt.Errorf("people/%s: %w", action, err)
	}
	told := func(id int64, err error) (any, error) { return map[string]int64{"id": id}, err }
	switch action {
	case "retitle":
		return nil, s.Retitle(a.ID, a.Subject)
	case "move":
		return nil, s.Move(a.ID, a.Mailbox)
	case "merge":
		return nil, s.Merge(a.ID, a.Into)
	case "reply":
		return told(s.Reply(a.ID, a.User, a.Text))
	case "note":
		return told(s.Note(a.ID, a.User, a.Text))
	case "customer-reply":
		return told(s.CustomerReply(a.ID, a.Text))
	case "status":
		return nil, s.SetStatus(a.ID, a.Status)
	case "assign":
		return nil, s.Assign(a.ID, a.Assignee)
	case "tag":
		return nil, s.Tag(a.ID, a.Tags...)
	case "delete":
		return nil, s.DeleteConversation(a.ID)
	case "competitor":
		s.SetCompetitor(a.Share)
		return nil, nil
	case "native":
		var n Native
		if err := json.Unmarshal(body, &n); err != nil {
			return nil, fmt.Errorf("people/native: %w", err)
		}
		return told(s.AddNative(n))
	case "workflow":
		var f Workflow
		if err := json.Unmarshal(body, &f); err != nil {
			return nil, fmt.Errorf("people/workflow: %w", err)
		}
		return told(s.AddWorkflow(f))
	}
	return nil, fmt.Errorf("people/%s: nobody does that; see the package documentation", action)
}
