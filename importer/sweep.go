package importer

import (
	"context"
	"fmt"

	"hsimport/checkpoint"
)

// sweep performs every pending effect of parts that exist: uploads that a crash or a lost answer left behind, threads
// that came with a newer export, notes about what could not be uploaded.
func (e *engine) sweep(ctx context.Context) error {
	done := map[string]bool{} // what waits for something else is not tried again and again
	for _, kind := range []string{kindUpload, kindAppend, kindStatus} {
		for {
			ids, err := e.store.PartsWithEffects(ctx, kind, checkpoint.Pending, 0)
			if err != nil {
				return err
			}
			fresh := ids[:0]
			for _, id := range ids {
				if k := fmt.Sprint(kind, id); !done[k] {
					done[k] = true
					fresh = append(fresh, id)
				}
			}
			if len(fresh) == 0 {
				break
			}
			if err := e.completeAll(ctx, fresh); err != nil {
				return err
			}
		}
	}
	return nil
}

// completeAll performs the pending effects of many parts, each part by one worker.
func (e *engine) completeAll(ctx context.Context, ids []int64) error {
	p := newPool(e.workers)
	for _, id := range ids {
		if e.halted(ctx) != nil || e.overTime() {
			break
		}
		p.run(func() {
			if err := e.complete(ctx, id); err != nil {
				e.stop.set(asStop(err))
			}
		})
	}
	_ = p.g.Wait() // its functions return no error
	return e.halted(ctx)
}
