package configs

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hsimport/importer"
	"hsimport/mapping"
)

// noEnv is an environment without any variable.
func noEnv(string) (string, bool) { return "", false }

func env(pairs ...string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		i := slices.Index(pairs, name)
		if i < 0 {
			return "", false
		}
		return pairs[i+1], true
	}
}

// minimal is the shortest configuration that loads; lines are added to it.
const minimal = `version: 1
source: {kind: csv, paths: [t.csv]}
helpscout: {mailbox: Support}
`

func mustParse(t *testing.T, text string) *Config {
	t.Helper()
	c, err := Parse("/job/import.yaml", []byte(text), noEnv)
	if err != nil {
		t.Fatalf("%v\nin\n%s", err, text)
	}
	return c
}

func TestCanonicalCSV(t *testing.T) {
	data, ok := Example("csv")
	if !ok {
		t.Fatal("no example csv")
	}
	c := mustParse(t, string(data))
	checks := []struct{ what, got, want string }{
		{"kind", c.Source.Kind, "csv"},
		{"layout", c.Source.CSV.Layout, "message-per-row"},
		{"zone", c.Source.CSV.TimeZone, "UTC"},
		{"path", c.Source.CSV.Paths[0], "/job/tickets.csv"},
		{"base", c.Source.CSV.Base, "/job"},
		{"column", c.Source.CSV.Columns["message_author_email"], "author_email"},
		{"field with a blank", c.Source.CSV.Fields["Legacy ID"], "ticket_id"},
		{"base url", c.HelpScout.BaseURL, "https://api.helpscout.net"},
		{"mailbox", c.Mapping.Mailbox, "Support"},
		{"status", c.Mapping.Statuses["hold"], "pending"},
		{"default status", c.Mapping.DefaultStatus, "closed"},
		{"agent", c.Mapping.Agents["old.agent@legacy.example"], "ada@support.example"},
		{"checkpoint", c.Checkpoint, "/job/import.db"},
	}
	for _, check := range checks {
		if check.got != check.want {
			t.Errorf("%s: got %q, want %q", check.what, check.got, check.want)
		}
	}
	if n := len(c.Source.CSV.Columns); n != 18 {
		t.Errorf("%d columns, want 18", n)
	}
	if c.Mapping.MaxThreads != 100 || c.Mapping.Headroom == nil || *c.Mapping.Headroom != 10 {
		t.Errorf("max_threads %d, headroom %v", c.Mapping.MaxThreads, c.Mapping.Headroom)
	}
	if c.Run.Share != 1 || c.Run.Workers != 0 || c.Run.Settle != mapping.Duration(time.Minute) {
		t.Errorf("run: %+v", c.Run)
	}
}

func TestCanonicalMbox(t *testing.T) {
	data, ok := Example("mbox")
	if !ok {
		t.Fatal("no example mbox")
	}
	c := mustParse(t, string(data))
	if c.Source.Mbox.ThreadBy != "auto" || c.Source.Mbox.SubjectFallback {
		t.Errorf("mbox: %+v", c.Source.Mbox)
	}
	if diff := cmp.Diff([]string{"Spam", "Trash", "Drafts", "Chat"}, c.Source.Mbox.ExcludeLabels); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"/job/archive.mbox"}, c.Source.Mbox.Paths); diff != "" {
		t.Error(diff)
	}
	if c.HelpScout.BaseURL != DefaultBaseURL || c.Mapping.Mailbox != "Support" || c.Checkpoint != "/job/import.db" {
		t.Errorf("defaults: %+v %q", c.HelpScout, c.Checkpoint)
	}
	if c.Mapping.Headroom != nil {
		t.Errorf("headroom was not written and is %d", *c.Mapping.Headroom)
	}
}

