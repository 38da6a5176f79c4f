package importer

import (
	"context"
	"strings"
	"time"

	"hsimport/mapping"
	"hsimport/sources"
)

// factMapping and a mapping's digest: the digest it would have without a clock. A newer export moves the moment from which
// "recent" is measured, and with it the digest of a mapping that nobody has changed.
const factMapping = "mapping:"

// nameMapping keeps what the present mapping is called without its clock, and learns which earlier ones were the same.
func (p *planner) nameMapping(ctx context.Context) error {
	base := p.timeless().Digest()
	name := factMapping + p.mapper.Digest()
	if have, _, err := p.store.Get(ctx, name); err != nil {
		return err
	} else if p.load != nil && have != base {
		if err := p.store.Set(ctx, name, base); err != nil {
			return err
		}
	}
	all, err := p.store.Facts(ctx, factMapping)
	if err != nil {
		return err
	}
	p.bases = map[string]bool{}
	for key, v := range all {
		p.bases[strings.TrimPrefix(key, factMapping)] = v == base
	}
	return nil
}

// timeless is the mapper of the job without a clock.
func (e *engine) timeless() *mapping.Mapper {
	opts := e.Mapping
	opts.Newest, opts.Zones = time.Time{}, sources.Zones
	m, _ := mapping.New(opts, e.rep.Target) // its findings are those of the mapper
	return m
}
