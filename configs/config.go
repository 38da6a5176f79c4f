package configs

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"hsimport/importer"
	"hsimport/mapping"
	"hsimport/sources/csvfile"
	"hsimport/sources/jsonfile"
	"hsimport/sources/mboxfile"
)

// Version is the only version of the format so far.
const Version = 1

// What a configuration that does not say so gets.
const (
	DefaultBaseURL    = "https://api.helpscout.net"
	DefaultCheckpoint = "import.db"
)

// BaseURLVariable is the environment variable that overrides helpscout.base_url, for rehearsals against a sandbox.
const BaseURLVariable = "HELPSCOUT_BASE_URL"

// The kinds of source.
const (
	CSV  = "csv"
	JSON = jsonfile.Kind
	Mbox = "mbox"
)

// A Config is a whole configuration, checked and complete. Load and Parse make one.
type Config struct {
	Version    int              `yaml:"version"`
	Source     Source           `yaml:"source"`
	HelpScout  HelpScout        `yaml:"helpscout"`
	Mapping    mapping.Options  `yaml:"mapping"`
	Run        importer.Options `yaml:"run"`
	Checkpoint string           `yaml:"checkpoint"` // absolute after Resolve

	Path string `yaml:"-"` // of the file, as the person named it
	Dir  string `yaml:"-"` // absolute folder that paths are relative to
	// Unanswered are the keys whose value is "?": what a person still has to decide, in the order of the file.
	Unanswered []Unanswered `yaml:"-"`
}

// Source says what to read. Only the section of its kind may be written.
type Source struct {
	Kind  string           `yaml:"kind"`
	Paths []string         `yaml:"paths"` // as written: relative to the file, globs and folders allowed
	Until time.Time        `yaml:"until"` // the cut-over, UTC; zero: none
	Fetch Fetch            `yaml:"fetch"`
	CSV   csvfile.Options  `yaml:"csv"`
	JSON  jsonfile.Options `yaml:"json"`
	Mbox  mboxfile.Options `yaml:"mbox"`
}

// Fields are the Help Scout custom fields that the source fills, and what fills them.
func (s *Source) Fields() map[string]string {
	if s.Kind == JSON {
		return s.JSON.Fields
	}
	return s.CSV.Fields
}

// HelpScout says where to.
type HelpScout struct {
	BaseURL string `yaml:"base_url"` // scheme and host, without a final slash
	Mailbox string `yaml:"mailbox"`  // name or id of the inbox
	// Snapshot is a file of the account's side, which a dry run without credentials reads in its place; absolute after
	// Resolve. Empty: none.
	Snapshot string `yaml:"snapshot"`
}

// An Unanswered key is one whose value is "?".
type Unanswered struct {
	Key  string
	Line int
}

// Load reads and checks the configuration at path. env is the environment, os.LookupEnv outside of tests. A file that
// cannot be read is an error as the operating system words it; everything wrong in it is in one *Errors.
func Load(path string, env func(string) (string, bool)) (*Config, error) {
	info, err := os.Stat(path)
	if err == nil && info.Size() > maxBytes {
		return nil, &Errors{List: []*Error{tooLarge(path, info.Size())}}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	c, err := Parse(path, data, env)
	if err != nil {
		return nil, err
	}
	return c, c.readAgents()
}

// Parse is Load for a configuration in memory; name is its path, for positions and for the folder that paths are
// relative to. It opens no file.
func Parse(name string, data []byte, env func(string) (string, bool)) (*Config, error) {
	d := &decoder{problems: problems{file: name}, env: env, marks: map[string]mark{}, keys: map[string]mark{}}
	c := &Config{Path: name}
	root := d.document(data)
	if root == nil {
		return nil, d.err()
	}
	d.section(root, reflect.ValueOf(c).Elem(), "")
	slices.SortStableFunc(d.unanswered, func(a, b Unanswered) int { return a.Line - b.Line })
	c.Unanswered = d.unanswered
	d.override(c)
	d.check(c)
	if err := d.err(); err != nil {
		return nil, err
	}
	if err := c.Resolve(filepath.Dir(name)); err != nil {
		return nil, err
	}
	return c, nil
}

// override applies the environment's base URL and the defaults.
func (d *decoder) override(c *Config) {
	if c.HelpScout.BaseURL == "" {
		c.HelpScout.BaseURL = DefaultBaseURL
	}
	if c.Checkpoint == "" {
		c.Checkpoint = DefaultCheckpoint
	}
	if d.env == nil {
		return
	}
	if url, ok := d.env(BaseURLVariable); ok && url != "" {
		c.HelpScout.BaseURL = url
		delete(d.marks, "helpscout.base_url") // the mark would blame the file
	}
}

// Resolve hands each room its options complete: paths absolute (globs are left to the formats), the folder that
// positions are relative to, the cut-over, the mailbox. dir is the folder that relative paths start at. To read other
// files than the configuration names, set Source.Paths and call it again.
func (c *Config) Resolve(dir string) error {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("find the folder of %s: %w", c.Path, err)
	}
	c.Dir = abs
	c.HelpScout.BaseURL = strings.TrimRight(c.HelpScout.BaseURL, "/")
	c.Checkpoint = c.absolute(c.Checkpoint)
	if c.Mapping.AgentsFile != "" {
		c.Mapping.AgentsFile = c.absolute(c.Mapping.AgentsFile)
	}
	if c.HelpScout.Snapshot != "" {
		c.HelpScout.Snapshot = c.absolute(c.HelpScout.Snapshot)
	}
	c.Mapping.Mailbox = c.HelpScout.Mailbox

	s := &c.Source
	paths := c.allAbsolute(s.Paths)
	s.CSV.Paths, s.CSV.Base, s.CSV.Until = paths, abs, s.Until
	s.CSV.Messages, s.CSV.Users = c.allAbsolute(s.CSV.Messages), c.allAbsolute(s.CSV.Users)
	if s.CSV.AttachmentsDir != "" {
		s.CSV.AttachmentsDir = c.absolute(s.CSV.AttachmentsDir)
	}
	s.JSON.Paths, s.JSON.Base, s.JSON.Until = slices.Clone(paths), abs, s.Until
	s.JSON.Messages, s.JSON.Users = c.allAbsolute(s.JSON.Messages), c.allAbsolute(s.JSON.Users)
	if s.JSON.AttachmentsDir != "" {
		s.JSON.AttachmentsDir = c.absolute(s.JSON.AttachmentsDir)
	}
	s.Mbox.Paths, s.Mbox.Base, s.Mbox.Until = slices.Clone(paths), abs, s.Until
	s.Fetch.Folder = c.absolute(cmp.Or(s.Fetch.Folder, DefaultFolder))
	s.CSV.Cache, s.JSON.Cache, s.Mbox.Cache = s.Fetch.Folder, s.Fetch.Folder, s.Fetch.Folder
	return nil
}

