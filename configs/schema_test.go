package configs

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// Every key of the types has its line in the table, and every line its key.
func TestEveryKeyIsDescribed(t *testing.T) {
	known := map[string]bool{}
	var walk func(reflect.Type, string)
	walk = func(typ reflect.Type, key string) {
		if key != "" && !strings.HasSuffix(key, ".*") {
			known[key] = true
			if info, ok := infoOf(key); !ok || info.doc == "" {
				t.Errorf("%s has no description in keyTable", key)
			}
		}
		switch {
		case isText(typ):
		case typ.Kind() == reflect.Struct:
			for i := range typ.NumField() {
				if name := yamlName(typ.Field(i)); name != "" {
					walk(typ.Field(i).Type, join(key, name))
				}
			}
		case typ.Kind() == reflect.Map:
			known[key+".*"] = true
			walk(typ.Elem(), key+".*")
		case typ.Kind() == reflect.Slice && typ.Elem().Kind() == reflect.Struct:
			known[key+".*"] = true
			walk(typ.Elem(), key+".*")
		}
	}
	walk(reflect.TypeFor[Config](), "")
	seen := map[string]bool{}
	for _, info := range keyTable {
		if !known[info.key] {
			t.Errorf("keyTable describes %s, which is no key", info.key)
		}
		if seen[info.key] {
			t.Errorf("keyTable describes %s twice", info.key)
		}
		seen[info.key] = true
	}
}

// Each example value of the table is one that its key takes.
func TestExampleValuesLoad(t *testing.T) {
	for _, info := range keyTable {
		if info.example == "" {
			continue
		}
		d := &decoder{problems: problems{file: "i.yaml"}, env: noEnv, marks: map[string]mark{}, keys: map[string]mark{}}
		text := ""
		for i, part := range strings.Split(info.key, ".") {
			text += "\n" + strings.Repeat(" ", i) + part + ":"
		}
		root := d.document([]byte(text + " " + info.example + "\n"))
		if root == nil {
			t.Errorf("example of %s: %v", info.key, d.err())
			continue
		}
		var c Config
		d.section(root, reflect.ValueOf(&c).Elem(), "")
		d.check(&c)
		for _, e := range d.list {
			if strings.HasPrefix(e.Key, info.key) && !strings.Contains(e.Text, "does nothing") {
				t.Errorf("example of %s: %v", info.key, e)
			}
		}
	}
}

