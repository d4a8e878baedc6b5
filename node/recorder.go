package node

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"tocsin/core/pipeline"
	"tocsin/health"
	"tocsin/journal/recording"
)

// recordingFolder is where the inputs of the core are recorded, in the data folder.
const recordingFolder = "recording"

// notRecorded is the condition that inputs of the core are not in the recording.
const notRecorded = "recording-incomplete"

// Bounds of what waits to be recorded, and of what a crash can take with it.
const (
	recorderQueue        = 4_096  // inputs
	recorderObservations = 65_536 // in them: some tens of MiB
	batchBytes           = 256 << 10
	batchTime            = time.Second
)

// recorder writes down what the core is given. The loop hands over and never waits; what
// finds no place is counted, and its number is missing in the recording. A nil recorder
// records nothing.
type recorder struct {
	queue    chan given
	yield    chan struct{} // the disk is full: make room for the journal
	end      chan bool     // orderly
	ended    chan struct{}
	ending   sync.Once
	to       *recording.Recording
	waiting  atomic.Int64 // observations in the queue
	recorded atomic.Int64
	lost     atomic.Int64
	yielding atomic.Bool
	why      atomic.Pointer[string] // of the newest loss

	number uint64 // of the newest input; the loop's alone
	told   int64  // losses that were told; the loop's alone

	packer recording.Packer // from here on the goroutine's alone
	batch  []byte
	inputs int64 // in the batch
	at     time.Time
	last   uint64 // number of the newest input that was taken out of the queue
}

// given is one input on its way.
type given struct {
	number uint64
	now    time.Time
	in     pipeline.Input
}

// newRecorder opens the recording and writes down what the core was made with. The caller
// must close it.
func newRecorder(data string, b pipeline.Beginning) (*recorder, error) {
	line, err := pipeline.Recorded{Beginning: &b}.Append(nil)
	if err != nil {
		return nil, fmt.Errorf("node: %w", err)
	}
	to, err := recording.Open(filepath.Join(data, recordingFolder), recording.Options{})
	if err != nil {
		return nil, fmt.Errorf("node: %w", err)
	}
	r := &recorder{
		queue: make(chan given, recorderQueue), yield: make(chan struct{}, 1), end: make(chan bool, 1), ended: make(chan struct{}), to: to,
	}
	if err := to.Write(b.At, r.packer.Pack(recording.Begins, append(line, '\n'))); err != nil {
		return nil, errors.Join(fmt.Errorf("node: %w", err), to.Close())
	}
	go r.run()
	return r, nil
}

// take hands an input over. It belongs to the loop, and never waits.
func (r *recorder) take(now time.Time, in pipeline.Input) {
	if r == nil {
		return
	}
	r.number++
	n := observationsIn(in)
	if r.waiting.Add(n) <= recorderObservations {
		select {
		case r.queue <- given{r.number, now, in}:
			return
		default:
		}
	}
	r.waiting.Add(-n)
	r.lose(1, "more came than can be written down")
}

func observationsIn(in pipeline.Input) int64 {
	if o, ok := in.(pipeline.Observed); ok {
		return 1 + int64(len(o.More))
	}
	return 0
}

func (r *recorder) lose(n int64, why string) {
	r.why.Store(&why)
	r.lost.Add(n)
}

// tell gives the condition that something is missing, since it was asked last. full says
// that the journal has no room on the disk: then the recording gives way to it. It belongs
// to the loop.
func (r *recorder) tell(now time.Time, full bool) (health.Condition, bool) {
	if r == nil {
		return health.Condition{}, false
	}
	r.yielding.Store(full)
	if full {
		select {
		case r.yield <- struct{}{}:
		default: // it is told already
		}
	}
	lost := r.lost.Load()
	if lost == r.told {
		return health.Condition{}, false
	}
	r.told = lost
	return health.Condition{
		Name: notRecorded, At: now, Count: int(lost),
		Detail: fmt.Sprintf("%d inputs of the core are not in the recording: %s; from there on it cannot be replayed until the next start", lost, *r.why.Load()),
	}, true
}

// close writes down what waits, and that nothing more comes. orderly says that everything
// decided was kept. Nothing may be handed over any more.
func (r *recorder) close(orderly bool) {
	if r == nil {
		return
	}
	r.ending.Do(func() { r.end <- orderly })
	<-r.ended
}

