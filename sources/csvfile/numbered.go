package csvfile

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"hsimport/sources"
)

// Some exports give each comment columns of its own: Comment 1, Comment 1 Author, Comment 1 Date, Comment 2 and so on.
// Their headers are named with {n} for the number: Comment {n}.

const numberMark = "{n}"

var digitRun = regexp.MustCompile(`\d+`)

// findNumbered returns the columns of a spec with {n}, in the order of the numbers.
func (b *binding) findNumbered(spec string) []int {
	before, after, _ := strings.Cut(spec, numberMark)
	type numbered struct{ col, n int }
	var found []numbered
	for i, h := range b.raw {
		if len(h) <= len(before)+len(after) || !strings.EqualFold(h[:len(before)], before) || !strings.EqualFold(h[len(h)-len(after):], after) {
			continue
		}
		if digits := h[len(before) : len(h)-len(after)]; allDigits(digits) && len(digits) <= 6 {
			n, _ := strconv.Atoi(digits)
			found = append(found, numbered{i, n})
		}
	}
	slices.SortStableFunc(found, func(a, b numbered) int { return cmp.Compare(a.n, b.n) })
	var cols []int
	for _, f := range found {
		cols = append(cols, f.col)
	}
	return cols
}

// beside reads the author and the time that stand beside comment i of a row.
func (v *rowView) beside(i int, facts *dateFacts) (author string, at cellDate) {
	var scratch []byte // that of v may hold the comment
	if cols := v.f.b.cols[commentAuthors]; i < len(cols) {
		author = strings.TrimSpace(clean(string(v.rec.cell(cols[i], &v.f.d.dialect, &scratch))))
	}
	if cols := v.f.b.cols[commentDates]; i < len(cols) {
		at = v.f.dates.read(v.rec.cell(cols[i], &v.f.d.dialect, &scratch), facts)
	}
	return nullToEmpty(author), at
}

// checkComments refuses authors or times of which nobody could say which comment they belong to.
func (s *Source) checkComments(f *file, key string) error {
	n := len(f.b.cols[comments])
	for _, r := range [...]role{commentAuthors, commentDates} {
		if got := len(f.b.cols[r]); got > 0 && got != n {
			return &sources.InputError{
				Position: sources.Position{File: f.in.name, Offset: -1},
				Err:      fmt.Errorf("%s: comments names %d columns and %s names %d: they go together in their order", key, n, r, got),
				Hint:     "{n} stands for the number, so that all of a kind are named: Comment {n}, Comment {n} Author",
			}
		}
	}
	return nil
}

// numberedComments finds comments that have columns of their own, with those of their authors and times.
func (g *guesser) numberedComments(out map[string]string) {
	numbers := map[string]int{} // of headers by their spec
	var order []string
	for i, h := range g.header {
		if at := digitRun.FindAllStringIndex(h, 2); len(at) == 1 && !g.taken[i] {
			spec := h[:at[0][0]] + numberMark + h[at[0][1]:]
			if numbers[spec]++; numbers[spec] == 1 {
				order = append(order, spec)
			}
		}
	}
	for _, spec := range order {
		r, ok := numberedRoles[foldHeader(strings.Replace(spec, numberMark, "", 1))]
		if _, taken := out[r.String()]; ok && !taken {
			out[r.String()] = spec
		}
	}
	n := numbers[out[comments.String()]]
	for _, r := range [...]role{commentAuthors, commentDates} {
		if spec, ok := out[r.String()]; ok && numbers[spec] != n {
			delete(out, r.String())
		}
	}
}

// numberedRoles are what headers mean once their number is taken off.
var numberedRoles = map[string]role{
	"comment": comments, "commenttext": comments, "commentbody": comments, "note": comments, "reply": comments, "response": comments,
	"commentauthor": commentAuthors, "commentby": commentAuthors, "commentuser": commentAuthors, "commentcreator": commentAuthors,
	"noteauthor": commentAuthors, "replyauthor": commentAuthors, "replyby": commentAuthors, "noteby": commentAuthors,
	"commentdate": commentDates, "commenttime": commentDates, "commentcreated": commentDates, "commentcreatedat": commentDates,
	"commenttimestamp": commentDates, "notedate": commentDates, "replydate": commentDates, "commentedat": commentDates,
}
