package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"hsimport/configs"
	"hsimport/importer"
	"hsimport/importer/report"
)

// pageFile is the HTML report of a dry run or a run: it is shown every ticket and written at the end.
type pageFile struct {
	path string
	*report.Collector
}

// newPage is nil when no page is wanted.
func newPage(path string, c *configs.Config, job *importer.Job, offline error) *pageFile {
	if path == "" {
		return nil
	}
	now := time.Now()
	o := report.Options{
		Mapping: c.Mapping, Share: float64(c.Run.Share), Now: now, Newest: report.Newest(job.Source, now), Config: filepath.Base(c.Path), Version: toolVersion(),
	}
	if offline != nil {
		o.Offline = offline.Error()
		if missing := importer.Unchecked(job); len(missing) > 0 {
			o.Offline += "; not checked: " + strings.Join(missing, "; ")
		}
	}
	return &pageFile{path, report.NewCollector(o)}
}

// check looks for the folder before hours are spent on what goes into it.
func (p *pageFile) check() error {
	dir := filepath.Dir(p.path)
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%s is not a folder", dir)
	}
	if err != nil {
		return &importer.Stop{Code: importer.ExitUsage, Err: fmt.Errorf("write the page %s: %w", p.path, err)}
	}
	return nil
}

// watch lets the page see what a run plans and where everything stands in the end.
func (p *pageFile) watch(job *importer.Job) error {
	if err := p.check(); err != nil {
		return err
	}
	also := job.Each
	job.Each = func(s importer.Seen) error {
		p.See(s)
		if also != nil {
			return also(s)
		}
		return nil
	}
	job.Stands = func(place importer.Place, now bool) error {
		p.Stand(place, now)
		return nil
	}
	return nil
}

// write writes the page, whole or not at all; one that ended early has one too, which says so.
func (p *pageFile) write(rep *importer.Report) error {
	f, err := os.CreateTemp(filepath.Dir(p.path), ".report-*")
	if err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	defer os.Remove(f.Name()) // gone already when all went well
	err = p.HTML(f, rep)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Chmod(f.Name(), 0o644)
	}
	if err == nil {
		err = os.Rename(f.Name(), p.path)
	}
	if err != nil {
		return fmt.Errorf("write the page %s: %w", p.path, err)
	}
	return nil
}
