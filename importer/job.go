package importer

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"hsimport/checkpoint"
	"hsimport/importer/helpscout"
	"hsimport/mapping"
	"hsimport/sources"
)

// Source is what the engine needs of an input; csvfile, mboxfile and jsonfile provide it. The rules of its methods,
// among them which errors end a run and which skip one ticket, are in the tour of package sources.
type Source interface {
	Kind() string    // "csv", "mbox", "json"
	KeyRule() string // the rule by which keys are made; another rule is another job
	Len() int
	Entry(i int) sources.Entry
	Find(k sources.Key) (int, bool)
	Ticket(ctx context.Context, i int) (*sources.Ticket, error)
	Ledger() *sources.Ledger
	Digest() string
	Close() error
}

// A Job is everything one run needs. The engine prints nothing: it reports through Progress and the Report.
type Job struct {
	Source     Source
	Mapping    mapping.Options
	Target     mapping.Target    // the account's side when there is no Client: a snapshot, or unbound
	Client     *helpscout.Client // nil: offline, for a dry run
	Snapshot   *Snapshot         // for a dry run without a Client: the account as it was; nil: nothing is known of it
	Quota      *Quota            // the one behind Client
	Checkpoint string            // path of the database
	Copies     int               // copies of the checkpoint that finished commands leave beside it; 0: none
	Options    Options
	Version    string // of the tool, stored with each run

	// Trial, if not nil, makes this job the trial of another one; Mapping.Mailbox is then the trial's inbox, without routes,
	// Checkpoint the trial's, and Options.Sample how many tickets it has.
	Trial *Trial
	// Until says that source.until is set: then an overlap with mail that reached Help Scout by itself is no worry.
	Until bool
	// Confirm is asked once, before the first write of a new checkpoint against any host but loopback. A nil
	// Confirm refuses, an error stops the run with code 2.
	Confirm func(ctx context.Context, g *Gate) error
	// Soft is a child of the run's context and ends with the first Ctrl-C: what is in flight is finished, nothing new
	// begins. Nil: there is only the hard stop.
	Soft context.Context
	// Progress receives what happens, one event after the other, never two at a time.
	Progress func(Event)
	// PlanHeader, if not nil, is told what the plan is made from, before the first Each.
	PlanHeader func(mapping.Header)
	// Each, if not nil, is handed every ticket while it is planned, in the order of the plan file; Approve is asked
	// when all are planned and before anything is sent. Together they bind a run to a plan a person has reviewed: with
	// either every run plans anew, and with an Approve Confirm is not asked.
	Each    func(Seen) error
	Approve func() error
	// Stands, if not nil, is told where every conversation of the job stands when the run is over: by state, in the order they are
	// sent in; now says that this run has moved it.
	Stands func(p Place, now bool) error
	Log    *slog.Logger

	// Fault is a seam for tests: it is given to the checkpoint's store when it is opened.
	Fault func(op string) (apply bool, err error)
	// NoSettle re-sends what is in doubt without looking first. It exists so that a test can show that settling is
	// what keeps conversations from being doubled; nothing else sets it.
	NoSettle bool
}

// engine is one run in progress.
type engine struct {
	*Job
	mapper  *mapping.Mapper
	store   *checkpoint.Store
	run     int64
	rep     *Report
	stop    stopper
	out     outage
	streak  streak
	deletes streak // of conversations that the server will not delete
	seen    addresses
	canary  canary
	links   *linker    // nil: texts name no other tickets
	linking bool       // links are changed in this run although it plans no changes: a retry
	again   *lookAgain // nil: not read from the checkpoint yet

	hard       context.Context // for writes in flight; everything else ends with Soft
	origin     string
	jobStart   time.Time         // of the job, in an earlier run perhaps
	number     int64             // the account's highest conversation number when the job began
	chosen     map[string]bool   // tickets of --only and --sample; nil: all
	begun      int               // tickets handed to workers, for --limit
	delivering bool              // the plan is made, and what is pending is all there is to do
	freed      bool              // settling has found a part that others, or its uploads, waited for
	changed    []checkpoint.Part // what --redo-changed will take back
	unsure     bool              // the plan was made while something was in doubt
	notes      notes             // for the checkpoint
	countLinks bool              // a dry run tells how many there are
	settling   int               // units spent on finding out about lost answers

	doubtfulEffects, rejectedEffects int // uploads and appends, for the exit code

	toldAt    time.Time // of the last event; guarded by telling, as is the next
	toldPause time.Time // the end of the last pause that was told

	telling    sync.Mutex // guards what follows, the report's counts, and the order of events
	done, todo int        // parts with a final state in this run, and those it began with
	inline     int64      // learned from a 413: the largest create body that may still fit; 0: nothing learned
}