func TestSchemaAcceptsWhatLoads(t *testing.T) {
	schema := loadSchema(t)
	texts := map[string]string{
		"minimal": minimal, "open": with("mapping: {headroom: '?', statuses: {a: '?'}, internal: '?'}\nrun: {share: '?'}\n"),
		"variables": with("run: {workers: \"${N}\", settle: 1d12h}\n"), "one path": strings.Replace(minimal, "[t.csv]", "t.csv", 1),
		"nothing": with("mapping:\nrun: {order: }\n"), "routes": with(routed), "tables": with("mapping: {tags: {a: 1.10, b: true}, inline_size: 5 MB, max_text: 1000000}\n"),
	}
	for _, name := range exampleNames(t) {
		data, _ := Example(name)
		texts[name] = string(data)
	}
	for name, text := range texts {
		if _, err := Parse("i.yaml", []byte(text), env("N", "3")); err != nil {
			t.Errorf("%s does not load: %v", name, err)
		}
		if err := validate(schema, schema, document(t, text), ""); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSchemaRefuses(t *testing.T) {
	schema := loadSchema(t)
	for _, text := range []string{
		"version: 1\n", with("zebra: 1\n"), with("mapping: {default_status: shut}\n"), with("mapping: {statuses: {a: shut}}\n"),
		with("mapping: {max_threads: 101}\n"), with("mapping: {max_threads: many}\n"), with("mapping: {agent_domains: {a: b}}\n"),
		with("mapping: {routes: {mailbox: Sales}}\n"), with("mapping: {redact: [{preset: cars}]}\n"), with("mapping: {routes: [{mailbox: Sales, wen: {tags: a}}]}\n"),
		with("run: {share: 80}\n"), with("run: {workers: 0}\n"), with("run: {settle: soon}\n"), with("mapping: []\n"),
		strings.Replace(minimal, "csv", "cvs", 1), strings.Replace(minimal, "version: 1", "version: 2", 1),
	} {
		if _, err := Parse("i.yaml", []byte(text), noEnv); err == nil {
			t.Errorf("loads:\n%s", text)
		}
		if err := validate(schema, schema, document(t, text), ""); err == nil {
			t.Errorf("the schema accepts\n%s", text)
		}
	}
}

func loadSchema(t *testing.T) map[string]any {
	t.Helper()
	var schema map[string]any
	if err := json.Unmarshal(Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	return schema
}

// document is YAML as a validator for JSON sees it.
func document(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := yaml.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// validate knows the part of JSON Schema that Schema uses, and fails on any other keyword.
func validate(root, schema map[string]any, v any, at string) error {
	for keyword, arg := range schema {
		ok := true
		switch keyword {
		case "$schema", "title", "description", "$defs":
		case "$ref":
			name := strings.TrimPrefix(arg.(string), "#/$defs/")
			if err := validate(root, root["$defs"].(map[string]any)[name].(map[string]any), v, at); err != nil {
				return err
			}
		case "type":
			ok = slices.ContainsFunc(words(arg), func(w string) bool { return hasType(v, w) })
		case "enum":
			ok = slices.ContainsFunc(arg.([]any), func(e any) bool { return e == v })
		case "const":
			ok = arg == v
		case "pattern":
			s, isString := v.(string)
			ok = !isString || regexp.MustCompile(arg.(string)).MatchString(s)
		case "minimum", "maximum", "exclusiveMinimum":
			ok = inBound(keyword, arg.(float64), v)
		case "anyOf":
			ok = slices.ContainsFunc(arg.([]any), func(s any) bool { return validate(root, s.(map[string]any), v, at) == nil })
		case "required":
			m, isObject := v.(map[string]any)
			for _, name := range words(arg) {
				_, has := m[name]
				ok = ok && (!isObject || has)
			}
		case "items":
			for i, item := range list(v) {
				if err := validate(root, arg.(map[string]any), item, fmt.Sprintf("%s[%d]", at, i)); err != nil {
					return err
				}
			}
		case "properties", "additionalProperties":
			if err := validateObject(root, schema, v, at); err != nil {
				return err
			}
		default:
			return fmt.Errorf("%s: keyword %s is not known to this test", at, keyword)
		}
		if !ok {
			return fmt.Errorf("%s: %v is against %s %v", at, v, keyword, arg)
		}
	}
	return nil
}

func validateObject(root, schema map[string]any, v any, at string) error {
	object, _ := v.(map[string]any)
	properties, _ := schema["properties"].(map[string]any)
	for name, value := range object {
		sub, known := properties[name].(map[string]any)
		if !known {
			if sub, known = schema["additionalProperties"].(map[string]any); !known {
				return fmt.Errorf("%s: key %s is not known", at, name)
			}
		}
		if err := validate(root, sub, value, join(at, name)); err != nil {
			return err
		}
	}
	return nil
}

func inBound(keyword string, bound float64, v any) bool {
	f, isNumber := v.(float64)
	switch {
	case !isNumber:
		return true
	case keyword == "minimum":
		return f >= bound
	case keyword == "maximum":
		return f <= bound
	}
	return f > bound
}

func words(arg any) (all []string) {
	if s, one := arg.(string); one {
		return []string{s}
	}
	for _, w := range arg.([]any) {
		all = append(all, w.(string))
	}
	return all
}

func list(v any) []any { l, _ := v.([]any); return l }

func hasType(v any, name string) bool {
	switch name {
	case "null":
		return v == nil
	case "object":
		_, ok := v.(map[string]any)
		return ok
	case "array":
		_, ok := v.([]any)
		return ok
	case "string":
		_, ok := v.(string)
		return ok
	case "boolean":
		_, ok := v.(bool)
		return ok
	}
	f, ok := v.(float64)
	return ok && (name == "number" || f == float64(int64(f)))
}

const routed = `mapping:
  routes:
    - mailbox: Sales
      when: {inboxes: [Acme, Acme Pro], groups: "?"}
    - mailbox: 102
      when: {addresses: sales@support.example}
  filters:
    from: 2020-01-01
    to: 2026-11-30T18:00:00+01:00
    exclude: [{tags: test, statuses: [deleted]}]
    only:
      - groups: [Support]
  redact:
    - {name: passwords, pattern: 'password: \S+$', with: '***'}
    - preset: cards
`
