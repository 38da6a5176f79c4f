package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"hsimport/importer/helpscout/sandbox"
)

// dated is a server whose clock is behind ours by what skewed says.
type dated struct {
	http.Handler
	behind atomic.Int64
}

func (d *dated) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if n := d.behind.Load(); n != 0 {
		w.Header().Set("Date", time.Now().Add(-time.Duration(n)).UTC().Format(http.TimeFormat))
	}
	d.Handler.ServeHTTP(w, r)
}

// scriptSkewed sets how far this machine's clock is ahead of the server's.
func scriptSkewed(ts *testscript.TestScript, neg bool, args []string) {
	d, err := time.ParseDuration(args[0])
	ts.Check(err)
	theAccount(ts).clock.behind.Store(int64(d))
}

// scriptNative lets a mail arrive, and gives it to a user.
func scriptNative(ts *testscript.TestScript, neg bool, args []string) {
	user, err := strconv.ParseInt(args[0], 10, 64)
	ts.Check(err)
	box := theAccount(ts).box
	id, err := box.AddNative(sandbox.Native{Email: "someone@customers.example", Subject: "came by mail", CreatedAt: time.Now()})
	ts.Check(err)
	ts.Check(box.Assign(id, user))
}

// scriptWorkflow puts active automatic workflows into the account, which act on nothing.
func scriptWorkflow(ts *testscript.TestScript, neg bool, args []string) {
	for _, name := range args {
		_, err := theAccount(ts).box.AddWorkflow(sandbox.Workflow{Name: name, Query: `(tag:"never")`})
		ts.Check(err)
	}
}

// scriptWebhook subscribes an address.
func scriptWebhook(ts *testscript.TestScript, neg bool, args []string) {
	body, err := json.Marshal(map[string]any{"url": args[0], "events": []string{"convo.created"}, "secret": "hook"})
	ts.Check(err)
	box := theAccount(ts).box
	call := func(path string, body []byte, token string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodPost, path, bytes.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		box.ServeHTTP(w, r)
		return w
	}
	var token struct {
		Access string `json:"access_token"`
	}
	ts.Check(json.Unmarshal(call("/v2/oauth2/token?grant_type=client_credentials&client_id=a&client_secret=b", nil, "").Body.Bytes(), &token))
	if w := call("/v2/webhooks", body, token.Access); w.Code != http.StatusCreated {
		ts.Fatalf("webhook: %d %s", w.Code, w.Body)
	}
}
