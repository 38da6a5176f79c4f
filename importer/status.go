package importer

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"strconv"
	"time"

	"hsimport/checkpoint"
)

// A Status is what the checkpoint alone says of a job, while a run is going on too.
type Status struct {
	MessageType string         `json:"message_type"`
	Origin      string         `json:"origin"`
	Rehearsal   string         `json:"rehearsal,omitempty"`
	Created     int            `json:"created"`
	Recovered   int            `json:"recovered"`
	Adopted     int            `json:"adopted"`
	Pending     int            `json:"pending"`
	Rejected    int            `json:"rejected"`
	InDoubt     int            `json:"in_doubt"`
	Effects     map[string]int `json:"effects,omitempty"` // "upload pending": n
	UnitsLeft   int64          `json:"units_left"`
	Causes      []Cause        `json:"causes,omitempty"`
	Running     bool           `json:"running"`
	LastCommand string         `json:"last_command,omitempty"`
	LastStarted time.Time      `json:"last_started,omitzero"`
	LastEnded   time.Time      `json:"last_ended,omitzero"`
	ExitCode    int            `json:"exit_code"`
	// WorkflowsOff names the workflows that PauseWorkflows has switched off and that are not on again.
	WorkflowsOff []string `json:"workflows_off,omitempty"`
}

// A Cause is one reason why parts stand where they stand.
type Cause struct {
	State   string `json:"state"`
	Reason  string `json:"reason"`
	N       int    `json:"n"`
	Example string `json:"example"` // a ticket
}

// ReadStatus reads the checkpoint without taking its lock. Its ExitCode is the last run's.
func ReadStatus(ctx context.Context, path string) (*Status, error) {
	store, err := checkpoint.View(ctx, path)
	if err != nil {
		if errors.Is(err, checkpoint.ErrMissing) {
			hint := "nothing has been imported with this configuration yet"
			if off := workflowsOff(ctx, path, ""); len(off) > 0 {
				hint += fmt.Sprintf("; %s switched off (%s): hsimport doctor --resume-workflows", plural(len(off), "workflow is", "workflows are"), shortList(off))
			}
			return nil, &Stop{Code: ExitUsage, Err: err, Hint: hint}
		}
		return nil, checkpointStop(err)
	}
	defer store.Close()
	c, err := store.Counts(ctx)
	if err != nil {
		return nil, err
	}
	st := &Status{
		MessageType: "status", Origin: store.Job().Origin, Rehearsal: rehearsalHost(store.Job().Origin),
		Created: c.Created[checkpoint.ByCreate], Recovered: c.Created[checkpoint.ByRecovery], Adopted: c.Created[checkpoint.ByAdoption],
		Pending: c.Parts[checkpoint.Pending], Rejected: c.Parts[checkpoint.Rejected],
		InDoubt: c.Parts[checkpoint.InDoubt] + c.Parts[checkpoint.Sending], UnitsLeft: c.Units[checkpoint.Pending], Effects: map[string]int{},
	}
	st.WorkflowsOff = workflowsOff(ctx, path, st.Origin)
	for kind, states := range c.Effects {
		for s, n := range states {
			st.Effects[kind+" "+string(s)] += n
		}
	}
	if err := st.causes(ctx, store); err != nil {
		return nil, err
	}
	return st, st.lastRun(ctx, store)
}

func (st *Status) causes(ctx context.Context, store *checkpoint.Store) error {
	byReason := map[[2]string]*Cause{}
	for _, s := range []checkpoint.State{checkpoint.Rejected, checkpoint.InDoubt} {
		for row, err := range store.InState(ctx, s) {
			if err != nil {
				return err
			}
			k := [2]string{string(s), row.Reason}
			if byReason[k] == nil {
				name := row.LegacyID
				if name == "" {
					name = row.Ticket
				}
				byReason[k] = &Cause{State: string(s), Reason: row.Reason, Example: name + " part " + strconv.Itoa(row.Number)}
			}
			byReason[k].N++
		}
	}
	for _, c := range byReason {
		st.Causes = append(st.Causes, *c)
	}
	sort.Slice(st.Causes, func(i, j int) bool {
		a, b := st.Causes[i], st.Causes[j]
		if a.N != b.N {
			return a.N > b.N
		}
		return a.State+a.Reason < b.State+b.Reason
	})
	return nil
}

func (st *Status) lastRun(ctx context.Context, store *checkpoint.Store) error {
	r, err := store.LastRun(ctx)
	if err != nil || r == nil {
		return err
	}
	st.LastCommand, st.LastStarted, st.LastEnded, st.ExitCode = r.Command, r.StartedAt, r.EndedAt, r.ExitCode
	if r.ExitCode < 0 { // it is running, or it was killed
		st.Running, st.ExitCode = true, ExitLeft
	}
	return nil
}
