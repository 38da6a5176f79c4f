package importer_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"hsimport/importer"
	"hsimport/importer/helpscout/sandbox"
	"hsimport/mapping"
)

// between changes requests and answers on their way.
type between struct {
	rt      http.RoundTripper
	request func(*http.Request)
	answer  func(*http.Request, *http.Response)
}

func (b between) RoundTrip(r *http.Request) (*http.Response, error) {
	if b.request != nil {
		r = r.Clone(r.Context())
		b.request(r)
	}
	resp, err := b.rt.RoundTrip(r)
	if err == nil && b.answer != nil {
		b.answer(r, resp)
	}
	return resp, err
}

// rewrite changes the text of an answer.
func rewrite(resp *http.Response, f func(string) string) {
	raw, _ := io.ReadAll(resp.Body)
	raw = []byte(f(string(raw)))
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(raw)), int64(len(raw))
}

// alter makes the bench see other answers to GETs whose path contains part.
func (b *bench) alter(part string, f func(string) string) {
	b.wrap = func(rt http.RoundTripper) http.RoundTripper {
		return between{rt: rt, answer: func(r *http.Request, resp *http.Response) {
			if r.Method == "GET" && resp.StatusCode == 200 && strings.Contains(r.URL.Path, part) {
				rewrite(resp, f)
			}
		}}
	}
}

func (b *bench) created() int { return b.box.Stats().Created }

// TestCanaryIgnoredCreatedAt: a server that dates everything now gets a handful, and no second one, also when the first
// answers are lost or the first records rejected.
func TestCanaryIgnoredCreatedAt(t *testing.T) {
	for _, faults := range []string{"", "create#1-9=504,applied", "create#1-9=422", "create#1-4=422 create#5-9=504,applied"} {
		t.Run(faults, func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				b := newBench(t, many(300)...)
				b.box.Configure(func(s *sandbox.Settings) { s.IgnoreCreatedAt = true })
				b.faults(faults)
				rep := b.mustRun(importer.ExitLeft)
				if !strings.Contains(rep.Cause.Error(), "read back") {
					t.Errorf("cause: %v", rep.Cause)
				}
				wantBalanced(t, rep)
				n := b.created()
				if n > 25 {
					t.Errorf("%d conversations were written", n)
				}
				b.mustRun(importer.ExitLeft)
				if b.created() != n {
					t.Errorf("a second run wrote %d more", b.created()-n)
				}
				_ = b.box.Close()
			})
		})
	}
}

// TestCanaryDifferences: what an import must keep is read back; a server that does not keep it gets a handful.
func TestCanaryDifferences(t *testing.T) {
	for name, c := range map[string]struct {
		path     string
		old, new string
	}{
		"status":      {"/v2/conversations/", `"status":"closed"`, `"status":"active"`},
		"mailbox":     {"/v2/conversations/", `"mailboxId":`, `"mailboxId":9`},
		"thread type": {"/threads", `"type":"message"`, `"type":"note"`},
		"thread time": {"/threads", `"createdAt":"2021-03-04T09:0`, `"createdAt":"2022-03-04T09:0`},
		"file size":   {"/threads", `"size":12`, `"size":7`},
		"file gone":   {"/threads", `"attachments":[`, `"attachment":[`},
	} {
		t.Run(name, func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				tickets := many(60)
				attach(tickets[1].Messages[0], "a.txt", "a small file")
				b := newBench(t, tickets...)
				b.alter(c.path, func(s string) string { return strings.ReplaceAll(s, c.old, c.new) })
				rep := b.mustRun(importer.ExitLeft)
				wantBalanced(t, rep)
				if n := b.created(); n > 12 {
					t.Errorf("%d conversations were written", n)
				}
				n := b.created()
				b.mustRun(importer.ExitLeft)
				if b.created() != n {
					t.Errorf("a second run wrote %d more", b.created()-n)
				}
				_ = b.box.Close()
			})
		})
	}
}

