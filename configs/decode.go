package configs

import (
	"bytes"
	"encoding"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// Bounds of what is read: a table of ten thousand agents is some 600 kB and 20,000 nodes.
const (
	maxBytes = 8 << 20
	maxNodes = 1 << 19 // visited, so that aliases count as often as they are used
)

// A mark is where a key or value stands.
type mark struct{ line, column int }

// A decoder walks the nodes of one file into a Config and remembers where each key stands.
type decoder struct {
	problems
	env        func(string) (string, bool)
	marks      map[string]mark // key path: its value's place
	keys       map[string]mark // key path: the key's own place
	unanswered []Unanswered
	visited    int
}

// document parses data into its one root mapping; nil when it cannot be had, with the reason added.
func (d *decoder) document(data []byte) *yaml.Node {
	if len(data) > maxBytes {
		d.add(tooLarge(d.file, int64(len(data))))
		return nil
	}
	if i := foreign(data); i >= 0 {
		d.add(&Error{
			Line: 1 + bytes.Count(data[:i], []byte("\n")), Text: fmt.Sprintf("byte 0x%02x is no text: this is not a YAML file in UTF-8", data[i]),
			Hint: "save it as UTF-8",
		})
		return nil
	}
	root, second, err := documents(data)
	switch {
	case errors.Is(err, io.EOF):
		d.add(&Error{Text: "the configuration is empty", Hint: "hsimport init FILE drafts one"})
	case err != nil:
		d.add(syntaxError(err, data))
	case second != nil:
		d.add(&Error{Line: second.Line, Column: second.Column, Text: "a second YAML document begins here; a configuration is one"})
	case root.Kind != yaml.MappingNode:
		d.add(&Error{Line: root.Line, Column: root.Column, Text: "a configuration is a table of keys, this is " + kindName(root)})
	default:
		return root
	}
	return nil
}

// foreign is the offset of the first byte that no YAML file in UTF-8 holds, or -1. A file in UTF-16 says so at its start.
func foreign(data []byte) int {
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		return -1
	}
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size <= 1 || r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0x7f {
			return i
		}
		i += size
	}
	return -1
}

func tooLarge(file string, size int64) *Error {
	return &Error{
		File: file, Text: fmt.Sprintf("%d bytes are too many for a configuration: the most is %d", size, maxBytes),
		Hint: "is this the export itself? hsimport init FILE drafts a configuration for it",
	}
}

// documents returns the first document's root and, if there is one, the second document. A panic of the YAML library
// is an error of the file, not of the person.
func documents(data []byte) (root, second *yaml.Node, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("this cannot be read as YAML: %v", v)
		}
	}()
	loader, err := yaml.NewLoader(bytes.NewReader(data))
	if err != nil {
		return nil, nil, err
	}
	var first, next yaml.Node
	if err := loader.Load(&first); err != nil {
		return nil, nil, err
	}
	switch err := loader.Load(&next); {
	case err == nil:
		second = &next
	case !errors.Is(err, io.EOF):
		return nil, nil, err
	}
	if first.Kind != yaml.DocumentNode || len(first.Content) != 1 {
		return nil, nil, io.EOF
	}
	return first.Content[0], second, nil
}

// syntaxError puts the YAML library's words into ours, with a hint for the mistakes people make.
func syntaxError(err error, data []byte) *Error {
	var load *yaml.LoadError
	if !errors.As(err, &load) {
		return &Error{Text: err.Error()}
	}
	e := &Error{Line: load.Mark.Line, Column: load.Mark.Column, Text: "not valid YAML: " + load.Message}
	lines := bytes.SplitN(data, []byte("\n"), e.Line+1)
	if e.Line < 1 || e.Line > len(lines) {
		return e
	}
	line := strings.TrimRight(string(lines[e.Line-1]), "\r\n")
	trimmed := strings.TrimLeft(line, " ")
	switch {
	case strings.HasPrefix(trimmed, "\t"):
		e.Text, e.Hint = "a tab in the indentation", "YAML is indented with blanks"
	case strings.Contains(line, "${"):
		e.Hint = "inside [ ] and { } a value with ${NAME} is written in quotes"
	case strings.Contains(line, ": ?"):
		e.Hint = `a question mark is written in quotes: "?"`
	case strings.Contains(line, ": @"), strings.Contains(line, ": %"), strings.Contains(line, ": `"), strings.Contains(line, "- @"):
		e.Hint = "a value that begins with @, % or ` is written in quotes"
	case strings.Contains(load.Message, "mapping values are not allowed"):
		e.Hint = "a value that holds a colon and a blank is written in quotes; or the line is indented too far"
	case strings.Contains(load.Message, "unknown anchor"):
		e.Hint = "a value that begins with * is written in quotes"
	}
	return e
}

