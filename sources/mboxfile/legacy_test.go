package mboxfile

import (
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"hsimport/sources/fetch"
)

// Images of an old desk in a mail are attachments: with their content once they were fetched, under the same key and
// digest as before.
func TestLegacyHosts(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "image/png")
		io.WriteString(w, "png")
	}))
	defer server.Close()
	mail := "From: a@b.example\nDate: Mon, 1 Jan 2024 00:00:00 +0000\nMessage-ID: <1@b.example>\nContent-Type: text/html\n\n" +
		`<p><img src="` + server.URL + `/1"> <img src="https://other.example/2.png"></p>` + "\n"
	dir := tree(t, map[string]string{"a.eml": mail})
	o := Options{Paths: []string{filepath.Join(dir, "a.eml")}, LegacyHosts: []string{"127.0.0.1"}, Cache: filepath.Join(dir, "fetched")}
	read := func() (key, digest, missing, name string) {
		s, err := Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		tk, err := s.Ticket(t.Context(), 0)
		if err != nil || len(tk.Messages[0].Attachments) != 1 {
			t.Fatalf("%+v, %v", tk, err)
		}
		m := tk.Messages[0]
		return string(m.Key), m.Digest, m.Attachments[0].Missing, m.Attachments[0].Name
	}
	key, digest, missing, _ := read()
	if missing == "" {
		t.Error("there is a content before anything was fetched")
	}
	store, err := fetch.Create(o.Cache)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if got, err := fetch.New(store, fetch.Options{Hosts: o.LegacyHosts, AllowPrivate: true}).Get(t.Context(), server.URL+"/1"); err != nil || got.Failure != "" {
		t.Fatal(got, err)
	}
	if k, d, missing, name := read(); k != key || d != digest || missing != "" || name != "1.png" {
		t.Errorf("after fetching: %s %s %q %s", k, d, missing, name)
	}
}