func TestEveryExampleLoads(t *testing.T) {
	names := exampleNames(t)
	if !slices.Contains(names, "csv") || !slices.Contains(names, "mbox") {
		t.Fatalf("examples: %v", names)
	}
	for _, name := range names {
		data, _ := Example(name)
		if c := mustParse(t, string(data)); len(c.Unanswered) > 0 {
			t.Errorf("%s leaves %v open", name, c.Unanswered)
		}
	}
}

// A table is full of words that YAML reads as something else.
func TestTablesAreTextAsWritten(t *testing.T) {
	c := mustParse(t, minimal+`mapping:
  statuses: {no: closed, yes: active, 0123: closed, 1: pending, 1.10: closed, null: spam, 2024-01-02: closed, " Padded ": active}
  tags: {0123: 0456, on: off, 1e3: 0x1F, old: ""}
`)
	want := map[string]string{
		"no": "closed", "yes": "active", "0123": "closed", "1": "pending", "1.10": "closed", "null": "spam",
		"2024-01-02": "closed", "Padded": "active",
	}
	if diff := cmp.Diff(want, c.Mapping.Statuses); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]string{"0123": "0456", "on": "off", "1e3": "0x1F", "old": ""}, c.Mapping.Tags); diff != "" {
		t.Error(diff)
	}
	c = mustParse(t, strings.Replace(minimal, "Support", "0123", 1))
	if c.Mapping.Mailbox != "0123" {
		t.Errorf("mailbox 0123 became %q", c.Mapping.Mailbox)
	}
}

func TestValues(t *testing.T) {
	c := mustParse(t, `version: 1
source:
  kind: csv
  paths: tickets/*.csv
  until: 2026-11-30T18:00:00+01:00
  csv: {delimiter: "\t", max_record: 1024}
helpscout: {mailbox: 12345}
mapping:
  close_inactive: 180d
  live: {newer_than: 1d12h}
  headroom: 0
  inline_size: 5 MB
  max_text: 512KiB
run: {share: 0.8, workers: 4, settle: 90s, rate_limit: 400}
checkpoint: /var/lib/job.db
`)
	if got := c.Source.CSV.Until; !got.Equal(time.Date(2026, 11, 30, 17, 0, 0, 0, time.UTC)) || got.Location() != time.UTC {
		t.Errorf("until %v", got)
	}
	if c.Source.CSV.Delimiter != "\t" || c.Source.CSV.MaxRecord != 1024 {
		t.Errorf("csv %+v", c.Source.CSV)
	}
	if diff := cmp.Diff([]string{"/job/tickets/*.csv"}, c.Source.CSV.Paths); diff != "" {
		t.Error("one path is a list of one:", diff)
	}
	m := c.Mapping
	if m.Mailbox != "12345" || m.Headroom == nil || *m.Headroom != 0 || m.InlineSize != 5e6 || m.MaxText != 512<<10 ||
		time.Duration(m.CloseInactive) != 180*24*time.Hour || time.Duration(m.Live.NewerThan) != 36*time.Hour {
		t.Errorf("mapping %+v", m)
	}
	if c.Run.Share != importer.Percent(0.8) || c.Run.Workers != 4 || c.Run.RateLimit != 400 || c.Checkpoint != "/var/lib/job.db" {
		t.Errorf("run %+v, checkpoint %s", c.Run, c.Checkpoint)
	}
}

