package configs

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"hsimport/sources"
)

// The columns of a file of agents, in the order in which AgentsFile writes them.
var agentColumns = []string{"legacy id", "address", "name", "messages", "Help Scout user"}

const (
	agentID = iota
	agentAddress
	agentName
	agentMessages
	agentUser
)

// left is the word for an agent who has left; an empty cell says nothing about them.
const left = "left"

// AgentsFile is a table of the likely agents of a survey as CSV, for a person to fill its last column in: the e-mail of
// their Help Scout user, or "left" for one who has left. It is in UTF-8 with a byte order mark, by which spreadsheets
// recognise that.
func AgentsFile(s *sources.Survey) []byte {
	var b bytes.Buffer
	b.WriteString("\ufeff")
	w := csv.NewWriter(&b)
	rows := [][]string{agentColumns}
	for _, p := range staffOf(s) {
		rows = append(rows, []string{plainCell(p.ID), plainCell(p.Email), plainCell(p.Name), strconv.Itoa(p.N), ""})
	}
	_ = w.WriteAll(rows) // a buffer takes everything
	return b.Bytes()
}

// plainCell is a cell that no spreadsheet takes for a formula.
func plainCell(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if s != "" && strings.ContainsRune("=+-@\t", rune(s[0])) {
		return "'" + s
	}
	return s
}

// staffOf are the agents of a survey; a source that only counts them is asked for what their names look like.
func staffOf(s *sources.Survey) []sources.SurveyPerson {
	if len(s.Staff) > 0 {
		return s.Staff
	}
	var out []sources.SurveyPerson
	for _, c := range merged(s.Agents) {
		p := sources.SurveyPerson{Name: c.Value, N: c.N}
		if isAddress(c.Value) {
			p.Name, p.Email = "", c.Value
		}
		out = append(out, p)
	}
	return out
}

// readAgents adds the agents of mapping.agents_file to the table; what the configuration itself says goes before it.
func (c *Config) readAgents() error {
	path := c.Mapping.AgentsFile
	if path == "" {
		return nil
	}
	shown := path
	if rel, err := filepath.Rel(c.Dir, path); err == nil && filepath.IsLocal(rel) {
		shown = filepath.ToSlash(filepath.Join(filepath.Dir(c.Path), rel))
	}
	data, err := readAtMost(path, maxBytes)
	if err != nil {
		return fmt.Errorf("mapping.agents_file: %w", err)
	}
	r := &agentsReader{problems: problems{file: shown}, found: map[string]string{}, lines: map[string]int{}}
	r.read(data)
	if err := r.err(); err != nil {
		return err
	}
	own := map[string]bool{}
	for k := range c.Mapping.Agents {
		own[tableKey(k)] = true
	}
	if c.Mapping.Agents == nil {
		c.Mapping.Agents = map[string]string{}
	}
	for k, user := range r.found {
		if !own[k] {
			c.Mapping.Agents[k] = user
		}
	}
	return nil
}

func readAtMost(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(data)) > most {
		return nil, fmt.Errorf("%s is larger than %d MB: is this the file of agents?", path, most>>20)
	}
	return data, err
}

// An agentsReader reads one file of agents.
type agentsReader struct {
	problems
	at    [5]int            // columns by agentID ...; -1: not there
	found map[string]string // legacy id, address or name: user, or "" for one who has left
	lines map[string]int
}

func (r *agentsReader) read(data []byte) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if !utf8.Valid(data) {
		r.add(&Error{Text: "this is not a CSV file in UTF-8", Hint: "save it as CSV UTF-8"})
		return
	}
	in := csv.NewReader(bytes.NewReader(data))
	in.Comma, in.FieldsPerRecord, in.LazyQuotes, in.TrimLeadingSpace = delimiterOf(data), -1, true, true
	for first := true; ; first = false {
		row, err := in.Read()
		switch {
		case errors.Is(err, io.EOF):
			if first {
				r.add(&Error{Text: "the file of agents is empty"})
			}
			return
		case err != nil:
			r.add(&Error{Text: err.Error()})
			return
		}
		line, _ := in.FieldPos(0)
		if !first {
			r.row(row, line)
		} else if !r.header(row) {
			return
		}
	}
}

// delimiterOf is the character that separates the columns of the first line: spreadsheets write what their country does.
func delimiterOf(data []byte) rune {
	line, _, _ := bytes.Cut(data, []byte("\n"))
	best := ','
	for _, c := range ";\t" {
		if bytes.Count(line, []byte(string(c))) > bytes.Count(line, []byte(string(best))) {
			best = c
		}
	}
	return best
}

func (r *agentsReader) header(row []string) bool {
	for i, name := range agentColumns {
		r.at[i] = slices.IndexFunc(row, func(h string) bool { return fold(h) == fold(name) })
	}
	if r.at[agentUser] < 0 || max(r.at[agentID], r.at[agentAddress], r.at[agentName]) < 0 {
		r.add(&Error{
			Line: 1, Text: fmt.Sprintf("the header lacks the column %q, or each of %q, %q and %q", agentColumns[agentUser], agentColumns[agentID], agentColumns[agentAddress], agentColumns[agentName]),
			Hint: "hsimport init --agents FILE writes such a file",
		})
		return false
	}
	return true
}

// row takes one agent over: by id and by address, and by name where they have neither, since names are common to many.
func (r *agentsReader) row(row []string, line int) {
	cell := func(column int) string {
		if i := r.at[column]; i >= 0 && i < len(row) {
			return strings.TrimPrefix(strings.TrimSpace(row[i]), "'")
		}
		return ""
	}
	user := cell(agentUser)
	if user == "" {
		return
	}
	if strings.EqualFold(user, left) {
		user = ""
	} else if !isAddress(user) {
		r.add(&Error{Line: line, Text: fmt.Sprintf("%s is not the e-mail of a Help Scout user", shorten(user)), Hint: `write "left" for one who has left, nothing where nothing is to be said`})
		return
	}
	keys := []string{cell(agentID), cell(agentAddress)}
	if keys[0] == "" && keys[1] == "" {
		keys = []string{cell(agentName)}
	}
	if cmp.Or(keys...) == "" {
		r.add(&Error{Line: line, Text: "nothing says who this agent is: legacy id, address and name are empty"})
	}
	for _, k := range keys {
		if k == "" {
			continue
		}
		if old, twice := r.found[tableKey(k)]; twice && !strings.EqualFold(old, user) {
			r.add(&Error{Line: line, Text: fmt.Sprintf("agent %s stands in line %d already, with another user", shorten(k), r.lines[tableKey(k)])})
			continue
		}
		r.found[tableKey(k)], r.lines[tableKey(k)] = user, line
	}
}

// tableKey is the form in which the mapping looks its tables up.
func tableKey(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), " ")) }
