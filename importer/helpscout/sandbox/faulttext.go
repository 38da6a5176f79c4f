package sandbox

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ParseFaults reads a fault script: rules separated by blanks, semicolons or line breaks; a line that begins with //
// is a comment.
//
//	rule     = [op] [#n | #n-m | #n-] [%p] [@start[+length]] ["=" kind {"," option}]
//	op       = any, read, write, append, customers, or a kind of call such as create, upload, list, get, token
//	kind     = reset, timeout, slow, html200, empty, cut, refused, outage, 429, 401, or any other status from 300 to 599
//	option   = applied | late:DUR | after:DUR | times:N
//
// An outage befalls all calls, token calls too; without a kind it is refused. See the package documentation for examples. An
// error names the rule and what is wrong with it.
func ParseFaults(text string) (Faults, error) {
	var rules Faults
	for line := range strings.Lines(text) {
		if strings.HasPrefix(strings.TrimSpace(line), "//") {
			continue
		}
		for _, word := range strings.FieldsFunc(line, func(r rune) bool { return r == ';' || r == ' ' || r == '\t' || r == '\n' || r == '\r' }) {
			r, err := parseRule(word)
			if err != nil {
				return nil, fmt.Errorf("fault rule %d, %q: %w", len(rules)+1, word, err)
			}
			rules = append(rules, r)
		}
	}
	return rules, nil
}

func parseRule(word string) (Rule, error) {
	r := Rule{Text: word}
	selector, effect, has := strings.Cut(word, "=")
	name := selector
	if i := strings.IndexAny(selector, "#%@"); i >= 0 {
		name = selector[:i]
	}
	if err := r.parseSelector(selector[len(name):]); err != nil {
		return r, err
	}
	switch {
	case name == "outage":
		r.Op = "outage"
		if !has {
			effect, has = "refused", true
		}
	case name == "":
		r.Op = "any"
	case name == "any" || name == "read" || name == "write" || opGroups[name] != nil || slices.Contains(opKinds, name):
		r.Op = name
	default:
		return r, fmt.Errorf("no call is named %q; there are any, read, write, append, customers, %s", name, strings.Join(opKinds, ", "))
	}
	if !has {
		return r, fmt.Errorf("it has no kind of fault, such as =504 or =reset,applied")
	}
	return r, r.parseEffect(effect)
}

func (r *Rule) parseSelector(s string) error {
	for s != "" {
		mark := s[0]
		end := strings.IndexAny(s[1:], "#%@") + 1
		if end == 0 {
			end = len(s)
		}
		value := s[1:end]
		s = s[end:]
		var err error
		switch mark {
		case '#':
			err = r.parseOrdinal(value)
		case '%':
			r.Chance, err = parseChance(value)
		case '@':
			start, length, has := strings.Cut(value, "+")
			if r.Start, err = parseSpan(start); err == nil && has {
				r.Length, err = parseSpan(length)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *Rule) parseOrdinal(s string) error {
	first, last, ranged := strings.Cut(s, "-")
	n, err := strconv.Atoi(first)
	if err != nil || n < 1 {
		return fmt.Errorf("#%s is not an ordinal such as #7, #3-9 or #3-", s)
	}
	r.From, r.To = n, n
	if ranged {
		r.To = 0
		if last != "" {
			if r.To, err = strconv.Atoi(last); err != nil || r.To < n {
				return fmt.Errorf("#%s is not a range such as #3-9", s)
			}
		}
	}
	return nil
}

func parseChance(s string) (float64, error) {
	p, err := strconv.ParseFloat(s, 64)
	if err != nil || !(p > 0 && p <= 100) {
		return 0, fmt.Errorf("%%%s is not a percentage between 0 and 100", s)
	}
	return p / 100, nil
}

func parseSpan(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%q is not a duration such as 60s or 10m", s)
	}
	return d, nil
}

// kinds of faults by name; the rest are statuses.
var faultNames = map[string]FaultKind{
	"reset": Reset, "timeout": Hang, "hang": Hang, "slow": Slow, "html200": HTML, "empty": Empty, "cut": Cut, "refused": Refused, "outage": Refused,
}

func (r *Rule) parseEffect(s string) error {
	parts := strings.Split(s, ",")
	if kind, ok := faultNames[parts[0]]; ok {
		r.Fault.Kind = kind
	} else {
		code, err := strconv.Atoi(parts[0])
		if err != nil || code < 300 || code > 599 {
			return fmt.Errorf("%q is no kind of fault; there are reset, timeout, slow, html200, empty, cut, refused and the statuses 300 to 599", parts[0])
		}
		r.Fault.Code = code
	}
	for _, option := range parts[1:] {
		if err := r.parseOption(option); err != nil {
			return err
		}
	}
	if r.Fault.Kind == Refused && r.Fault.Apply != NotApplied {
		return fmt.Errorf("a refused call cannot have been applied; use reset")
	}
	if r.Fault.Kind == Slow || r.Fault.Kind == Cut {
		r.Fault.Apply = ApplyBefore
	}
	return nil
}

func (r *Rule) parseOption(s string) (err error) {
	name, value, _ := strings.Cut(s, ":")
	switch name {
	case "applied":
		r.Fault.Apply = ApplyBefore
	case "late":
		r.Fault.Apply = ApplyLate
		r.Fault.Late, err = parseSpan(value)
	case "after", "for":
		r.Fault.After, err = parseSpan(value)
	case "times":
		if r.Times, err = strconv.Atoi(value); err != nil || r.Times < 1 {
			err = fmt.Errorf("times:%s is not a count", value)
		}
	case "lost", "not-applied":
		r.Fault.Apply = NotApplied
	default:
		err = fmt.Errorf("no option is named %q; there are applied, late:DUR, after:DUR, times:N", name)
	}
	return err
}

// String is the fault in the syntax of [ParseFaults].
func (f Fault) String() string {
	text := [...]string{strconv.Itoa(f.Code), "reset", "timeout", "slow", "html200", "empty", "cut", "refused"}[f.Kind]
	switch {
	case f.Kind == Slow || f.Kind == Cut:
	case f.Apply == ApplyBefore:
		text += ",applied"
	case f.Apply == ApplyLate:
		text += ",late:" + f.Late.String()
	}
	if f.After > 0 {
		text += ",after:" + f.After.String()
	}
	return text
}

// String is the script, one rule a line.
func (f Faults) String() string {
	lines := make([]string, len(f))
	for i, r := range f {
		lines[i] = r.Text
	}
	return strings.Join(lines, "\n")
}