func TestVariables(t *testing.T) {
	text := strings.Replace(minimal, "t.csv", `"${DIR}/t.csv"`, 1) + "mapping: {tag_prefix: 'a$$b$5${P}', max_threads: \"${N}\"}\n"
	c, err := Parse("/job/import.yaml", []byte(text), env("DIR", "/data", "P", "-x: {", "N", "50"))
	if err != nil {
		t.Fatal(err)
	}
	if c.Source.CSV.Paths[0] != "/data/t.csv" || c.Mapping.TagPrefix != "a$b$5-x: {" || c.Mapping.MaxThreads != 50 {
		t.Errorf("%v %q %d", c.Source.CSV.Paths, c.Mapping.TagPrefix, c.Mapping.MaxThreads)
	}
	_, err = Parse("import.yaml", []byte(text), env("DIR", "/data", "N", "50"))
	if want := "import.yaml:4:23: mapping.tag_prefix: the environment variable P is not set (a literal ${ is written $${)"; err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestBaseURLFromTheEnvironment(t *testing.T) {
	text := strings.Replace(minimal, "{mailbox", "{base_url: https://api.example.org, mailbox", 1)
	c, err := Parse("import.yaml", []byte(text), env("HELPSCOUT_BASE_URL", "http://127.0.0.1:8080/"))
	if err != nil || c.HelpScout.BaseURL != "http://127.0.0.1:8080" {
		t.Fatalf("%v, %v", c, err)
	}
	_, err = Parse("import.yaml", []byte(text), env("HELPSCOUT_BASE_URL", "127.0.0.1:8080"))
	if err == nil || !strings.HasPrefix(err.Error(), "HELPSCOUT_BASE_URL: ") {
		t.Errorf("a wrong override: %v", err)
	}
}

func TestLoadNamesTheFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "import.yaml")
	if _, err := Load(path, noEnv); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), path) {
		t.Errorf("a missing file: %v", err)
	}
	if err := os.WriteFile(path, []byte(minimal), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(path, noEnv)
	if err != nil {
		t.Fatal(err)
	}
	if c.Source.CSV.Paths[0] != filepath.Join(dir, "t.csv") || c.Path != path || c.Dir != dir {
		t.Errorf("%v %s %s", c.Source.CSV.Paths, c.Path, c.Dir)
	}
}

func TestResolveAgain(t *testing.T) {
	c := mustParse(t, minimal)
	c.Source.Paths = []string{"other.csv", "/abs/x.csv", "many/*.csv"}
	if err := c.Resolve("/a[b]c"); err != nil {
		t.Fatal(err)
	}
	want := []string{"/a[b]c/other.csv", "/abs/x.csv", `/a\[b]c/many/*.csv`}
	if diff := cmp.Diff(want, c.Source.CSV.Paths); diff != "" {
		t.Error(diff)
	}
	if c.Checkpoint != "/job/import.db" {
		t.Errorf("the checkpoint moved to %s", c.Checkpoint)
	}
	if ok, err := filepath.Match(want[2], "/a[b]c/many/x.csv"); !ok || err != nil {
		t.Errorf("the pattern does not match its own folder: %v %v", ok, err)
	}
}

// "?" loads, is listed, and otherwise counts as absent.
func TestUnanswered(t *testing.T) {
	c := mustParse(t, `version: 1
source:
  kind: csv
  paths: [t.csv]
  csv: {time_zone: "?"}
helpscout: {mailbox: "?"}
mapping:
  statuses: {open: active, waiting: "?"}
  headroom: "?"
  agent_domains: ["?"]
run: {share: "?"}
`)
	var keys []string
	for _, u := range c.Unanswered {
		keys = append(keys, u.Key)
	}
	want := []string{"source.csv.time_zone", "helpscout.mailbox", "mapping.statuses.waiting", "mapping.headroom", "mapping.agent_domains[0]", "run.share"}
	if diff := cmp.Diff(want, keys); diff != "" {
		t.Error(diff)
	}
	if c.Unanswered[2].Line != 8 {
		t.Errorf("line %d, want 8", c.Unanswered[2].Line)
	}
	if c.Source.CSV.TimeZone != "?" || c.Mapping.Mailbox != "" || c.Mapping.Headroom != nil || len(c.Mapping.AgentDomains) != 0 || c.Run.Share != 0 {
		t.Errorf("%q %+v", c.Source.CSV.TimeZone, c.Mapping)
	}
	if diff := cmp.Diff(map[string]string{"open": "active"}, c.Mapping.Statuses); diff != "" {
		t.Error(diff)
	}
}

