package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"hsimport/configs"
	"hsimport/importer"
	"hsimport/importer/helpscout/sandbox"
)

// A witness stands before the sandbox and keeps what the account is sent: the bodies of create calls and the files.
type witness struct {
	http.Handler
	mu      sync.Mutex
	bodies  []string
	uploads []string
}

var (
	createPath = regexp.MustCompile(`^/v2/conversations/?$`)
	uploadPath = regexp.MustCompile(`^/v2/conversations/\d+/threads/\d+/attachments$`)
	partLink   = regexp.MustCompile(`(<p>continues <a href=\\?")[^"\\]*`)
)

func (w *witness) ServeHTTP(out http.ResponseWriter, in *http.Request) {
	if in.Method == http.MethodPost && (createPath.MatchString(in.URL.Path) || uploadPath.MatchString(in.URL.Path)) {
		raw, err := io.ReadAll(in.Body)
		if err != nil {
			http.Error(out, err.Error(), http.StatusBadRequest)
			return
		}
		in.Body = io.NopCloser(bytes.NewReader(raw))
		w.mu.Lock()
		if createPath.MatchString(in.URL.Path) {
			w.bodies = append(w.bodies, symbolic(raw))
		} else {
			w.uploads = append(w.uploads, symbolic(raw))
		}
		w.mu.Unlock()
	}
	w.Handler.ServeHTTP(out, in)
}

// symbolic puts the plan's symbols back into a body: a file by its digest, the address of the part before by its sign.
func symbolic(raw []byte) string {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var body map[string]any
	if err := d.Decode(&body); err != nil {
		return "not JSON: " + err.Error()
	}
	file := func(x any) {
		a, _ := x.(map[string]any)
		data, _ := a["data"].(string)
		if content, err := base64.StdEncoding.DecodeString(data); err == nil && !strings.HasPrefix(data, "attachment:") {
			sum := sha256.Sum256(content)
			a["data"] = "attachment:" + hex.EncodeToString(sum[:])
		}
	}
	if body["data"] != nil {
		file(body)
	}
	threads, _ := body["threads"].([]any)
	for _, th := range threads {
		t, _ := th.(map[string]any)
		files, _ := t["attachments"].([]any)
		for _, f := range files {
			file(f)
		}
		if text, ok := t["text"].(string); ok {
			t["text"] = partLink.ReplaceAllString(text, "${1}part:#")
		}
	}
	out, err := json.Marshal(body)
	if err != nil {
		return err.Error()
	}
	return string(out)
}

// planned is what a dry run says that will be sent.
func (a *app) planned(t *testing.T, config string) (bodies, uploads []string, rep *importer.Report) {
	t.Helper()
	c, err := a.loadDecided(config)
	if err != nil {
		t.Fatal(err)
	}
	job, _, err := a.job(t.Context(), c)
	if err != nil {
		return nil, nil, &importer.Report{Cause: &importer.Stop{Code: importer.ExitUsage, Err: err}}
	}
	defer job.Source.Close()
	add := func(list []string, v any) []string {
		raw, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return append(list, symbolic(raw))
	}
	job.Each = func(s importer.Seen) error {
		if s.Plan == nil || s.Plan.Refused != "" {
			return nil
		}
		for _, part := range s.Plan.Parts {
			bodies = add(bodies, part.Conversation)
			for _, u := range part.Uploads {
				uploads = add(uploads, u.File)
			}
		}
		return nil
	}
	return bodies, uploads, importer.DryRun(t.Context(), job)
}

// sentAsPlanned imports a job into an account of its own and holds every body it gets against the dry run's.
func sentAsPlanned(t *testing.T, config string) (conversations, files int) {
	t.Helper()
	o := sandbox.Options{Settings: sandbox.Defaults()}
	o.Settings.QuotaLimit = 0
	box, err := sandbox.New(o)
	if err != nil {
		t.Fatal(err)
	}
	defer box.Close()
	w := &witness{Handler: box}
	server := httptest.NewServer(w)
	defer server.Close()
	var said bytes.Buffer
	env := &environment{in: &bytes.Buffer{}, out: io.Discard, err: &said, lookup: func(name string) (string, bool) {
		return server.URL, name == configs.BaseURLVariable
	}}
	a := &app{env: env, ui: &ui{env: env, quiet: true}, code: new(int)}
	bodies, uploads, rep := a.planned(t, config)
	if rep.Cause != nil {
		t.Logf("%s: nothing is sent: %v", filepath.Base(config), rep.Cause)
		return 0, 0
	}
	if code := run(context.Background(), []string{"run", "-c", config, "-q"}, env); code != importer.ExitOK && code != importer.ExitRejected {
		t.Fatalf("exit %d\n%s", code, said.String())
	}
	sameLists(t, "create calls", bodies, w.bodies)
	sameLists(t, "uploads", uploads, w.uploads)
	return len(w.bodies), len(w.uploads)
}

