package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

type deskKey struct{}

// An oldDesk serves files: below /gone none, below /login a page to sign in, below /secure only with a header, below
// /away by a redirect to another name of the same machine, below /down nothing the first three times that it
// is not held, and anything else.
type oldDesk struct {
	server *httptest.Server
	held   chan struct{} // nil: it answers at once

	mu     sync.Mutex
	asked  int
	down   int  // of these, below /down
	leaked bool // a header came to another name
}

func (d *oldDesk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	host, port, _ := strings.Cut(r.Host, ":")
	d.mu.Lock()
	d.asked++
	d.leaked = d.leaked || host != "localhost" && r.Header.Get("Authorization") != ""
	held := d.held
	if strings.HasPrefix(r.URL.Path, "/down/") && held == nil { // how often one that is killed asks is chance
		d.down++
	}
	down := d.down
	d.mu.Unlock()
	switch strings.Split(r.URL.Path, "/")[1] {
	case "gone":
		w.WriteHeader(http.StatusGone)
		return
	case "down":
		if down <= 3 {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
	case "login":
		fmt.Fprint(w, `<html><form><input type="password"></form></html>`)
		return
	case "away":
		http.Redirect(w, r, "http://127.0.0.1:"+port+"/there.png", http.StatusFound)
		return
	case "secure":
		if r.Header.Get("Authorization") != "Basic sesame" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
	}
	w.Header().Set("Content-Type", "image/png")
	fmt.Fprint(w, "\x89PNG\r\n\x1a\n")
	w.(http.Flusher).Flush()
	if held != nil { // half of it is on its way
		select {
		case <-held:
		case <-r.Context().Done():
		}
	}
	fmt.Fprint(w, r.URL.Path)
}

func scriptDesk(ts *testscript.TestScript, neg bool, args []string) {
	d := ts.Value(deskKey{}).(*oldDesk)
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case len(args) == 0:
		d.server = httptest.NewServer(d)
		ts.Defer(func() {
			d.server.CloseClientConnections()
			d.server.Close()
		})
		ts.Setenv("DESK", strings.Replace(d.server.URL, "127.0.0.1", "localhost", 1))
	case args[0] == "hold":
		d.held = make(chan struct{})
	case args[0] == "release":
		close(d.held)
		d.held = nil
	default:
		ts.Fatalf("usage: desk [hold|release]")
	}
}

func scriptAsked(ts *testscript.TestScript, neg bool, args []string) {
	d := ts.Value(deskKey{}).(*oldDesk)
	text, exact := strings.CutPrefix(args[0], "=")
	if exact && text == "" {
		d.mu.Lock()
		d.asked = 0
		d.mu.Unlock()
		return
	}
	want, err := strconv.Atoi(text)
	ts.Check(err)
	for range 10000 {
		d.mu.Lock()
		got, leaked := d.asked, d.leaked
		if exact {
			d.asked = 0
		}
		d.mu.Unlock()
		switch {
		case leaked:
			ts.Fatalf("the desk's header came to another host")
		case exact && got != want:
			ts.Fatalf("the desk was asked %d times, want %d", got, want)
		case got >= want:
			return
		}
		time.Sleep(time.Millisecond)
	}
	ts.Fatalf("the desk was not asked %d times within 10 s", want)
}