func (c *Config) allAbsolute(paths []string) []string {
	if paths == nil {
		return nil
	}
	all := make([]string, len(paths))
	for i, p := range paths {
		all[i] = c.absolute(p)
	}
	return all
}

// globMeta are the characters that make a path a pattern to path/filepath.Match.
const globMeta = `*?[`

// absolute starts a relative path at the configuration's folder. When the path is a pattern, what looks like one in
// the folder's own name is escaped.
func (c *Config) absolute(path string) string {
	path = filepath.FromSlash(path)
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	dir := c.Dir
	if filepath.Separator == '/' && strings.ContainsAny(path, globMeta) {
		dir = strings.NewReplacer(`*`, `\*`, `?`, `\?`, `[`, `\[`, `\`, `\\`).Replace(dir)
	}
	return filepath.Join(dir, path)
}

// Digest is the hex SHA-256 of everything that decides what arrives in Help Scout: source without its paths, mailbox
// and mapping. How it is delivered (host, run, checkpoint) does not count, nor does the order of keys. No secret can be
// in it, because none can be in a Config.
func (c *Config) Digest() string {
	h := sha256.New()
	flatten(reflect.ValueOf(*c), "", func(key, value string) {
		if !decides(key) {
			return
		}
		fmt.Fprintf(h, "%s\x00%s\x00", key, value)
	})
	return hex.EncodeToString(h.Sum(nil))
}

// decides says whether a key decides output.
func decides(key string) bool {
	for _, prefix := range []string{
		"source.paths", "source.fetch.", "source.csv.messages[", "source.csv.users[", "source.csv.attachments_dir",
		"source.json.messages[", "source.json.users[", "source.json.attachments_dir",
		"helpscout.base_url", "helpscout.snapshot", "mapping.agents_file", "run.", "checkpoint",
	} {
		if strings.HasPrefix(key, prefix) {
			return false
		}
	}
	return true
}

// flatten visits every value that is not zero, under its full key, in one order: fields as declared, tables by key.
func flatten(v reflect.Value, key string, visit func(key, value string)) {
	if isText(v.Type()) {
		if !v.IsZero() {
			visit(key, fmt.Sprint(v.Interface()))
		}
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			visit(key, fmt.Sprint(v.Elem().Interface())) // a pointer tells 0 from absent
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if name := yamlName(v.Type().Field(i)); name != "" {
				flatten(v.Field(i), join(key, name), visit)
			}
		}
	case reflect.Map:
		names := make([]string, 0, v.Len())
		for _, k := range v.MapKeys() {
			names = append(names, k.String())
		}
		slices.Sort(names)
		for _, name := range names {
			entry := v.MapIndex(reflect.ValueOf(name))
			if entry.Kind() == reflect.String { // an empty one says something: this tag is dropped
				visit(join(key, name), entry.String())
				continue
			}
			flatten(entry, join(key, name), visit)
		}
	case reflect.Slice:
		for i := range v.Len() {
			flatten(v.Index(i), fmt.Sprintf("%s[%d]", key, i), visit)
		}
	default:
		if !v.IsZero() {
			visit(key, fmt.Sprint(v.Interface()))
		}
	}
}
