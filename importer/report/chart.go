package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// A chart is stacked columns over time, drawn as SVG, and the same figures as a table.
type chart struct {
	ID, Title, Per string // Per: month, quarter, year, ...
	Total          int
	Legend         []legend
	Bars           []bar
	Grid           []gridLine
	Ticks          []tick
	Wide           int // of the drawing, in its own units
}

type legend struct {
	Name, Class string
	N           int
}

type bar struct {
	Label string
	Rects []rect
	Cells []int // as the legend
	Total int
}

type rect struct {
	X, Y, W, H float64
	Class      string
	Title      string
}

type (
	gridLine struct {
		Y     float64
		Label string
	}
	tick struct {
		X     float64
		Label string
	}
)

// The drawing's measures.
const (
	chartWide, chartHigh = 900, 170
	chartLeft, chartTop  = 44, 8
	maxSeries            = 6
	maxBars              = 132
)

// steps are the spans of one bar, in months.
var steps = []struct {
	months int
	name   string
}{{1, "month"}, {3, "quarter"}, {12, "year"}, {60, "five years"}, {120, "ten years"}, {600, "fifty years"}, {1200, "century"}}

func (v *viewer) charts() (out []chart) {
	for _, x := range []struct {
		id, title string
		m         *monthly
		name      func(p party) string
	}{
		{"status", "by the status they arrive with", &v.byStatus, func(p party) string { return p.name }},
		{"agent", "by the agent who replied last", &v.byAgent, func(p party) string { return v.who(p, "no reply") }},
		{"mailbox", "by mailbox", &v.byMailbox, v.mailbox},
	} {
		if c, ok := draw(x.m, x.name, x.id == "status"); ok {
			c.ID, c.Title = x.id, x.title
			out = append(out, c)
		}
	}
	return out
}

func (v *viewer) mailbox(p party) string {
	for _, m := range v.rep.Target.Mailboxes {
		if m.ID == p.id {
			return clip(m.Name, 120)
		}
	}
	return firstOf(p.name, clip(v.o.Mapping.Mailbox, 120), "(not named)")
}

// a series is one colour of a chart.
type series struct {
	name   string
	p      party
	months map[int]int
	n      int
}

// draw makes the chart of some counts. Where the names are statuses, each has its own colour.
func draw(m *monthly, name func(party) string, statuses bool) (c chart, ok bool) {
	all := ranked(m, name)
	if len(all) == 0 {
		return c, false
	}
	first, last := span(all)
	step := steps[len(steps)-1]
	for _, s := range steps {
		if (last-first)/s.months < maxBars {
			step = s
			break
		}
	}
	c.Per, c.Wide = step.name, chartLeft+chartWide+6
	from := first / step.months
	n := min(last/step.months-from+1, 4*maxBars)
	c.Bars = make([]bar, n)
	for i := range c.Bars {
		c.Bars[i] = bar{Label: bucketLabel((from+i)*step.months, step.months), Cells: make([]int, len(all))}
	}
	for j, s := range all {
		class := "s" + strconv.Itoa(j)
		if statuses {
			class = s.name
		}
		c.Legend = append(c.Legend, legend{s.name, class, s.n})
		c.Total += s.n
		for month, k := range s.months {
			b := &c.Bars[min(month/step.months-from, n-1)]
			b.Cells[j] += k
			b.Total += k
		}
	}
	c.layOut(from*step.months, step.months)
	return c, true
}

// ranked are the series of a chart: the largest, and what is left as one.
func ranked(m *monthly, name func(party) string) []series {
	var all []series
	for p, months := range m.by {
		s := series{name: name(p), p: p, months: months}
		for _, n := range months {
			s.n += n
		}
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b series) int { return cmp.Or(-cmp.Compare(a.n, b.n), a.p.compare(b.p)) })
	other := series{name: "others", months: maps.Clone(m.rest)}
	if len(all) > maxSeries {
		for _, s := range all[maxSeries-1:] {
			for month, n := range s.months {
				other.months[month] += n
			}
		}
		all = all[:maxSeries-1]
	}
	for _, n := range other.months {
		other.n += n
	}
	if other.n > 0 {
		all = append(all, other)
	}
	return all
}

func span(all []series) (first, last int) {
	first = 1 << 30
	for _, s := range all {
		for m := range s.months {
			first, last = min(first, m), max(last, m)
		}
	}
	return first, last
}

var monthNames = [...]string{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"}

func bucketLabel(month, step int) string {
	year := month / 12
	switch {
	case step == 1:
		return fmt.Sprintf("%s %d", monthNames[month%12], year)
	case step == 3:
		return fmt.Sprintf("Q%d %d", month%12/3+1, year)
	case step == 12:
		return strconv.Itoa(year)
	}
	return fmt.Sprintf("%d–%d", year, year+step/12-1)
}

// layOut gives every bar its place.
func (c *chart) layOut(first, step int) {
	most := 0
	for _, b := range c.Bars {
		most = max(most, b.Total)
	}
	unit := niceStep(most)
	top := (most + unit - 1) / unit * unit
	y := func(n int) float64 { return chartTop + chartHigh - chartHigh*float64(n)/float64(top) }
	for n := 0; n <= top; n += unit {
		c.Grid = append(c.Grid, gridLine{y(n), count(n)})
	}
	w := min(chartWide/float64(len(c.Bars)), 60)
	for i := range c.Bars {
		b := &c.Bars[i]
		x, at := chartLeft+w*float64(i), 0
		for j, n := range b.Cells {
			if n == 0 {
				continue
			}
			title := fmt.Sprintf("%s, %s: %s of %s", b.Label, c.Legend[j].Name, count(n), count(b.Total))
			b.Rects = append(b.Rects, rect{x + w*0.1, y(at + n), w * 0.8, y(at) - y(at+n), c.Legend[j].Class, title})
			at += n
		}
	}
	c.ticks(first, step, w)
}

// ticks label the axis: every January when bars are months or quarters, thinned out to what there is room for.
func (c *chart) ticks(first, step int, w float64) {
	room := 0.0
	for i := range c.Bars {
		month, x := first+i*step, chartLeft+w*float64(i)
		if step < 12 && month%12 != 0 && i > 0 || x < room || x > chartLeft+chartWide-40 {
			continue
		}
		label := bucketLabel(month, step)
		if step < 12 && month%12 == 0 {
			label = strconv.Itoa(month / 12)
		}
		c.Ticks = append(c.Ticks, tick{x, label})
		room = x + 14 + 7*float64(len(label))
	}
}

// niceStep is 1, 2 or 5 times a power of ten, so that two to five steps reach most.
func niceStep(most int) int {
	step := 1
	for {
		for _, f := range []int{1, 2, 5} {
			if f*step*4 >= most {
				return f * step
			}
		}
		step *= 10
	}
}
