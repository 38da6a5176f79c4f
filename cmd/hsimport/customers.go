package main

import (
	"errors"
	"os"

	"hsimport/importer"
	"hsimport/importer/report"
)

// leftTable takes the customers that stay after a rollback: all of them into a file where one is named, the first few on
// the screen.
type leftTable struct {
	ui    *ui
	file  *os.File
	table *report.CustomerTable
	shown int
}

func (l *leftTable) open(path string) (err error) {
	if path == "" {
		return nil
	}
	if l.file, err = os.Create(path); err != nil {
		return &importer.Stop{Code: importer.ExitUsage, Err: err}
	}
	l.table = report.NewCustomerTable(l.file)
	return nil
}

func (l *leftTable) add(c importer.LeftCustomer) error {
	if l.ui.json {
		l.ui.object(c)
	}
	if l.table != nil {
		return l.table.See(c)
	}
	if l.shown++; l.shown <= shownOutcomes && !l.ui.json && !l.ui.quiet {
		l.ui.clearBar()
		l.ui.line(l.ui.env.out, "%s", plainLine("customer stays: "+c.Name+" <"+c.Email+">"))
	}
	return nil
}

func (l *leftTable) said(n int) {
	switch {
	case l.ui.json:
	case l.table != nil:
		l.ui.say("%s: %s", l.file.Name(), plural(n, "customer stays", "customers stay"))
	case n > shownOutcomes:
		l.ui.say("and %s more customers stay; --customers FILE.csv lists all", count(n-shownOutcomes))
	}
}

func (l *leftTable) close() error {
	if l.table == nil {
		return nil
	}
	return errors.Join(l.table.Close(), l.file.Close())
}
