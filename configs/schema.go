package configs

import (
	"encoding/json"
	"reflect"
	"slices"
	"time"

	"hsimport/importer"
	"hsimport/mapping"
)

// Schema is the JSON Schema (draft 2020-12) of the format, for editors that complete and check YAML. It is made from the
// types and the table of keys. Parse has the last word: it knows more, and does not mind a number in quotes.
func Schema() []byte {
	root := schemaOf(reflect.TypeFor[Config](), "")
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "hsimport configuration"
	root["$defs"] = node{"open": node{
		"description": `"?" is left open for a person; ${NAME} is the environment's NAME.`,
		"type":        "string", "pattern": `^\s*\?\s*$|\$\{[A-Za-z_][A-Za-z0-9_]*\}`,
	}}
	data, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		return nil // maps, lists and texts: there is nothing that cannot be written
	}
	return append(data, '\n')
}

// A node is one schema; encoding/json writes its keys in order.
type node map[string]any

var required = map[string][]string{
	"":          {"version", "source", "helpscout"},
	"source":    {"kind", "paths"},
	"helpscout": {"mailbox"},
}

// schemaOf is the schema of a key; pattern is its full name, with * for entries of tables.
func schemaOf(t reflect.Type, pattern string) node {
	s := typeSchema(t, pattern)
	if info, ok := infoOf(pattern); ok {
		s["description"] = info.doc
	}
	return s
}

func typeSchema(t reflect.Type, pattern string) node {
	if isText(t) {
		return orOpen(textSchema(t))
	}
	info, _ := infoOf(pattern)
	switch t.Kind() {
	case reflect.Pointer:
		return typeSchema(t.Elem(), pattern)
	case reflect.Struct:
		return sectionSchema(t, pattern)
	case reflect.Map:
		return node{"type": []string{"object", "null"}, "additionalProperties": schemaOf(t.Elem(), pattern+".*")}
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Struct && !isText(t.Elem()) {
			return node{"type": []string{"array", "null"}, "items": schemaOf(t.Elem(), pattern+".*")}
		}
		return node{"anyOf": []node{{"type": "array", "items": node{"type": scalars}}, {"type": scalars}}}
	case reflect.Bool:
		return orOpen(node{"type": "boolean"})
	case reflect.Int, reflect.Int64:
		number := node{"type": "integer", "minimum": info.min}
		if info.max > 0 {
			number["maximum"] = info.max
		}
		return orOpen(number)
	}
	if info.enum != nil {
		return orOpen(node{"enum": slices.Clone(info.enum)})
	}
	return node{"type": scalars}
}

// scalars are what text may look like to a YAML parser: 0123, true, 1.10. Nothing at all is a key left out.
var scalars = []string{"string", "number", "boolean", "null"}

func sectionSchema(t reflect.Type, pattern string) node {
	properties := node{}
	for i := range t.NumField() {
		if name := yamlName(t.Field(i)); name != "" {
			properties[name] = schemaOf(t.Field(i).Type, join(pattern, name))
		}
	}
	s := node{"type": []string{"object", "null"}, "properties": properties, "additionalProperties": false}
	if names := required[pattern]; names != nil {
		s["type"], s["required"] = "object", names
	}
	return s
}

func orOpen(s node) node {
	return node{"anyOf": []node{s, {"type": "null"}, {"$ref": "#/$defs/open"}}}
}

// textSchema is of values that are one scalar with a notation of their own.
func textSchema(t reflect.Type) node {
	span := node{"type": "string", "pattern": `^[0-9.]+d([0-9.]+(h|m|s|ms|us|µs|ns))*$|^([0-9.]+(h|m|s|ms|us|µs|ns))+$`}
	switch t {
	case reflect.TypeFor[time.Duration](), reflect.TypeFor[mapping.Duration]():
		return node{"anyOf": []node{span, {"const": 0}}}
	case reflect.TypeFor[mapping.Size]():
		return node{"anyOf": []node{{"type": "number", "minimum": 0}, {"type": "string", "pattern": `^[0-9.]+ *([kKmMgG][iI]?)?[bB]?$`}}}
	case reflect.TypeFor[importer.Percent]():
		return node{"anyOf": []node{{"type": "number", "exclusiveMinimum": 0, "maximum": 1}, {"type": "string", "pattern": `^[0-9.]+ *%?$`}}}
	case reflect.TypeFor[importer.Workers]():
		return node{"anyOf": []node{{"const": "auto"}, {"type": "integer", "minimum": 1}}}
	}
	return node{"type": "string"}
}
