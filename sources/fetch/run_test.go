package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"hsimport/sources"
)

// naming is a source whose tickets name addresses, and a record that cannot be read.
func naming(dir string, hosts Hosts, urls ...string) func(context.Context) iter.Seq2[*sources.Ticket, error] {
	return func(ctx context.Context) iter.Seq2[*sources.Ticket, error] {
		return func(yield func(*sources.Ticket, error) bool) {
			desk, err := OpenDesk(dir, hosts)
			if err != nil {
				yield(nil, err)
				return
			}
			defer desk.Close()
			for i, url := range urls {
				if ctx.Err() != nil {
					yield(nil, ctx.Err())
					return
				}
				m := &sources.Message{Body: `<img src="` + url + `">`, Format: sources.HTML}
				a := &sources.Attachment{Position: sources.Position{File: "a.csv", Line: i + 1}}
				desk.Fill(a, url)
				m.Attachments = []*sources.Attachment{a}
				desk.Attach(m)
				if !yield(&sources.Ticket{Messages: []*sources.Message{m}}, nil) {
					return
				}
			}
			yield(nil, &sources.RecordError{Err: errors.New("damaged")})
		}
	}
}

// What is there is not asked for again; a refusal is believed until somebody says otherwise; an outage is not.
func TestRun(t *testing.T) {
	var asked atomic.Int32
	mended := false
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		switch {
		case strings.HasPrefix(r.URL.Path, "/gone") && !mended:
			w.WriteHeader(http.StatusGone)
		case strings.HasPrefix(r.URL.Path, "/down") && !mended:
			w.WriteHeader(http.StatusBadGateway)
		default:
			io.WriteString(w, r.URL.Path)
		}
	}))
	defer s.Close()
	dir := filepath.Join(t.TempDir(), "fetched")
	urls := []string{s.URL + "/a.txt", s.URL + "/a.txt", s.URL + "/gone.txt", s.URL + "/down.txt", "https://other.example/x.png", "nothing"}
	job := &Job{
		Tickets: naming(dir, Hosts{"127.0.0.1"}, urls...), Folder: dir,
		Options: Options{Hosts: Hosts{"127.0.0.1"}, AllowPrivate: true, PerSecond: 1000, Pause: 1},
	}
	if r, err := job.Survey(t.Context()); err != nil || r.Files != 4 || r.Left != 4 || r.Skipped != 1 {
		t.Fatalf("before: %+v, %v", r, err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Error("the survey has made the folder")
	}
	for i, tt := range []struct {
		retry, mend bool
		want        Report
		asked       int32
	}{
		{want: Report{Files: 4, Fetched: 1, Failed: 3, Bytes: 6, Skipped: 1}, asked: 1 + 1 + 3},
		{want: Report{Files: 4, Here: 1, Failed: 3, Skipped: 1}, asked: 3},
		{mend: true, want: Report{Files: 4, Here: 1, Fetched: 1, Bytes: 9, Failed: 2, Skipped: 1}, asked: 1},
		{retry: true, want: Report{Files: 4, Here: 2, Fetched: 1, Bytes: 9, Failed: 1, Skipped: 1}, asked: 1},
		{retry: true, want: Report{Files: 4, Here: 3, Failed: 1, Skipped: 1}},
	} {
		asked.Store(0)
		mended = mended || tt.mend
		job.RetryFailed = tt.retry
		var failures []Failure
		job.Found = func(f Failure) { failures = append(failures, f) }
		r, err := job.Run(t.Context())
		if err != nil || r.Check() != nil {
			t.Fatal(err, r.Check())
		}
		if len(failures) != r.Failed {
			t.Errorf("run %d: %d failures told, %d counted", i, len(failures), r.Failed)
		}
		r.Hosts, r.Reasons = nil, nil
		if fmt.Sprint(*r) != fmt.Sprint(tt.want) || asked.Load() != tt.asked {
			t.Errorf("run %d: %+v after %d requests, want %+v after %d", i, *r, asked.Load(), tt.want, tt.asked)
		}
	}
}

// A host that gives no answer is left alone after a while, and what is left is not counted as refused.
func TestSilentHost(t *testing.T) {
	var asked atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer s.Close()
	var urls []string
	for i := range 100 {
		urls = append(urls, fmt.Sprintf("%s/%d.png", s.URL, i))
	}
	dir := t.TempDir()
	job := &Job{
		Tickets: naming(dir, nil, urls...), Folder: dir,
		Options: Options{Hosts: Hosts{"127.0.0.1"}, AllowPrivate: true, PerSecond: 1e5, Pause: 1},
	}
	r, err := job.Run(t.Context())
	if err != nil || r.Check() != nil || r.Failed < patience || r.Failed > patience+workers+1 || len(r.Silent()) != 1 {
		t.Errorf("%+v, %v, %v", r, err, r.Check())
	}
	if n := asked.Load(); n > 3*(patience+workers+1) {
		t.Errorf("%d requests to a host that is down", n)
	}
}

// A job that is stopped at any request goes on with what is missing: in the end each file has come, and none was
// stored twice or left half.
func TestStoppedAnywhere(t *testing.T) {
	const files = 12
	for stop := int32(1); stop <= files; stop += 3 {
		var asked atomic.Int32
		ctx, cancel := context.WithCancel(t.Context())
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, strings.Repeat("x", 100))
			w.(http.Flusher).Flush()
			if asked.Add(1) == stop {
				cancel() // half a file has gone out
			}
			io.WriteString(w, r.URL.Path)
		}))
		var urls []string
		for i := range files {
			urls = append(urls, fmt.Sprintf("%s/%d.txt", s.URL, i))
		}
		dir := t.TempDir()
		job := &Job{
			Tickets: naming(dir, nil, urls...), Folder: dir,
			Options: Options{Hosts: Hosts{"127.0.0.1"}, AllowPrivate: true, PerSecond: 1e5, Pause: 1},
		}
		r, err := job.Run(ctx)
		if !errors.Is(err, context.Canceled) || r.Check() != nil || r.Left == 0 {
			t.Errorf("stopped at %d: %+v, %v", stop, r, err)
		}
		if err := os.WriteFile(filepath.Join(dir, "objects", "part-left"), []byte("half"), 0o644); err != nil {
			t.Fatal(err)
		}
		again, err := job.Run(t.Context())
		if err != nil || again.Here != r.Fetched || again.Fetched != files-r.Fetched {
			t.Errorf("after a stop at %d: %+v, %v", stop, again, err)
		}
		if objects, _ := filepath.Glob(filepath.Join(dir, "objects", "??", "*")); len(objects) != files {
			t.Errorf("%d contents, want %d", len(objects), files)
		}
		if left, _ := filepath.Glob(filepath.Join(dir, "objects", tempName)); len(left) != 0 {
			t.Errorf("%v is left", left)
		}
		s.Close()
	}
}
