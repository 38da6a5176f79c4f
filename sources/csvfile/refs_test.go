package csvfile

import (
	"fmt"
	"slices"
	"testing"
)

// Tickets have the same numbers, and are found the same way, when most of their keys lie in a file.
func TestSpilledKeys(t *testing.T) {
	dir := t.TempDir()
	const n = 5000
	for _, memory := range []int{1 << 20, 1 << 10, 0} {
		table := newTicketTable(func() (string, error) { return dir, nil })
		table.keys.memory = memory
		key := func(i int) []byte { return fmt.Appendf(nil, "%0*d", 1+i%200, i*7919) }
		for round := range 2 {
			for i := range n {
				if got, err := table.put(key(i)); err != nil || got != uint32(i) {
					t.Fatalf("memory %d, round %d: key %d has the number %d, %v", memory, round, i, got, err)
				}
			}
		}
		if (table.keys.file == nil) != (memory == 1<<20) {
			t.Errorf("memory %d: file %v", memory, table.keys.file)
		}
		var buf []byte
		for _, absent := range []string{"", "x", "7919x"} {
			if at, ok := table.find([]byte(absent), &buf); ok {
				t.Errorf("memory %d: %q is found as %d", memory, absent, at)
			}
		}
		table.keys.each(func(i uint32, got []byte) {
			if !slices.Equal(got, key(int(i))) {
				t.Fatalf("memory %d: key %d is %q", memory, i, got)
			}
		})
		table.keys.close()
	}
}

func TestSpilledRefs(t *testing.T) {
	dir := t.TempDir()
	const n = 5000
	table, err := newRefTable(n, 10, func() (string, error) { return dir, nil })
	if err != nil {
		t.Fatal(err)
	}
	defer table.close()
	of := func(i int) ticketRef {
		return ticketRef{created: int64(i) - 9, span: uint32(i), messages: 2, first: uint32(3 * i), rows: 3, number: uint32(i), flags: hasTime}
	}
	for i := range n {
		r := of(i)
		if err := table.add(&r); err != nil {
			t.Fatal(err)
		}
	}
	if err := table.flush(); err != nil {
		t.Fatal(err)
	}
	changed := of(4000)
	changed.messages = 77
	if _, err := table.get(3999); err != nil || table.set(4000, &changed) != nil {
		t.Fatal(err)
	}
	for i := n - 1; i >= 0; i-- {
		want := of(i)
		if i == 4000 {
			want = changed
		}
		if got, err := table.get(i); err != nil || got != want {
			t.Fatalf("record %d is %+v, %v", i, got, err)
		}
	}
}

// The order is by time, those without one first, then by key.
func TestTicketOrder(t *testing.T) {
	table := newTicketTable(nil)
	var packed []uint64
	times := []int64{100, noTime, -2208988800, 100, 100, noTime, 7258118400}
	for i, key := range []string{"b", "z", "old", "a", "c", "y", "late"} {
		n, err := table.put([]byte(key))
		if err != nil {
			t.Fatal(err)
		}
		packed = append(packed, packOrder(times[i], n))
	}
	table.sortOrder(packed)
	var got []string
	var buf []byte
	for _, p := range packed {
		got = append(got, string(table.keys.key(uint32(p&maxTickets), &buf)))
	}
	if want := []string{"y", "z", "old", "a", "b", "c", "late"}; !slices.Equal(got, want) {
		t.Errorf("order %v, want %v", got, want)
	}
}

// What a ticket learns from its rows does not depend on their order.
func TestRefsJoin(t *testing.T) {
	rows := []rowRef{
		{created: 50, span: 0, messages: 0, flags: hasTicketRow},
		{created: 120, span: 30, messages: 2, flags: hasTime},
		{created: noTime, messages: 1},
		{created: 100, span: 0, messages: 1, flags: hasTime},
	}
	want := ticketRef{created: 100, span: 50, messages: 4, flags: hasTime | hasTicketRow}
	for round := range 24 {
		got := ticketRef{created: noTime}
		for i := range rows {
			got.join(&rows[i])
		}
		if got != want {
			t.Fatalf("%+v gives %+v", rows, got)
		}
		rows[round%3], rows[round%3+1] = rows[round%3+1], rows[round%3]
	}
	twice := ticketRef{created: noTime}
	for i := range rows {
		twice.join(&rows[i])
		twice.join(&rows[i])
	}
	if twice.flags&needsBuild == 0 {
		t.Error("two rows of the ticket's own columns are counted without looking")
	}
}

// An index of which every part lies in a file says what one in memory says.
func TestIndexInFiles(t *testing.T) {
	content := rowsOf(identityRows...)
	inMemory := open(t, canonical(), "a.csv", content)
	small := canonical()
	small.memory = indexMemory{rows: chunkRows, keys: 0, refs: 0}
	inFiles := open(t, small, "a.csv", content)
	if a, b := names(t, inMemory), names(t, inFiles); !slices.Equal(a, b) || len(a) == 0 {
		t.Errorf("%v\n%v", a, b)
	}
	for i := range inMemory.Len() {
		a, b := inMemory.Entry(i), inFiles.Entry(i)
		if at, ok := inFiles.Find(a.Key); a != b || !ok || at != i {
			t.Errorf("entry %d: %+v, %+v, found at %d", i, a, b, at)
		}
	}
}
