package fetch

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"hsimport/sources"
)

// desk is an old desk with a file, a login page and some troubles.
func desk(t *testing.T) (url string, asked *atomic.Int32) {
	t.Helper()
	asked = new(atomic.Int32)
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Token") != "" {
			t.Error("the desk's token went to another host")
		}
		io.WriteString(w, "from elsewhere")
	}))
	t.Cleanup(other.Close)
	elsewhere := strings.Replace(other.URL, "127.0.0.1", "localhost", 1)
	mux := http.NewServeMux()
	mux.HandleFunc("/file.png", func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.Header.Get("X-Token") != "secret" {
			t.Error("the token is missing")
		}
		w.Header().Set("Content-Type", "image/png")
		w.Header().Set("Content-Disposition", `attachment; filename="../shot.png"`)
		io.WriteString(w, "png")
	})
	mux.HandleFunc("/login.png", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		io.WriteString(w, "<form>")
	})
	mux.HandleFunc("/big", func(w http.ResponseWriter, r *http.Request) {
		for range 100 {
			io.WriteString(w, strings.Repeat("x", 100))
			w.(http.Flusher).Flush()
		}
	})
	mux.HandleFunc("/cut", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "1000")
		io.WriteString(w, "x")
	})
	mux.HandleFunc("/moody", func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		io.WriteString(w, "at last")
	})
	mux.HandleFunc("/away", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere, http.StatusFound) })
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.URL, asked
}

func fetcher(t *testing.T, dir string, private bool) *Fetcher {
	t.Helper()
	store, err := Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return New(store, Options{
		Hosts: []string{"127.0.0.1"}, Headers: map[string]http.Header{"127.0.0.1": {"X-Token": {"secret"}}}, MaxSize: 1000, PerSecond: 1000, AllowPrivate: private,
		Pause: 1,
	})
}

func TestGet(t *testing.T) {
	base, _ := desk(t)
	f := fetcher(t, t.TempDir(), true)
	for _, tt := range []struct{ path, content, failure string }{
		{"/file.png", "png", ""},
		{"/login.png", "", "the server sent a web page instead of a file; a login page?"},
		{"/big", "", "it has more than the 1000 bytes allowed"},
		{"/none", "", "the server answered 404 Not Found; the link may have expired"},
		{"/away", "from elsewhere", ""},
	} {
		o, err := f.Get(context.Background(), base+tt.path)
		if err != nil || o.Failure != tt.failure {
			t.Errorf("%s: %+v, %v", tt.path, o, err)
			continue
		}
		if tt.failure != "" {
			continue
		}
		r, err := f.store.Content(o.SHA256)
		if err != nil {
			t.Fatal(err)
		}
		data, _ := io.ReadAll(r)
		r.Close()
		if string(data) != tt.content || o.Size != int64(len(data)) {
			t.Errorf("%s: %q, %+v", tt.path, data, o)
		}
	}
	if o, _ := f.store.Find(base + "/file.png"); o.Name != "shot.png" || o.MIMEType != "image/png" {
		t.Errorf("object %+v", o)
	}
	if left, _ := filepath.Glob(filepath.Join(f.store.dir, "objects", "part-*")); len(left) != 0 {
		t.Errorf("%v is left", left)
	}
}

// Passing troubles are tried again; a transfer that breaks off gives no file.
func TestGetTriesAgain(t *testing.T) {
	base, asked := desk(t)
	f := fetcher(t, t.TempDir(), true)
	if o, err := f.Get(context.Background(), base+"/moody"); err != nil || o.Failure != "" || asked.Load() != 2 {
		t.Errorf("%+v, %v after %d requests", o, err, asked.Load())
	}
	if o, err := f.Get(context.Background(), base+"/cut"); err != nil || !strings.HasPrefix(o.Failure, "the transfer broke off") || o.SHA256 != "" {
		t.Errorf("%+v, %v", o, err)
	}
}