func (r *recorder) run() {
	defer close(r.ended)
	timer := time.NewTimer(batchTime)
	defer timer.Stop()
	for {
		select {
		case g := <-r.queue:
			r.write(g)
		case <-timer.C:
			r.flush()
			timer.Reset(batchTime)
		case <-r.yield:
			r.to.DropOldest()
		case orderly := <-r.end:
			r.finish(orderly)
			return
		}
	}
}

// finish writes what is left in the queue, and the end.
func (r *recorder) finish(orderly bool) {
	for {
		select {
		case g := <-r.queue:
			r.write(g)
			continue
		default:
		}
		break
	}
	line, err := pipeline.Recorded{Ended: &pipeline.Ended{Number: r.last, Orderly: orderly}}.Append(r.batch)
	if err == nil {
		r.batch, r.at = append(line, '\n'), time.Now()
	}
	r.flush()
	// What the kernel has is all that a recording promises.
	_ = r.to.Close()
}

// write puts one input into the batch.
func (r *recorder) write(g given) {
	r.waiting.Add(-observationsIn(g.in))
	r.last = g.number
	if r.yielding.Load() {
		r.lose(1, "the disk is full, and the journal goes first")
		return
	}
	if g.now.Sub(r.at) >= batchTime {
		r.flush() // in the time of a replay too, which passes faster
	}
	line, err := pipeline.Recorded{Number: g.number, Now: g.now, Input: g.in}.Append(r.batch)
	if err != nil {
		r.lose(1, err.Error())
		return
	}
	if r.inputs++; r.inputs == 1 {
		r.at = g.now
	}
	if r.batch = append(line, '\n'); len(r.batch) >= batchBytes {
		r.flush()
	}
}

// flush writes the batch. What the disk does not take is lost: it waits for nobody.
func (r *recorder) flush() {
	if len(r.batch) == 0 {
		return
	}
	err := r.to.Write(r.at, r.packer.Pack(recording.GoesOn, r.batch))
	if err == nil {
		r.recorded.Add(r.inputs)
	} else {
		r.lose(r.inputs, err.Error())
	}
	if errors.Is(err, syscall.ENOSPC) {
		r.to.DropOldest()
	}
	if cap(r.batch) > 4*batchBytes { // a memory of a whole country is written once a start
		r.batch = nil
	}
	r.batch, r.inputs = r.batch[:0], 0
}

// metrics shows what is recorded and what is not.
func (r *recorder) metrics(m *health.Metrics) {
	if r == nil {
		return
	}
	m.CounterFunc("recording_inputs_total", "Inputs of the core that were recorded since the start.", func() float64 { return float64(r.recorded.Load()) })
	m.CounterFunc("recording_lost_total", "Inputs of the core that are not in the recording.", func() float64 { return float64(r.lost.Load()) })
	m.CounterFunc("recording_dropped_total", "Segments of the recording that were dropped, for its bounds or for the journal.", func() float64 { return float64(r.to.Stats().Dropped) })
	m.GaugeFunc("recording_bytes", "Size of the recording on disk.", func() float64 { return float64(r.to.Stats().Bytes) })
}

// Program says what decides, in words: where they differ, two need not decide alike.
func Program(revision string) string {
	return fmt.Sprintf("%s %s %s/%s", cmp.Or(revision, "unknown"), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// record begins the recording of a core. A system that cannot record warns all the same, and
// says so. The error is a metric that is not well formed.
func (n *Node) record(cfg pipeline.Config, policy []byte) error {
	if n.cfg.Replay != nil {
		return nil // a replay can be done again
	}
	b, err := pipeline.BeginningOf(cfg, policy)
	if err == nil {
		head, _ := n.journal.Head()
		b.At, b.Start, b.Journal, b.Program = n.cfg.now().Round(0).UTC(), n.memory.starts+1, int64(head), Program(n.cfg.Revision)
		n.loop.recorder, err = newRecorder(n.cfg.Data, b)
	}
	if err != nil {
		n.loop.note(health.Condition{Name: notRecorded, Raised: true, At: n.cfg.now().UTC(), Detail: err.Error() + "; nothing can be replayed of this start"})
		return nil
	}
	m := health.NewMetrics(n.registry)
	n.loop.recorder.metrics(m)
	return m.Err()
}
