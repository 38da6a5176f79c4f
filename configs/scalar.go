package configs

import (
	"encoding"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"hsimport/mapping"
)

// open is the value that says: a person still has to decide this.
const open = "?"

// text decodes a scalar into a string, number, switch, or a type that is written as text.
func (d *decoder) text(n *yaml.Node, v reflect.Value, key string) {
	if n.Kind != yaml.ScalarNode {
		d.fail(n, key, "one value is expected here, this is "+kindName(n))
		return
	}
	switch tag := n.ShortTag(); tag {
	case "!!str", "!!int", "!!float", "!!bool", "!!null", "!!timestamp":
	default:
		d.fail(n, key, "values of type "+tag+" are not read")
		return
	}
	s, ok := n.Value, true
	if v.Type() != reflect.TypeFor[Template]() {
		s, ok = d.expand(n, key)
	}
	if !ok {
		return
	}
	if strings.TrimSpace(s) == open {
		d.unanswered = append(d.unanswered, Unanswered{Key: key, Line: n.Line})
		if key == "source.csv.time_zone" || key == "source.json.time_zone" {
			v.SetString(open) // tables say themselves whether a date needs the zone
		}
		return
	}
	if err := setScalar(v, s); err != nil {
		d.fail(n, key, err.Error())
	}
}

func (d *decoder) isUnanswered(key string) bool {
	last := len(d.unanswered) - 1
	return last >= 0 && d.unanswered[last].Key == key
}

// setScalar puts the text s into v; the error says what is expected.
func setScalar(v reflect.Value, s string) error {
	trimmed := strings.TrimSpace(s)
	switch p := v.Addr().Interface().(type) {
	case *time.Time:
		return setTime(p, trimmed)
	case *time.Duration:
		return (*mapping.Duration)(p).UnmarshalText([]byte(trimmed))
	case encoding.TextUnmarshaler:
		return p.UnmarshalText([]byte(trimmed))
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(s) // untrimmed: a delimiter may be a tab
	case reflect.Bool:
		return setBool(v, trimmed)
	case reflect.Int, reflect.Int64:
		i, err := strconv.ParseInt(trimmed, 10, 64)
		if err != nil || i > math.MaxInt32 && v.Kind() == reflect.Int {
			return fmt.Errorf("a whole number is expected here, this is %s", shorten(s))
		}
		v.SetInt(i)
	default:
		return fmt.Errorf("keys of type %s are not read", v.Type())
	}
	return nil
}

func setBool(v reflect.Value, s string) error {
	switch strings.ToLower(s) {
	case "true":
		v.SetBool(true)
	case "false":
		v.SetBool(false)
	default:
		return fmt.Errorf("true or false is expected here, this is %s", shorten(s))
	}
	return nil
}

// setTime reads a moment; one without a zone could be any of twenty-six hours and is refused.
func setTime(t *time.Time, s string) error {
	for _, layout := range []string{time.RFC3339, "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05 Z07:00", "2006-01-02T15:04Z07:00"} {
		if at, err := time.Parse(layout, s); err == nil {
			*t = at.UTC()
			return nil
		}
	}
	return fmt.Errorf("a moment with its zone is expected here, such as 2026-11-30T18:00:00Z or 2026-11-30T18:00:00+01:00; this is %s", shorten(s))
}

// expand replaces ${NAME} by the environment's NAME and $$ by $.
func (d *decoder) expand(n *yaml.Node, key string) (string, bool) {
	s := n.Value
	if !strings.Contains(s, "$") {
		return s, true
	}
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(s, "$")
		b.WriteString(before)
		if !found {
			return b.String(), true
		}
		switch {
		case strings.HasPrefix(rest, "$"):
			b.WriteByte('$')
			s = rest[1:]
		case strings.HasPrefix(rest, "{"):
			name, after, closed := strings.Cut(rest[1:], "}")
			value, ok := d.variable(n, key, name, closed)
			if !ok {
				return "", false
			}
			b.WriteString(value)
			s = after
		default: // a price, a pattern: the dollar is itself
			b.WriteByte('$')
			s = rest
		}
	}
}

func (d *decoder) variable(n *yaml.Node, key, name string, closed bool) (string, bool) {
	if !closed || !isVariable(name) {
		d.fail(n, key, "${"+strings.Trim(shorten(name), `"`)+" is not a variable").Hint = "${NAME} is the environment's NAME, $$ is a dollar"
		return "", false
	}
	if strings.HasPrefix(name, "HELPSCOUT_APP_") {
		d.fail(n, key, name+" does not belong into the configuration").Hint = "it is read from the environment where it is used"
		return "", false
	}
	value, set := "", false
	if d.env != nil {
		value, set = d.env(name)
	}
	if !set {
		d.fail(n, key, "the environment variable "+name+" is not set").Hint = "a literal ${ is written $${"
		return "", false
	}
	return value, true
}

func isVariable(name string) bool {
	for i, r := range name {
		letter := r == '_' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return name != ""
}

// secretHint says where a secret belongs, when a key's name sounds like one.
func secretHint(name string) string {
	switch f := fold(name); {
	case f == "appid", f == "clientid":
		return "set HELPSCOUT_APP_ID in the environment"
	case strings.Contains(f, "secret"):
		return "set HELPSCOUT_APP_SECRET in the environment"
	case strings.Contains(f, "password"), strings.Contains(f, "apikey"), strings.HasSuffix(f, "token"), f == "credentials":
		return "set HELPSCOUT_APP_ID and HELPSCOUT_APP_SECRET in the environment"
	}
	return ""
}