// What is in the store is not asked for again, also by a later run, also after a crash has cut the log's last line.
func TestFetchedOnce(t *testing.T) {
	base, asked := desk(t)
	dir := t.TempDir()
	f := fetcher(t, dir, true)
	for range 2 {
		if o, err := f.Get(context.Background(), base+"/file.png"); err != nil || o.Failure != "" {
			t.Fatal(o, err)
		}
	}
	log := filepath.Join(dir, logName)
	data, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(log, append(data, `{"url":"http://x`...), 0o644); err != nil {
		t.Fatal(err)
	}
	later := fetcher(t, dir, true)
	if o, err := later.Get(context.Background(), base+"/file.png"); err != nil || o.Size != 3 || asked.Load() != 1 {
		t.Errorf("%+v, %v after %d requests", o, err, asked.Load())
	}
	if _, err := later.Get(context.Background(), base+"/none"); err != nil {
		t.Fatal(err)
	}
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if o, ok := s.Find(base + "/none"); !ok || o.Failure == "" {
		t.Errorf("after the cut line comes %+v", o)
	}
}

// Private addresses and hosts that were not named are never contacted.
func TestNeverInside(t *testing.T) {
	base, asked := desk(t)
	f := fetcher(t, t.TempDir(), false)
	for url, want := range map[string]string{
		base + "/file.png":           "it leads to a private address",
		"http://other.example/x":     "its host other.example is not among the hosts that may be asked",
		"file:///etc/passwd":         "it is no http or https address",
		"http://127.0.0.1.evil.test": "its host 127.0.0.1.evil.test is not among the hosts that may be asked",
	} {
		if o, err := f.Get(context.Background(), url); err != nil || o.Failure != want {
			t.Errorf("%s: %+v, %v", url, o, err)
		}
	}
	if asked.Load() != 0 {
		t.Errorf("%d requests arrived", asked.Load())
	}
}

func TestHosts(t *testing.T) {
	f := New(nil, Options{Hosts: []string{"desk.example", ".cdn.example"}})
	for host, want := range map[string]bool{
		"desk.example": true, "a.desk.example": false, "cdn.example": true, "a.cdn.example": true, "evilcdn.example": false,
	} {
		req, err := http.NewRequest(http.MethodGet, "https://"+host+"/x", nil)
		if err != nil {
			t.Fatal(err)
		}
		if f.o.Hosts.Hold(req.URL.Hostname()) != want {
			t.Errorf("%s: allowed is %v", host, !want)
		}
	}
}

