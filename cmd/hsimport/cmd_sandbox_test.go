package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hsimport/importer"
	"hsimport/importer/helpscout"
	"hsimport/importer/helpscout/sandbox"
)

// serve runs hsimport sandbox with these words on a free port, until the test ends, and returns its address.
func serve(t *testing.T, words ...string) string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	code := make(chan int, 1)
	env := &environment{in: strings.NewReader(""), out: in, err: io.Discard, lookup: func(string) (string, bool) { return "", false }}
	go func() {
		code <- run(ctx, append([]string{"sandbox", "--addr", "127.0.0.1:0"}, words...), env)
		_ = in.Close()
	}()
	t.Cleanup(func() {
		cancel()
		if c := <-code; c != importer.ExitOK {
			t.Errorf("the sandbox ended with %d", c)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	_, addr, ok := strings.Cut(strings.TrimSpace(line), " on ")
	if !ok {
		t.Fatalf("the sandbox said %q, %v", line, err)
	}
	go io.Copy(io.Discard, out)
	return addr
}

func getJSON(t *testing.T, url, token string) (v map[string]any, header http.Header) {
	t.Helper()
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(&v); err != nil {
		t.Fatalf("%s: %d %v", url, res.StatusCode, err)
	}
	return v, res.Header
}

// TestSandboxOfFiles: settings and account come from files, flags go first, and the snapshot of an account is that
// account to a client.
func TestSandboxOfFiles(t *testing.T) {
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	dir := t.TempDir()
	seed, settings := filepath.Join(dir, "account.json"), filepath.Join(dir, "settings.yaml")
	owner := helpscout.User{ID: 22, FirstName: "Tom", Email: "tom@b.example", Role: "admin"}
	snap := &importer.Snapshot{
		Snapshot: importer.SnapshotFormat, Taken: time.Now().UTC(), Origin: "https://help.example", Account: "user:21", Owner: 22,
		Mailboxes: []importer.SnapshotMailbox{{ID: 77, Name: "Real", Email: "real@b.example", Fields: []helpscout.Field{
			{ID: 5, Name: "Kind", Type: "dropdown", Required: true, Order: 1, Options: []helpscout.Option{{ID: 9, Label: "A", Order: 1}}},
		}, Folders: []helpscout.Folder{{ID: 3, Name: "Spam", Type: "spam"}}}},
		Users:     []helpscout.User{{ID: 21, FirstName: "Olga", Email: "olga@b.example", Role: "owner"}, owner},
		Teams:     []helpscout.Team{{ID: 31, Name: "Crew"}},
		Tags:      []string{"vip"},
		Workflows: []helpscout.Workflow{{ID: 41, MailboxID: 77, Type: "automatic", Status: "active", Name: "W"}},
		Webhooks:  []helpscout.Webhook{{ID: 51, URL: "https://hooks.example/...", Events: []string{"convo.created"}}},
	}
	if err := writeSnapshot(seed, snap); err != nil {
		t.Fatal(err)
	}
	if back, err := importer.ReadSnapshot(seed); err != nil || fmt.Sprint(back.Target()) != fmt.Sprint(snap.Target()) {
		t.Errorf("read back: %+v, %v", back, err)
	}
	if err := os.WriteFile(settings, []byte("quota-limit: 123\nfield-types: upper\nfaults: [get#1=503]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	base := serve(t, "--seed-file", seed, "--settings", settings, "--set", "quota-limit=124", "--fault", "list#1=500")
	res, err := http.Post(base+"/v2/oauth2/token?grant_type=client_credentials&client_id=a&client_secret=b", "", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	var token struct {
		Access string `json:"access_token"`
	}
	err = json.NewDecoder(res.Body).Decode(&token)
	_ = res.Body.Close()
	if err != nil {
		t.Fatal(err)
	}
	me, header := getJSON(t, base+"/v2/users/me", token.Access)
	if me["id"] != 22.0 || me["email"] != "tom@b.example" || header.Get("X-RateLimit-Limit-Minute") != "124" {
		t.Errorf("me: %v, limit %s", me, header.Get("X-RateLimit-Limit-Minute"))
	}
	for path, want := range map[string]string{
		"/v2/mailboxes":           "Real real@b.example 77",
		"/v2/mailboxes/77/fields": "id:9 DROPDOWN Kind required:true",
		"/v2/teams":               "31 Crew",
		"/v2/workflows":           "41 active",
	} {
		v, _ := getJSON(t, base+path, token.Access)
		for _, w := range strings.Fields(want) {
			if !strings.Contains(fmt.Sprint(v), w) {
				t.Errorf("%s: no %s in %v", path, w, v)
			}
		}
	}
	if rules, _ := sandbox.ParseFaults("list#1=500\nget#1=503"); fmt.Sprint(rules) != fmt.Sprint(mustOptions(t, settings, "list#1=500").Faults) {
		t.Error("the rules of the flags do not go before those of the file")
	}
}

func mustOptions(t *testing.T, settings, fault string) sandbox.Options {
	t.Helper()
	w := sandboxWishes{settings: settings, faults: []string{fault}}
	o, err := w.options()
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// TestSandboxStateIsLocked: the second sandbox on one file says so and ends with 2.
func TestSandboxStateIsLocked(t *testing.T) {
	state := filepath.Join(t.TempDir(), "state.jsonl")
	serve(t, "--state", state)
	var said strings.Builder
	env := &environment{in: strings.NewReader(""), out: io.Discard, err: &said, lookup: func(string) (string, bool) { return "", false }}
	if code := run(t.Context(), []string{"sandbox", "--addr", "127.0.0.1:0", "--state", state}, env); code != importer.ExitUsage || !strings.Contains(said.String(), "in use by another sandbox") {
		t.Errorf("ended with %d: %s", code, said.String())
	}
}
