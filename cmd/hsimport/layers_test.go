package main

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	root   = "../.."
	module = "hsimport"
)

// edges is the import graph: each room and the rooms that it may import. A room that is not here is not wanted; an edge
// that is not here is a mistake of design, to be talked about before this table grows. Tests may import what they need.
var edges = map[string][]string{
	"sources":            {},
	"checkpoint":         {},
	"importer/helpscout": {},

	"sources/mail":     {"sources"},
	"sources/archive":  {"sources"},
	"sources/fetch":    {"sources"},
	"sources/csvfile":  {"sources", "sources/mail", "sources/fetch", "sources/archive"},
	"sources/mboxfile": {"sources", "sources/mail", "sources/fetch", "sources/archive"},
	// A further format hands its records over as rows of tables: one rule of identity, people, dates and ledger for all.
	"sources/jsonfile": {"sources", "sources/csvfile"},

	"mapping":         {"sources", "importer/helpscout"},
	"importer":        {"sources", "mapping", "checkpoint", "importer/helpscout"},
	"importer/report": {"sources", "mapping", "checkpoint", "importer", "importer/helpscout"},
	// None of ours: a wrong JSON tag of the client is seen because the sandbox spells its own.
	"importer/helpscout/sandbox": {},

	"configs": {"sources", "sources/csvfile", "sources/mboxfile", "sources/jsonfile", "mapping", "importer"},
	"cmd/hsimport": {
		"sources", "sources/mail", "sources/fetch", "sources/archive", "sources/csvfile", "sources/mboxfile", "sources/jsonfile", "mapping",
		"checkpoint", "importer", "importer/report", "importer/helpscout", "importer/helpscout/sandbox", "configs",
	},
}

// only names imports from outside that belong to some rooms alone: SQL to the checkpoint, words and bars to the command.
var only = map[string][]string{
	"database/sql":                      {"checkpoint"},
	"github.com/mattn/go-sqlite3":       {"checkpoint"},
	"github.com/spf13/cobra":            {"cmd/hsimport"},
	"github.com/schollz/progressbar/v3": {"cmd/hsimport"},
	"github.com/mattn/go-isatty":        {"cmd/hsimport"},
	"go.yaml.in/yaml/v4":                {"configs", "importer/helpscout/sandbox"},
	"github.com/jhillyerd/enmime":       {}, // the oracle of tests, never linked
}

// pure are the imports that mapping must do without: it has no I/O, no clock and no randomness.
var pure = []string{"os", "io/fs", "net", "net/http", "context", "log", "log/slog", "math/rand", "math/rand/v2", "crypto/rand", "syscall", "os/exec"}

// topLevel is what the top of the tree holds, beside dot-files and what .gitignore names.
var topLevel = []string{"go.mod", "go.sum", "cmd", "importer", "sources", "checkpoint", "mapping", "configs", "Makefile", "README.md"}

// maxLines is the most lines of a Go file.
const maxLines = 500

// A sourceFile is one Go file of the tree.
type sourceFile struct {
	path string // from the root, with slashes
	room string // its folder
	test bool
	ast  *ast.File
	size int // in lines
}

func TestLayers(t *testing.T) {
	for _, f := range goFiles(t) {
		allowed, known := edges[f.room]
		if !known {
			t.Errorf("%s: the room %s is not in the design", f.path, f.room)
			continue
		}
		if f.test {
			continue
		}
		for _, imported := range imports(t, f) {
			if ours, inside := strings.CutPrefix(imported, module+"/"); inside && !slices.Contains(allowed, ours) {
				t.Errorf("%s imports %s; %s may import %v", f.path, ours, f.room, allowed)
			}
			for name, rooms := range only {
				if (imported == name || strings.HasPrefix(imported, name+"/")) && !slices.Contains(rooms, f.room) {
					t.Errorf("%s imports %s, which is for %v alone", f.path, imported, rooms)
				}
			}
			if f.room == "mapping" && slices.Contains(pure, imported) {
				t.Errorf("%s imports %s: mapping is pure", f.path, imported)
			}
		}
	}
}

// A table that has lost touch with the tree protects nothing.
func TestLayersAreOfThisTree(t *testing.T) {
	rooms := map[string]bool{}
	for _, f := range goFiles(t) {
		rooms[f.room] = true
	}
	for _, must := range []string{"sources", "checkpoint", "mapping", "importer", "importer/helpscout", "configs"} {
		if !rooms[must] {
			t.Errorf("no Go file of %s was found below %s", must, root)
		}
	}
	for room, allowed := range edges {
		for _, to := range allowed {
			if _, known := edges[to]; !known {
				t.Errorf("%s may import %s, which is no room", room, to)
			}
			if to != room && slices.Contains(edges[to], room) {
				t.Errorf("%s and %s may import each other", room, to)
			}
		}
	}
}

func TestTopLevel(t *testing.T) {
	ignored, err := os.ReadFile(filepath.Join(root, ".gitignore"))
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") && !slices.Contains(topLevel, e.Name()) && !isIgnored(e.Name(), ignored) {
			t.Errorf("%s stands at the top of the tree; it holds only %v and dot-files", e.Name(), topLevel)
		}
	}
}

// isIgnored knows the two shapes of .gitignore lines that matter at the top: /name, /name/ and *.ext.
func isIgnored(name string, gitignore []byte) bool {
	for line := range strings.Lines(string(gitignore)) {
		pattern := strings.Trim(strings.TrimSpace(line), "/")
		if ok, err := path.Match(pattern, name); err == nil && ok {
			return true
		}
	}
	return false
}

func TestFilesAreShort(t *testing.T) {
	for _, f := range goFiles(t) {
		if f.size > maxLines {
			t.Errorf("%s has %d lines, the most is %d", f.path, f.size, maxLines)
		}
	}
}

func TestEveryRoomIsDocumented(t *testing.T) {
	documented := map[string]bool{}
	for _, f := range goFiles(t) {
		if f.test {
			continue
		}
		prefix := "Package " + f.ast.Name.Name + " "
		if f.ast.Name.Name == "main" {
			prefix = "" // the tour of a command begins with its name
		}
		doc := f.ast.Doc != nil && strings.HasPrefix(f.ast.Doc.Text(), prefix)
		documented[f.room] = documented[f.room] || doc
	}
	for room, ok := range documented {
		if !ok {
			t.Errorf("%s has no package comment", room)
		}
	}
}

// goFiles parses every Go file below the root, whatever its build tags, outside of testdata and dot-folders.
func goFiles(t *testing.T) []*sourceFile {
	t.Helper()
	if data, err := os.ReadFile(filepath.Join(root, "go.mod")); err != nil || !bytes.HasPrefix(data, []byte("module "+module+"\n")) {
		t.Fatalf("%s is not the root of %s: %v", root, module, err)
	}
	var files []*sourceFile
	err := filepath.WalkDir(root, func(name string, e fs.DirEntry, err error) error {
		switch base := filepath.Base(name); {
		case err != nil:
			return err
		case e.IsDir() && name != root && (strings.HasPrefix(base, ".") || base == "testdata" || base == "dist" || base == "bin"):
			return filepath.SkipDir
		case e.IsDir() || !strings.HasSuffix(base, ".go"):
			return nil
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), name, data, parser.ImportsOnly|parser.ParseComments)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		files = append(files, &sourceFile{
			path: rel, room: path.Dir(rel), ast: parsed,
			test: strings.HasSuffix(rel, "_test.go"), size: bytes.Count(data, []byte("\n")),
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func imports(t *testing.T, f *sourceFile) []string {
	t.Helper()
	var all []string
	for _, spec := range f.ast.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, name)
	}
	return all
}
