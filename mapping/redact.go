package mapping

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"hsimport/sources"
)

// A Redaction blackens text that must not come along: in subjects, texts, values of custom fields and names of files.
// What is inside of attachments, and names and addresses of people, stay as they are.
type Redaction struct {
	Name    string `yaml:"name"`    // counted under; empty: the preset, else the pattern
	Pattern string `yaml:"pattern"` // RE2, https://github.com/google/re2/wiki/Syntax
	Preset  string `yaml:"preset"`  // cards: numbers of payment cards, by their length and check digit
	With    string `yaml:"with"`    // what takes its place, as it is; empty: [redacted]
}

var redactPresets = []string{"", "cards"}

// redaction is a Redaction, folded. Exported names are part of the digest.
type redaction struct {
	Name, Pattern, Preset, With string
	re                          *regexp.Regexp
}

const defaultRedacted = "[redacted]"

func (o Options) redactions() (out []redaction) {
	for _, r := range o.Redact {
		f := redaction{Pattern: r.Pattern, Preset: fold(r.Preset), With: firstOf(oneLine(r.With), defaultRedacted)}
		f.Name = firstOf(oneLine(r.Name), f.Preset, r.Pattern)
		if r.Pattern != "" {
			re, err := regexp.Compile(r.Pattern)
			if err != nil {
				continue // Check says so, and blocks the job
			}
			f.re = re
		}
		out = append(out, f)
	}
	return out
}

func (o Options) checkRedactions(c *checker) {
	for i, r := range o.Redact {
		key := fmt.Sprintf("redact[%d]", i)
		c.oneOf(key+".preset", r.Preset, redactPresets)
		if (r.Pattern == "") == (r.Preset == "") {
			c.add(key, "write either pattern or preset")
			continue
		}
		re, err := regexp.Compile(r.Pattern)
		switch {
		case err != nil:
			c.add(key+".pattern", "%q is not a pattern (%s)", shorten(r.Pattern, 80), strings.TrimPrefix(err.Error(), "error parsing regexp: "))
		case r.Pattern != "" && re.MatchString(""):
			c.add(key+".pattern", "%q fits every place, even where nothing stands", shorten(r.Pattern, 80))
		}
	}
}

// span is a piece of text to be redacted: s[from:to].
type span struct {
	from, to int
	with     string
}

