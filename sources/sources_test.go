package sources_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"hsimport/sources"
)

func TestLedgerChecksItsSums(t *testing.T) {
	good := sources.Ledger{
		Files:   []sources.FileLedger{{Path: "a.csv", Size: 21, Message: 1, Separator: 2, Preamble: 3, Blank: 4, Refused: 5, Truncated: 6}},
		Records: sources.RecordLedger{Found: 10, Messages: 4, Duplicates: 3, Excluded: 2, Unreadable: 1},
		Refused: []sources.Refusal{{Reason: "ragged"}},
	}
	if err := good.Check(); err != nil {
		t.Errorf("sums that close: %v", err)
	}
	if good.Bytes() != 21 {
		t.Errorf("%d bytes", good.Bytes())
	}
	for what, spoil := range map[string]func(*sources.Ledger){
		"a.csv":    func(l *sources.Ledger) { l.Files[0].Blank++ },
		"found":    func(l *sources.Ledger) { l.Records.Found++ },
		"refusals": func(l *sources.Ledger) { l.Refused = nil },
	} {
		bad := good
		bad.Files = append([]sources.FileLedger(nil), good.Files...)
		spoil(&bad)
		if err := bad.Check(); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: the ledger says %v", what, err)
		}
	}
}

func TestPositionPointsIntoTheFile(t *testing.T) {
	for want, p := range map[string]sources.Position{
		"a.csv:7":     {File: "a.csv", Line: 7, Offset: 99},
		"a.mbox@4096": {File: "a.mbox", Offset: 4096},
		"a.mbox":      {File: "a.mbox", Offset: -1},
	} {
		if got := p.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestErrorsNameTheirPlaceAndKeepTheirCause(t *testing.T) {
	cause := errors.New("no header")
	at := sources.Position{File: "a.csv", Line: 1}
	for _, err := range []error{&sources.RecordError{Position: at, Err: cause}, &sources.InputError{Position: at, Err: cause}} {
		if err.Error() != "a.csv:1: no header" || !errors.Is(err, cause) {
			t.Errorf("%T says %q", err, err)
		}
	}
}

func TestZonesAreTheSameEverywhere(t *testing.T) {
	t.Setenv("ZONEINFO", t.TempDir()) // what the machine has must not matter
	loc, err := sources.LoadZone("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	if at := time.Date(2021, 7, 1, 12, 0, 0, 0, loc).UTC(); at.Hour() != 10 {
		t.Errorf("noon in Paris in July is %s", at)
	}
	for _, name := range []string{"Europe/Atlantis", "", "Europe", "../etc/passwd", "Local"} {
		if _, err := sources.LoadZone(name); err == nil {
			t.Errorf("%q is taken for a zone", name)
		}
	}
}