func sameLists(t *testing.T, what string, want, got []string) {
	t.Helper()
	slices.Sort(want)
	slices.Sort(got)
	if len(want) != len(got) {
		t.Errorf("%d %s were planned, %d were made", len(want), what, len(got))
	}
	for i := range min(len(want), len(got)) {
		if want[i] != got[i] {
			t.Fatalf("%s: planned\n%s\nmade\n%s", what, shorten(want[i], 3000), shorten(got[i], 3000))
		}
	}
}

// What a dry run shows is what the account receives, byte for byte but for the plan's symbols: for the bundled sample of
// tables and of mail, and for a job that uses every feature of the mapping.
func TestWhatIsSentIsWhatWasPlanned(t *testing.T) {
	dir := t.TempDir()
	if err := writeSample(dir); err != nil {
		t.Fatal(err)
	}
	if err := hurry(dir); err != nil {
		t.Fatal(err)
	}
	for name, text := range featureFiles() {
		if err := os.MkdirAll(filepath.Join(dir, path.Dir(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for config, least := range map[string][2]int{"csv.yaml": {51, 0}, "mbox.yaml": {10, 0}, "features.yaml": {8, 1}, "json.yaml": {2, 0}} {
		conversations, files := sentAsPlanned(t, filepath.Join(dir, config))
		if conversations < least[0] || files < least[1] {
			t.Errorf("%s: only %d conversations and %d files were compared", config, conversations, files)
		}
	}
}

// featureFiles are a table and a list in JSON that together use what the mapping can do.
func featureFiles() map[string][]byte {
	rows := "id,subject,status,email,name,assignee,group,channel,tags,Priority,message,author,kind,body,format,at,files,cc\n"
	row := func(cells ...string) {
		for i, c := range cells {
			cells[i] = `"` + strings.ReplaceAll(c, `"`, `""`) + `"`
		}
		rows += strings.Join(cells, ",") + "\n"
	}
	row("1", "Héllo <b>", "open", "c1@one.example", "Cora Überlang-"+strings.Repeat("x", 50), "ada@support.example", "Tier 2", "email", "vip; old", "high", "m1", "c1@one.example", "customer", "a <b>bold</b> <script>x()</script><img src=\"https://t.example/p.gif\" width=1 height=1>", "html", "2024-01-02 10:00:00", "files/note.txt", "dan@two.example, help@support.example")
	row("1", "Héllo <b>", "open", "c1@one.example", "Cora", "ada@support.example", "Tier 2", "email", "", "high", "m2", "gone@support.example", "agent", "An answer of one who has left", "text", "2024-01-02 11:00:00", "files/large.bin", "")
	row("1", "Héllo <b>", "open", "c1@one.example", "Cora", "ada@support.example", "Tier 2", "email", "", "high", "m3", "ada@support.example", "note", "A private word", "text", "2024-01-02 11:00:00", "files/missing.pdf", "")
	row("2", "", "pending", "", "No Address", "", "", "chat", "", "", "m4", "", "customer", "hi", "text", "2024-02-01 09:00:00", "", "")
	row("2", "", "pending", "", "No Address", "", "", "chat", "", "", "m5", "ada@support.example", "agent", "hello", "text", "2024-02-01 09:00:05", "", "")
	row("3", strings.Repeat("a very long subject ", 30), "solved", "c3@three.example", "", "nobody@support.example", "", "phone", "drop me", "low", "m6", "c3@three.example", "customer", "", "text", "2024-03-01 09:00:00", "", "")
	row("4", "left out", "trash", "c4@four.example", "", "", "", "", "", "", "m7", "c4@four.example", "customer", "spam", "text", "2024-03-02 09:00:00", "", "")
	row("5", "no date", "open", "c5@five.example", "", "", "", "", "", "", "m8", "c5@five.example", "customer", "when?", "text", "", "", "")
	for i := range 130 {
		author, kind := "c6@six.example", "customer"
		if i%2 == 1 {
			author, kind = "ada@support.example", "agent"
		}
		row("6", "split", "open", "c6@six.example", "Six", "ada@support.example", "", "", "", "", fmt.Sprint("s", i), author, kind, fmt.Sprint("message ", i, "\nhttps://x.example/?a=1&b=2"), "text", fmt.Sprintf("2024-04-%02d %02d:00:00", 1+i/24, i%24), "", "")
	}
	for i := range 4 {
		row(fmt.Sprint(10+i), "same second", "closed", "c7@seven.example", "Seven", "", "", "", "", "", fmt.Sprint("q", i), "c7@seven.example", "customer", "the same words", "text", "2024-05-01 09:00:00", "", "")
	}
	return map[string][]byte{
		"features.csv": []byte(rows), "files/note.txt": []byte("a note"), "files/large.bin": bytes.Repeat([]byte{1, 2, 3}, 40_000),
		"features.yaml": []byte(featuresYAML), "list.json": []byte(listJSON), "json.yaml": []byte(jsonYAML),
	}
}

const featuresYAML = `version: 1
source:
  kind: csv
  paths: [features.csv]
  csv:
    layout: message-per-row
    time_zone: Europe/Berlin
    attachments_dir: .
    columns: {ticket_id: id, subject: subject, status: status, requester_email: email, requester_name: name, assignee_email: assignee, group: group, channel: channel, tags: tags, message_id: message, message_author_email: author, message_kind: kind, message_body: body, message_format: format, message_created_at: at, message_attachments: files, message_cc: cc}
    fields: {Priority: Priority}
helpscout: {mailbox: Support}
mapping:
  statuses: {open: active, pending: pending, solved: closed, closed: closed, trash: exclude}
  agents: {gone@support.example: ""}
  agent_domains: [support.example]
  mailbox_addresses: [help@support.example]
  fallback_user: ada@support.example
  placeholder_domain: imported.invalid
  tags: {old: legacy, drop me: ""}
  tag_prefix: "desk-"
  job_tag: imported
  legacy_reference: note
  live_cc: note
  inline_size: 64 kB
  headroom: 10
run: {settle: 200ms}
checkpoint: features.db
`

const jsonYAML = `version: 1
source:
  kind: json
  paths: [list.json]
  json:
    records: tickets[]
    user_records: users[]
    columns: {ticket_id: id, subject: subject, status: status, requester_id: requester_id, created_at: created_at, tags: "tags[]", message_id: "comments[].id", message_author_id: "comments[].author_id", message_public: "comments[].public", message_body: "comments[].html_body", message_created_at: "comments[].created_at"}
    user_columns: {user_id: id, user_name: name, user_email: email, user_role: role}
helpscout: {mailbox: Support}
mapping:
  statuses: {open: active, closed: closed}
  agent_domains: [support.example]
  fallback_user: ada@support.example
  placeholder_domain: imported.invalid
run: {settle: 200ms}
checkpoint: json.db
`

const listJSON = `{"users": [{"id": 1, "name": "Cora", "email": "cora@one.example", "role": "end-user"}, {"id": 2, "name": "Ada", "email": "ada@support.example", "role": "agent"}],
"tickets": [
  {"id": 1, "subject": "One", "status": "open", "requester_id": 1, "created_at": "2024-01-01T10:00:00Z", "tags": ["a", "b"], "comments": [
    {"id": 11, "author_id": 1, "public": true, "html_body": "<p>Hello</p>", "created_at": "2024-01-01T10:00:00Z"},
    {"id": 12, "author_id": 2, "public": false, "html_body": "<p>a note</p>", "created_at": "2024-01-01T11:00:00Z"}]},
  {"id": 2, "subject": "Two", "status": "closed", "requester_id": 1, "created_at": "2024-01-02T10:00:00Z", "tags": [], "comments": [
    {"id": 21, "author_id": 1, "public": true, "html_body": "<p>Again</p>", "created_at": "2024-01-02T10:00:00Z"}]}
]}`

// TestCorpusIsSentAsPlanned does the same with every real export below the folder that CORPUS names, each under a draft.
func TestCorpusIsSentAsPlanned(t *testing.T) {
	root := os.Getenv("CORPUS")
	if root == "" {
		t.Skip("CORPUS names no folder of real exports")
	}
	jobs := map[string][]string{}
	err := filepath.WalkDir(root, func(file string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		switch strings.ToLower(filepath.Ext(file)) {
		case ".csv":
			dir := filepath.Dir(file)
			jobs[file], jobs[dir] = []string{file}, append(jobs[dir], file)
		case ".mbox", ".mboxrd", ".json":
			jobs[file] = []string{file}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, files := range jobs {
		if len(files) == 1 && name != files[0] {
			continue
		}
		t.Run(strings.TrimPrefix(name, root+"/"), func(t *testing.T) {
			a := &app{env: &environment{lookup: os.LookupEnv}, ui: &ui{quiet: true}}
			made, err := a.ownRehearsal(t.Context(), t.TempDir(), files)
			if err != nil {
				t.Skip(err)
			}
			conversations, uploads := sentAsPlanned(t, made[0].config)
			t.Logf("%d conversations and %d files are what was planned", conversations, uploads)
		})
	}
}