func TestOpenNeedsAStore(t *testing.T) {
	if _, err := Open(t.TempDir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}

func TestGuard(t *testing.T) {
	f := New(nil, Options{})
	for address, private := range map[string]bool{
		"127.0.0.1:80": true, "10.1.2.3:443": true, "169.254.169.254:80": true, "192.168.0.1:80": true, "100.64.0.1:80": true,
		"0.0.0.0:80": true, "[::1]:80": true, "[fd00::1]:80": true, "[fe80::1]:80": true, "[::ffff:10.0.0.1]:80": true,
		"[64:ff9b::a00:1]:80": true, "93.184.216.34:443": false, "[2606:2800:220:1::1]:443": false,
	} {
		if err := f.guard(context.Background(), "tcp", address, nil); (err != nil) != private {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// Headers go to the host that they are for and to no other, and never where they could be read on the way.
func TestHeadersStayHome(t *testing.T) {
	f := New(nil, Options{Headers: map[string]http.Header{
		"desk.example": {"X-Token": {"exact"}}, ".desk.example": {"X-Token": {"domain"}, "Cookie": {"c"}},
	}})
	for url, want := range map[string]string{
		"https://desk.example/a": "exact", "https://DESK.example:8443/": "exact", "https://a.desk.example/": "domain",
		"http://desk.example/": "", "https://desk.example.evil.test/": "", "https://evildesk.example/": "",
	} {
		req, err := http.NewRequest(http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Token", "from the request before")
		if f.dress(req); req.Header.Get("X-Token") != want || req.Header.Get("Cookie") == "c" != (want == "domain") {
			t.Errorf("%s: headers %v, want %q", url, req.Header, want)
		}
	}
}

// A redirect tells nobody where it comes from: the address may hold a token.
func TestNoReferer(t *testing.T) {
	var seen http.Header
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/end" {
			seen = r.Header.Clone()
			return
		}
		http.Redirect(w, r, "/end", http.StatusFound)
	}))
	defer s.Close()
	f := fetcher(t, t.TempDir(), true)
	if o, err := f.Get(t.Context(), s.URL+"/start?token=secret"); err != nil || o.Failure != "" {
		t.Fatal(o, err)
	}
	if seen.Get("Referer") != "" {
		t.Errorf("the next host is told %s", seen.Get("Referer"))
	}
}

// A page to sign in is no file, whatever it calls itself; a page that was asked for is one.
func TestSignInPages(t *testing.T) {
	const form = `<!doctype html><form><input name=p type="password"></form>`
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/page.html":
			io.WriteString(w, "<!doctype html><p>an article</p>")
		case "/kept.html":
			w.Header().Set("Content-Disposition", "attachment; filename=kept.html")
			io.WriteString(w, form)
		case "/a.bin":
			w.Header().Set("Content-Type", "application/octet-stream")
			io.WriteString(w, form)
		case "/moved.html":
			http.Redirect(w, r, "/login.html", http.StatusFound)
		default:
			io.WriteString(w, form)
		}
	}))
	defer s.Close()
	f := fetcher(t, t.TempDir(), true)
	for path, file := range map[string]bool{
		"/page.html": true, "/kept.html": true, "/a.bin": false, "/moved.html": false, "/file.html": false, "/attachments/7": false,
	} {
		o, err := f.Get(t.Context(), s.URL+path)
		if err != nil || (o.Failure == "") != file {
			t.Errorf("%s: %+v, %v", path, o, err)
		}
	}
}

// A log that was damaged by whatever cause never leads out of the folder, nor to a content that is not whole.
func TestDamagedStore(t *testing.T) {
	dir := t.TempDir()
	sha := strings.Repeat("a", 64)
	log := `{"url":"https://d.example/1","sha256":"../../../../etc/passwd"}` + "\n" +
		`{"url":"https://d.example/2","sha256":"` + sha + `","size":5}` + "\n" +
		strings.Repeat("x", maxLine+10) + "\n" +
		`{"url":"https://d.example/3","sha256":"` + sha + `","size":3}`
	if err := os.MkdirAll(filepath.Join(dir, "objects", "aa"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{logName: log, "objects/aa/" + sha: "abc"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	d, err := OpenDesk(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	for url, whole := range map[string]bool{"https://d.example/1": false, "https://d.example/2": false, "https://d.example/3": true, "https://d.example/4": false} {
		a := &sources.Attachment{}
		if d.Fill(a, url); (a.Missing == "") != whole || a.Missing == "" != (a.Open != nil) {
			t.Errorf("%s: %+v", url, a)
		}
	}
}

func FuzzReferences(f *testing.F) {
	f.Add(`<img src="https://desk.example/a?x=1&amp;y=2"> <a href='https://desk.example/attachments/7/?name=../b.txt'>`)
	f.Add("see https://desk.example/x.pdf, https://desk.example/y.pdf.")
	d := &Desk{hosts: Hosts{".desk.example"}}
	f.Fuzz(func(t *testing.T, body string) {
		for _, format := range []sources.Format{sources.Text, sources.HTML} {
			seen := map[string]bool{}
			for _, ref := range d.References(body, format) {
				if host := HostOf(ref.URL); seen[ref.URL] || !d.hosts.Hold(host) {
					t.Errorf("%q: %q again, or of another host", body, ref.URL)
				}
				if seen[ref.URL] = true; ref.Name == "" || strings.ContainsAny(ref.Name, `/\`) {
					t.Errorf("%q: name %q", body, ref.Name)
				}
			}
		}
	})
}