// resolve follows an alias and counts what is visited; nil when that is too much. Depth needs no bound of its own: the
// types end it here, the library ends it while parsing.
func (d *decoder) resolve(n *yaml.Node, key string) *yaml.Node {
	if d.visited++; d.visited > maxNodes {
		if d.visited == maxNodes+1 {
			d.fail(n, key, "aliases repeat too much of the file")
		}
		return nil
	}
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

func (d *decoder) fail(n *yaml.Node, key, text string) *Error {
	e := &Error{Line: n.Line, Column: n.Column, Key: key, Text: text}
	d.add(e)
	return e
}

// value decodes n into v. What cannot be decoded leaves v alone and is added to the problems.
func (d *decoder) value(n *yaml.Node, v reflect.Value, key string) {
	at := mark{n.Line, n.Column}
	if n = d.resolve(n, key); n == nil {
		return
	}
	d.marks[key] = at
	if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" {
		return // "key:" with nothing after it is a key left out
	}
	if isText(v.Type()) {
		d.text(n, v, key)
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		p := reflect.New(v.Type().Elem())
		before := len(d.list)
		if d.value(n, p.Elem(), key); len(d.list) == before && !d.isUnanswered(key) {
			v.Set(p)
		}
	case reflect.Struct:
		d.section(n, v, key)
	case reflect.Map:
		d.table(n, v, key)
	case reflect.Slice:
		d.items(n, v, key)
	default:
		d.text(n, v, key)
	}
}

// isText says whether a value of this type is written as one scalar although its kind may be another.
func isText(t reflect.Type) bool {
	return reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) ||
		t == reflect.TypeFor[time.Time]() || t == reflect.TypeFor[time.Duration]()
}

// section decodes a mapping into a struct of ours.
func (d *decoder) section(n *yaml.Node, v reflect.Value, key string) {
	if n.Kind != yaml.MappingNode {
		d.fail(n, key, "a section of keys is expected here, this is "+kindName(n))
		return
	}
	fields := fieldsOf(v.Type())
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, val := n.Content[i], n.Content[i+1]
		name, ok := d.keyText(k, key)
		if !ok {
			continue
		}
		full := join(key, name)
		index, known := fields[name]
		if !known {
			d.unknown(k, key, name, fields)
			continue
		}
		if line, again := seen[name]; again {
			d.fail(k, full, fmt.Sprintf("written twice; first on line %d", line))
			continue
		}
		seen[name] = k.Line
		d.keys[full] = mark{k.Line, k.Column}
		d.value(val, v.Field(index), full)
	}
}

// unknown refuses a key with what was probably meant.
func (d *decoder) unknown(k *yaml.Node, section, name string, fields map[string]int) {
	e := d.fail(k, join(section, name), "unknown key")
	if hint := secretHint(name); hint != "" {
		e.Text, e.Hint = "secrets do not belong into the configuration", hint
		return
	}
	names := make([]string, 0, len(fields))
	for f := range fields {
		names = append(names, f)
	}
	slices.Sort(names)
	e.Nearest = nearest(name, names)
	if place := placeOf(name); place != "" && fold(e.Nearest) != fold(name) {
		e.Nearest = place // that very key, of another section
	}
	switch {
	case e.Nearest != "":
	case strings.Contains(name, ":"):
		e.Hint = "a blank belongs after the colon"
	case len(names) <= 12:
		e.Hint = "known here: " + strings.Join(names, ", ")
	}
}

