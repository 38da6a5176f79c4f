package importer

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"hsimport/checkpoint"
	"hsimport/importer/helpscout"
)

func decodeEffect(b []byte) (ev effectEvidence, ok bool) {
	return ev, json.Unmarshal(b, &ev) == nil
}

// staleEffects notes the uploads and appended threads that a stale checkpoint holds as due although the account shows
// them: they were applied after the checkpoint was left behind.
func (r *recovery) staleEffects(ctx context.Context) error {
	for _, kind := range []string{kindUpload, kindAppend} {
		parts, err := r.store.PartsWithEffects(ctx, kind, checkpoint.Pending, 0)
		if err != nil {
			return err
		}
		for _, id := range parts {
			if err := r.stalePart(ctx, id, kind); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *recovery) stalePart(ctx context.Context, id int64, kind string) error {
	row, err := r.store.PartByID(ctx, id)
	if err != nil || row == nil || row.State != checkpoint.Created {
		return err
	}
	m, err := r.mapAgain(ctx, row.Ticket)
	if err != nil || m == nil || m.plan == nil {
		return err
	}
	threads, err := read(ctx, r.engine, func() ([]helpscout.Thread, error) { return r.Client.Threads(ctx, row.ConversationID) })
	if err != nil {
		if helpscout.KindOf(err) == helpscout.Rejected {
			return nil // a run finds that it is gone
		}
		return err
	}
	effects, err := r.store.Effects(ctx, checkpoint.EffectFilter{PartID: id, Kind: kind, State: checkpoint.Pending})
	if err != nil {
		return err
	}
	for i := range effects {
		if err := r.staleEffect(ctx, row, m, &effects[i], threads); err != nil {
			return err
		}
	}
	return nil
}

func (r *recovery) staleEffect(ctx context.Context, row *checkpoint.Part, m *mapped, ef *checkpoint.Effect, threads []helpscout.Thread) error {
	var ev effectEvidence
	if ef.Kind == kindAppend {
		call, err := r.appendCall(ctx, row, m, ef, threads)
		if err != nil {
			return nil // what cannot be sent, a run reports
		}
		ev = call.ev
	} else {
		var ok bool
		if ev, ok = decodeEffect(ef.Evidence); !ok {
			return nil
		}
	}
	shown, remote := r.shown(ef.Kind, ev, threads)
	mine, err := r.ownLike(ctx, row, ef, ev)
	if err != nil || shown <= mine {
		return err
	}
	ev.Before = mine // should this process end between the two writes, settling finds what is here
	keep := context.WithoutCancel(ctx)
	err = r.store.BeginEffect(keep, ef.ID, r.run, time.Now(), ev.encode())
	var placed *checkpoint.PlacedError
	if errors.As(err, &placed) {
		return nil // another ticket carries it: a run says so
	}
	if err != nil {
		return err
	}
	return r.store.DoneEffect(keep, ef.ID, remote, time.Now())
}

// ownLike counts what a conversation shows of an effect's like for reasons that the checkpoint knows: it was in the
// create call, or an earlier effect brought it.
func (r *recovery) ownLike(ctx context.Context, row *checkpoint.Part, ef *checkpoint.Effect, ev effectEvidence) (n int, err error) {
	all, err := r.store.Effects(ctx, checkpoint.EffectFilter{PartID: row.ID, Kind: ef.Kind, State: checkpoint.Created})
	if err != nil {
		return 0, err
	}
	for i := range all {
		if o, ok := decodeEffect(all[i].Evidence); ok && likeEffect(ev, o) {
			n++
		}
	}
	sent, ok := decodeEvidence(row.Evidence)
	if !ok || ef.Kind != kindAppend {
		return n, nil
	}
	for _, t := range sent.Threads {
		if t.Type == ev.Find.Type && t.At == ev.Find.At && t.Text == ev.Find.Text {
			n++
		}
	}
	return n, nil
}