// TestCanaryUploads: a server that says 201 to uploads and keeps nothing gets a few of them, though the job has passed
// its first canary long ago.
func TestCanaryUploads(t *testing.T) {
	virtual(t, func(t *testing.T) {
		b := newBench(t, many(40)...)
		b.mustRun(importer.ExitOK)
		more := many(80)[40:]
		for _, ticket := range more {
			attach(ticket.Messages[0], "large.txt", strings.Repeat("large "+ticket.ID, 20000))
		}
		b.src.add(more...)
		b.maps.InlineSize = mapping.Size(64000)
		var uploads atomic.Int64
		b.wrap = func(rt http.RoundTripper) http.RoundTripper {
			return swallow{rt, &uploads}
		}
		b.opts.KeepSent = true
		rep := b.mustRun(importer.ExitLeft)
		wantBalanced(t, rep)
		first := uploads.Load() // each of the workers may have one on its way
		if first < 1 || first > int64(b.opts.Workers) || b.created() > 55 {
			t.Errorf("%d uploads, %d conversations", first, b.created())
		}
		was := b.created()
		b.mustRun(importer.ExitLeft)
		if uploads.Load() != first || b.created() != was {
			t.Errorf("a second run: %d uploads and %d conversations more", uploads.Load()-first, b.created()-was)
		}
		_ = b.box.Close()
	})
}

// swallow answers 201 to every upload and drops it.
type swallow struct {
	rt http.RoundTripper
	n  *atomic.Int64
}

func (s swallow) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method != "POST" || !strings.HasSuffix(r.URL.Path, "/attachments") {
		return s.rt.RoundTrip(r)
	}
	s.n.Add(1)
	_, _ = io.Copy(io.Discard, r.Body)
	return &http.Response{StatusCode: 201, Status: "201 Created", Header: http.Header{}, Body: http.NoBody, Request: r, Proto: "HTTP/1.1"}, nil
}

// TestCanaryWorkflow: a workflow that acts on what is imported is noticed after the settle time; one that answers
// customers stops the run, once.
func TestCanaryWorkflow(t *testing.T) {
	t.Parallel()
	for name, w := range map[string]struct {
		flow  sandbox.Workflow
		stops bool
	}{
		"tags":    {sandbox.Workflow{Name: "tagger", AddTag: "vip"}, false},
		"replies": {sandbox.Workflow{Name: "answers", Reply: "thank you"}, true},
		"moves":   {sandbox.Workflow{Name: "mover", Move: otherMailbox}, true},
	} {
		t.Run(name, func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				b := newBench(t, many(400)...)
				b.opts.Settle = mapping.Duration(time.Minute)
				b.box.Configure(func(s *sandbox.Settings) {
					s.QuotaLimit, s.Latency, s.WorkflowDelay = 200, 200*time.Millisecond, 10*time.Second
				})
				if _, err := b.box.AddWorkflow(w.flow); err != nil {
					t.Fatal(err)
				}
				code := importer.ExitOK
				if w.stops {
					code = importer.ExitLeft
				}
				rep := b.mustRun(code)
				if !reports(rep, "touched-after-import", "workflow") {
					t.Errorf("nobody is told; findings %+v", rep.Findings.Groups())
				}
				if n := b.created(); w.stops && n > 150 {
					t.Errorf("%d conversations were sent before the run stopped", n)
				}
				b.mustRun(importer.ExitOK)
				if n := b.created(); n != 400 {
					t.Errorf("%d conversations created", n)
				}
				_ = b.box.Close()
			})
		})
	}
}

// TestDeletedBeforeTheSecondLook: a person deletes one of the first conversations before they are looked at once more. The
// run goes on, and says nothing worse than that.
func TestDeletedBeforeTheSecondLook(t *testing.T) {
	virtual(t, func(t *testing.T) {
		b := newBench(t, many(20)...)
		b.opts.Limit = 8
		b.mustRun(importer.ExitLeft)
		for c := range b.box.Conversations() {
			if err := b.box.DeleteConversation(c.ID); err != nil {
				t.Fatal(err)
			}
			break
		}
		time.Sleep(5 * time.Second)
		b.opts.Limit = 0
		rep := b.mustRun(importer.ExitOK)
		if rep.Summary.Conversations.Pending != 0 {
			t.Errorf("%+v", rep.Summary.Conversations)
		}
		_ = b.box.Close()
	})
}