// spans are the places of s that any rule fits, in order; those that touch or overlap are one, with the first rule's
// replacement. hits counts by rule.
func spans(rules []redaction, s string, hits []int) []span {
	var all []span
	for i, r := range rules {
		var found [][]int
		if r.re != nil {
			found = r.re.FindAllStringIndex(s, -1)
		} else {
			found = cardNumbers(s)
		}
		for _, f := range found {
			if f[0] < f[1] {
				all = append(all, span{f[0], f[1], r.With})
				hits[i]++
			}
		}
	}
	slices.SortStableFunc(all, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	merged := all[:0]
	for _, x := range all {
		if last := len(merged) - 1; last >= 0 && x.from < merged[last].to {
			merged[last].to = max(merged[last].to, x.to)
			continue
		}
		merged = append(merged, x)
	}
	return merged
}

// redactText is s without what the rules fit.
func redactText(rules []redaction, s string, hits []int) string {
	found := spans(rules, s, hits)
	if len(found) == 0 {
		return s
	}
	var b strings.Builder
	done := 0
	for _, x := range found {
		b.WriteString(s[done:x.from])
		b.WriteString(x.with)
		done = x.to
	}
	b.WriteString(s[done:])
	return b.String()
}

// redacted is the ticket as it may be seen: a copy where a rule fits something. Keys and digests stay the source's.
func (w *work) redacted(t *sources.Ticket) *sources.Ticket {
	rules := w.m.Redactions
	if len(rules) == 0 {
		return t
	}
	c := *t
	hits := make([]int, len(rules))
	c.Subject = redactText(rules, t.Subject, hits)
	c.Fields = slices.Clone(t.Fields)
	for i := range c.Fields {
		c.Fields[i].Value = redactText(rules, c.Fields[i].Value, hits)
	}
	w.noteRedacted(hits, t.Position)
	c.Messages = make([]*sources.Message, len(t.Messages))
	for i, msg := range t.Messages {
		c.Messages[i] = w.redactedMessage(msg)
	}
	return &c
}

func (w *work) redactedMessage(msg *sources.Message) *sources.Message {
	rules, hits := w.m.Redactions, make([]int, len(w.m.Redactions))
	c := *msg
	c.Subject = redactText(rules, msg.Subject, make([]int, len(rules))) // the ticket's, for the most part
	body, removed := cleanText(msg.Body)                                // a zero byte in a number must not hide it
	if msg.Format == sources.HTML {
		body = redactHTML(rules, body, hits)
	} else {
		body = redactText(rules, body, hits)
	}
	c.Attachments = slices.Clone(msg.Attachments)
	for i, a := range c.Attachments {
		if name := redactText(rules, a.Name, hits); name != a.Name {
			renamed := *a
			renamed.Name = name
			c.Attachments[i] = &renamed
		}
	}
	if slices.Max(hits) > 0 {
		c.Body = body // else the text stays as it was, to the byte
		w.noteRemoved(removed, msg.Position)
	}
	w.noteRedacted(hits, msg.Position)
	return &c
}

func (w *work) noteRedacted(hits []int, at sources.Position) {
	for i, n := range hits {
		if n == 0 {
			continue
		}
		name := w.m.Redactions[i].Name
		w.findAt(at, sources.Info, codeRedacted, name, "%s redacted by %s", places(n), quote(name))
		w.findings[len(w.findings)-1].N = n
	}
}

func places(n int) string {
	if n == 1 {
		return "1 place is"
	}
	return itoa(n) + " places are"
}

// Lengths of card numbers, ISO/IEC 7812-1.
const (
	minCard = 13
	maxCard = 19
)

// cardStarts are the first digits of the numbers of each length, from minCard on, as the issuers' ranges have them.
var cardStarts = [...]string{"4", "3", "3", "23456", "56", "56", "46"}

// cardNumbers finds what is a card's number by its length, its first digit and its check digit; single blanks
// or hyphens may stand between its digits.
func cardNumbers(s string) (found [][]int) {
	for i := 0; i < len(s); {
		if !digit(s[i]) {
			i++
			continue
		}
		end := digitsEnd(s, i)
		found = append(found, cardsIn(s, i, end)...)
		i = end
	}
	return found
}

// digitsEnd is the end of the run of digits, with single separators in it, that begins at i.
func digitsEnd(s string, i int) int {
	for i < len(s) {
		switch {
		case digit(s[i]):
			i++
		case (s[i] == ' ' || s[i] == '-') && i+1 < len(s) && digit(s[i+1]):
			i += 2
		default:
			return i
		}
	}
	return i
}

// cardsIn finds the numbers in one run: each begins and ends at a separator or at the run's own ends.
func cardsIn(s string, from, end int) (found [][]int) {
	for i := from; i < end; i++ {
		if !digit(s[i]) || i > from && digit(s[i-1]) {
			continue
		}
		if to := cardAt(s[:end], i); to > 0 {
			found = append(found, []int{i, to})
			i = to - 1
		}
	}
	return found
}

// cardAt is the end of the longest card number that begins at i, or 0.
func cardAt(s string, i int) (to int) {
	var digits [maxCard]int
	n := 0
	for j := i; j < len(s) && n < maxCard; j++ {
		if !digit(s[j]) {
			continue
		}
		digits[n] = int(s[j] - '0')
		n++
		if last := j+1 == len(s) || !digit(s[j+1]); last && n >= minCard && strings.IndexByte(cardStarts[n-minCard], s[i]) >= 0 && luhn(digits[:n]) {
			to = j + 1
		}
	}
	return to
}

// luhn is the check of ISO/IEC 7812-1, annex B.
func luhn(digits []int) bool {
	sum := 0
	for i, d := range digits {
		if (len(digits)-i)%2 == 0 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}

func digit(c byte) bool { return '0' <= c && c <= '9' }