func TestAliases(t *testing.T) {
	c := mustParse(t, minimal+"mapping:\n  agent_domains: &team [support.example]\n  exclude_senders: *team\n")
	if diff := cmp.Diff([]string{"support.example"}, c.Mapping.ExcludeSenders); diff != "" {
		t.Error(diff)
	}
	var b strings.Builder
	b.WriteString(minimal + "mapping:\n  tags: &t\n")
	for i := range 2500 {
		b.WriteString("    t" + strings.Repeat("x", i%7) + string(rune('a'+i%26)) + strings.Repeat("y", i/26) + ": v\n")
	}
	b.WriteString("  field_values:\n")
	for i := range 300 {
		b.WriteString("    f" + strings.Repeat("z", i) + ": *t\n")
	}
	_, err := Parse("import.yaml", []byte(b.String()), noEnv)
	if err == nil || !strings.Contains(err.Error(), "aliases repeat too much") {
		t.Errorf("three quarters of a million entries by alias: %.200v", err)
	}
}

func TestDigest(t *testing.T) {
	base := mustParse(t, minimal+"mapping: {statuses: {open: active, new: active}, headroom: 10}\n")
	same := []string{
		strings.Replace(minimal, "t.csv", "u.csv", 1) + "mapping: {headroom: 10, statuses: {new: active, open: active}}\nrun: {share: 50%}\ncheckpoint: x.db\n",
		strings.Replace(minimal, "{mailbox", "{base_url: http://127.0.0.1:1, mailbox", 1) + "mapping: {statuses: {open: active, new: active}, headroom: 10}\n",
	}
	for _, text := range same {
		if mustParse(t, text).Digest() != base.Digest() {
			t.Errorf("paths, host, run or order changed the digest:\n%s", text)
		}
	}
	different := []string{
		minimal + "mapping: {statuses: {open: active, new: closed}, headroom: 10}\n",
		minimal + "mapping: {statuses: {open: active, new: active}, headroom: 0}\n",
		minimal + "mapping: {statuses: {open: active, new: active}}\n",
		minimal + "mapping: {statuses: {open: active, new: active}, headroom: 10, tags: {x: \"\"}}\n",
		strings.Replace(minimal, "Support", "Sales", 1) + "mapping: {statuses: {open: active, new: active}, headroom: 10}\n",
		strings.Replace(minimal, "paths", "until: 2026-01-01T00:00:00Z, paths", 1) + "mapping: {statuses: {open: active, new: active}, headroom: 10}\n",
	}
	seen := map[string]string{base.Digest(): "base"}
	for _, text := range different {
		digest := mustParse(t, text).Digest()
		if other, again := seen[digest]; again {
			t.Errorf("same digest as\n%s:\n%s", other, text)
		}
		seen[digest] = text
	}
}

// Editors on other systems write BOMs, CRLF and UTF-16; columns count characters, not bytes.
func TestEncodings(t *testing.T) {
	utf16 := []byte{0xff, 0xfe}
	for _, r := range minimal {
		utf16 = append(utf16, byte(r), 0)
	}
	for name, data := range map[string][]byte{
		"BOM":    []byte("\ufeff" + minimal),
		"CRLF":   []byte(strings.ReplaceAll(minimal, "\n", "\r\n")),
		"UTF-16": utf16,
	} {
		if c, err := Parse("i.yaml", data, noEnv); err != nil || c.Mapping.Mailbox != "Support" {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := Parse("i.yaml", []byte(strings.ReplaceAll(minimal, "\n", "\r\n")+"mapping: {tags: {über: ß}, zebra: 1}\r\n"), noEnv)
	if err == nil || !strings.HasPrefix(err.Error(), "i.yaml:4:28: mapping.zebra: unknown key") {
		t.Errorf("got %v", err)
	}
	if _, err := Parse("i.yaml", []byte("version: \xff\xfe\n"), noEnv); err == nil || strings.Contains(err.Error(), "panic") {
		t.Errorf("bytes that are no text: %v", err)
	}
}
