package checkpoint

import (
	"context"
	"database/sql"
)

// Counts says how many parts and effects stand where. Absent keys are zero. The numbers are kept by triggers of the
// schema, so that asking costs the same with ten parts and with a million.
type Counts struct {
	Parts   map[State]int   // parts by state
	Threads map[State]int64 // the sum of their threads
	Units   map[State]int64 // the sum of their units
	Created map[How]int     // created parts by how they became ours
	// ByRun is Created for each run that moved such a part last: the run that created, recovered or adopted it.
	ByRun   map[int64]map[How]int
	Effects map[string]map[State]int // by kind
}

// Total is the number of parts.
func (c Counts) Total() int {
	n := 0
	for _, v := range c.Parts {
		n += v
	}
	return n
}

// Counts counts, as of one moment.
func (s *Store) Counts(ctx context.Context) (Counts, error) {
	c := Counts{
		Parts: map[State]int{}, Threads: map[State]int64{}, Units: map[State]int64{}, Created: map[How]int{},
		ByRun: map[int64]map[How]int{}, Effects: map[string]map[State]int{},
	}
	err := s.each(ctx, c.add, "SELECT kind, state, how, run, n, threads, units FROM tally WHERE n <> 0")
	return c, err
}

func (c *Counts) add(rows *sql.Rows) error {
	var kind string
	var st State
	var how How
	var run, threads, units int64
	var n int
	err := rows.Scan(&kind, (*stateColumn)(&st), (*howColumn)(&how), &run, &n, &threads, &units)
	if err != nil {
		return err
	}
	if kind != "" {
		if c.Effects[kind] == nil {
			c.Effects[kind] = map[State]int{}
		}
		c.Effects[kind][st] += n
		return nil
	}
	c.Parts[st] += n
	c.Threads[st] += threads
	c.Units[st] += units
	if st == Created {
		c.Created[how] += n
		if c.ByRun[run] == nil {
			c.ByRun[run] = map[How]int{}
		}
		c.ByRun[run][how] += n
	}
	return nil
}