// table decodes a mapping into a map; its keys are the text as written, trimmed.
func (d *decoder) table(n *yaml.Node, v reflect.Value, key string) {
	if n.Kind != yaml.MappingNode {
		d.fail(n, key, "a table is expected here ({old: new}), this is "+kindName(n))
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, val := n.Content[i], n.Content[i+1]
		name, ok := d.keyText(k, key)
		if !ok {
			continue
		}
		full := join(key, name)
		folded := strings.ToLower(name)
		if line, again := seen[folded]; again {
			d.fail(k, full, fmt.Sprintf("written twice (case does not count); first on line %d", line))
			continue
		}
		seen[folded] = k.Line
		d.keys[full] = mark{k.Line, k.Column}
		elem := reflect.New(v.Type().Elem()).Elem()
		before := len(d.list)
		if d.value(val, elem, full); len(d.list) == before && !d.isUnanswered(full) {
			v.SetMapIndex(reflect.ValueOf(name), elem)
		}
	}
}

// items decodes a sequence; a single scalar is a list of one, and a list with an open entry is open as a whole.
func (d *decoder) items(n *yaml.Node, v reflect.Value, key string) {
	content := []*yaml.Node{n}
	switch n.Kind {
	case yaml.SequenceNode:
		content = n.Content
	case yaml.ScalarNode:
	default:
		e := d.fail(n, key, "a list is expected here ([a, b]), this is "+kindName(n))
		if v.Type().Elem().Kind() == reflect.Struct {
			e.Text, e.Hint = "a list is expected here, this is "+kindName(n), "begin each entry with \"- \""
		}
		return
	}
	list, left := reflect.MakeSlice(v.Type(), 0, len(content)), false
	for i, c := range content {
		full := fmt.Sprintf("%s[%d]", key, i)
		elem := reflect.New(v.Type().Elem()).Elem()
		before := len(d.list)
		if d.value(c, elem, full); len(d.list) == before {
			list = reflect.Append(list, elem)
		}
		left = left || d.isUnanswered(full)
	}
	if !left {
		v.Set(list)
	}
}

// keyText is a key as written, trimmed.
func (d *decoder) keyText(k *yaml.Node, section string) (string, bool) {
	if k = d.resolve(k, section); k == nil {
		return "", false
	}
	switch {
	case k.Kind != yaml.ScalarNode:
		d.fail(k, section, "a key is a word, this is "+kindName(k))
		return "", false
	case k.ShortTag() == "!!merge":
		d.fail(k, section, "merge keys (<<) are not read").Hint = `write the keys out; a legacy value << is written "<<"`
		return "", false
	}
	return strings.TrimSpace(k.Value), true
}

// fieldsOf maps the yaml names of a struct's fields to their index.
func fieldsOf(t reflect.Type) map[string]int {
	fields := map[string]int{}
	for i := range t.NumField() {
		if name := yamlName(t.Field(i)); name != "" {
			fields[name] = i
		}
	}
	return fields
}

// yamlName is the key of a field, or "" when it is not one.
func yamlName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	if name == "-" || !f.IsExported() {
		return ""
	}
	return name
}

// join is the path of a key. In a table an empty one is a key too: it is written as in the file.
func join(section, key string) string {
	if key == "" {
		key = `""`
	}
	if section == "" {
		return key
	}
	return section + "." + key
}

func kindName(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a table"
	case yaml.SequenceNode:
		return "a list"
	}
	switch n.ShortTag() {
	case "!!null":
		return "nothing"
	case "!!bool":
		return "true or false (" + n.Value + ")"
	case "!!int", "!!float":
		return "a number (" + n.Value + ")"
	}
	return fmt.Sprintf("text (%s)", shorten(n.Value))
}

func shorten(s string) string {
	if r := []rune(s); len(r) > 40 {
		s = string(r[:40]) + "..."
	}
	return fmt.Sprintf("%q", s)
}
