package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tocsin/board"
	"tocsin/channel"
	"tocsin/channel/feed"
	"tocsin/core/alert"
	"tocsin/core/observation"
	"tocsin/core/pipeline"
	"tocsin/core/zone"
	"tocsin/gateway"
	"tocsin/health"
	"tocsin/journal"
	"tocsin/node/keyring"
	"tocsin/sensor"
	"tocsin/sensor/asterix"
	wire "tocsin/wire/asterix"
	"tocsin/wire/cap12"
)

// conditionLimit bounds the conditions held at once.
const conditionLimit = 2000

// keyCheck is how often the keys' folder is looked at for a rotation or revocation: a
// revoked key must be refused everywhere within a minute.
const keyCheck = 2 * time.Second

// Node is one running system.
type Node struct {
	cfg      Config
	log      *slog.Logger
	sets     registry
	before   *zone.Set // the set before the one that this start begins with; nil: none
	journal  *journal.Journal
	spoken   *journal.Spoken
	ring     *keyring.Ring
	grants   *grants
	signing  atomic.Pointer[signing]
	refusing atomic.Bool // the last command could not be kept
	loop     *loop
	gateway  *gateway.Gateway
	feed     *channel.Outbox
	registry *prometheus.Registry
	public   *door
	desk     *door
	words    alert.Config
	sign     atomic.Pointer[keyring.CAPKeys]
	memory   *memory
	sensors  []*asterix.Feed
	root     string
	started  time.Time
	shed     atomic.Int64 // observations dropped since the loop last told
	policy   policyWatch
}

// Open reads the configuration's world, takes the data folder, reads back what was kept
// and listens. Nothing is spoken before Run. The caller must Run or Close.
func Open(ctx context.Context, cfg Config, log *slog.Logger) (_ *Node, err error) {
	if err := cfg.Check(); err != nil {
		return nil, fmt.Errorf("node: configuration: %w", err)
	}
	if cfg.Universe == alert.Live {
		// Before anything is written: a start that is refused leaves no trace.
		if _, err := keyring.Open(cfg.Data, cfg.Universe); errors.Is(err, keyring.ErrNoKeys) {
			return nil, fmt.Errorf("node: keys: %w", err)
		}
	}
	n := &Node{cfg: cfg, log: log, started: cfg.now(), registry: prometheus.NewRegistry()}
	defer func() {
		if err != nil {
			n.Close()
		}
	}()
	opened, err := openPolicy(cfg)
	if err != nil {
		return nil, err
	}
	if err := n.openMemory(ctx); err != nil {
		return nil, err
	}
	if err := n.openSet(); err != nil {
		return nil, err
	}
	if err := n.openKeys(); err != nil {
		return nil, err
	}
	if err := n.openWords(); err != nil {
		return nil, err
	}
	n.keepPolicy(opened.text)
	if err := n.assemble(opened); err != nil {
		return nil, err
	}
	n.condition(policyTold(opened.refused))
	if opened.refused == nil {
		n.policy.seen = string(opened.text)
	}
	return n, n.listen(ctx)
}

func (n *Node) openMemory(ctx context.Context) (err error) {
	if err := os.MkdirAll(n.cfg.Data, 0o700); err != nil {
		return fmt.Errorf("node: data: %w", err)
	}
	if n.journal, err = journal.Open(ctx, n.cfg.Data, journal.Options{PutAside: true}); err != nil {
		return fmt.Errorf("node: data: %w", err)
	}
	if n.spoken, err = journal.OpenSpoken(n.cfg.Data); err != nil {
		return fmt.Errorf("node: data: %w", err)
	}
	n.memory, err = remember(ctx, n.journal, n.spoken)
	return err
}

func (n *Node) openKeys() (err error) {
	if n.ring, err = keyring.OpenOrInit(n.cfg.Data, n.cfg.Universe, n.cfg.now()); err != nil {
		return fmt.Errorf("node: keys: %w", err)
	}
	n.root = n.ring.RootText()
	sign, err := keyring.OpenCAP(n.cfg.Data, n.cfg.Sender, n.cfg.now())
	if err != nil {
		return fmt.Errorf("node: keys: %w", err)
	}
	n.sign.Store(&sign)
	return nil
}

func (n *Node) openWords() error {
	at, err := time.LoadLocation(n.cfg.Timezone)
	if err != nil {
		return fmt.Errorf("node: timezone: %w", err)
	}
	n.words, err = alert.Config{
		Universe: n.cfg.Universe, Sender: n.cfg.Sender, Languages: n.cfg.Languages, Location: at,
	}.Prepare()
	if err != nil {
		return fmt.Errorf("node: languages: %w", err)
	}
	return nil
}

// assemble makes the rooms and gives them what was remembered.
func (n *Node) assemble(policy openedPolicy) error {
	sources := make([]observation.Source, len(n.cfg.Sources))
	for i, s := range n.cfg.Sources {
		sources[i] = s.Observed()
	}
	var err error
	if n.grants, err = newGrants(n.ring, n.sets.now(), sources); err != nil {
		return err
	}
	sources = append(sources, n.grants.sources()...)
	regions := []string{board.Whole, board.Test}
	for _, r := range n.sets.now().Regions() {
		regions = append(regions, string(r))
	}
	n.memory.doubt(n.started, regions)
	config := pipeline.Config{
		Alert: n.words, Zones: n.warnedOver(), Policy: policy.policy, Sources: sources,
		TrackPrefix: fmt.Sprintf("t%d-", n.memory.starts+1), Each: SideBySide,
	}
	if n.sensors, err = n.feeds(); err != nil {
		return err
	}
	signer, err := n.ring.Signer(n.sets.now())
	if err != nil {
		return fmt.Errorf("node: keys: %w", err)
	}
	n.signing.Store(&signing{signer, n.sets.now()})
	public, err := board.NewPublisher(board.Config{Universe: n.cfg.Universe, Zones: n.sets.now(), Signer: signer}, n.memory.numbers)
	if err != nil {
		return fmt.Errorf("node: %w", err)
	}
	if err := n.openGateway(); err != nil {
		return err
	}
	if err := n.openLoop(pipeline.New(config), public); err != nil {
		return err
	}
	n.loop.metrics.policy(policy.policy)
	if err := n.record(config, policy.text); err != nil {
		return err
	}
	return n.restore()
}

// openGateway makes the public side and the channel of CAP documents.
func (n *Node) openGateway() (err error) {
	documents := feed.New(feed.Config{Title: n.cfg.Name, Sender: n.cfg.Sender, Write: n.writeCAP})
	n.feed = channel.NewOutbox("feed", documents, channel.Options{Expired: true})
	n.gateway, err = gateway.New(gateway.Config{
		Page: gateway.Page{
			Universe: string(n.cfg.Universe), Root: n.root, Languages: n.cfg.Languages,
			Basemap: n.cfg.Basemap, Bounds: bounds(n.sets.now()), Name: n.cfg.Name,
		},
		Zones: n.sets.now(), Feed: documents, Registry: n.registry, Location: n.words.Location,
		Subscribers: placesOf(openFiles()).streams,
	})
	if err != nil {
		return fmt.Errorf("node: %w", err)
	}
	if n.before != nil {
		if err := n.gateway.SetZones(n.sets.now(), n.before); err != nil {
			return fmt.Errorf("node: %w", err)
		}
	}
	n.gateway.SetKeys(n.ring.Line())
	return nil
}

// openLoop makes the one owner of the core, with its queues and what it shows.
func (n *Node) openLoop(core *pipeline.Pipeline, public *board.Publisher) error {
	conditions := health.NewBoard(conditionLimit)
	shown := health.NewMetrics(n.registry)
	shown.Conditions(conditions)
	n.journalMetrics(shown)
	if err := n.registry.Register(feedMetrics{n.sensors, time.Now}); err != nil {
		return fmt.Errorf("node: metrics: %w", err)
	}
	n.loop = &loop{
		core: core, board: public, regions: public.Regions(), out: n.gateway, outboxes: []outbox{n.feed},
		keeper: keeper{store: durable{n.journal}, spoken: n.spoken, backlog: n.memory.untaken, aside: len(n.memory.untaken) > 0},
		health: conditions, metrics: newMetrics(shown), log: n.log, wall: n.cfg.now, within: n.within,
		refresh:      map[string]bool{},
		moments:      map[string]health.Condition{},
		shed:         &n.shed,
		observations: make(chan observation.Observation, observationQueue),
		commands:     make(chan request, commandQueue),
		receipts:     make(chan alert.Receipt, receiptQueue),
		conditions:   make(chan health.Condition, 1024),
		signers:      make(chan *board.Signer, 1),
		sets:         make(chan newSet, 1),
		policies:     make(chan pipeline.PolicyChanged, 1),
		broken:       make(chan error, 1),
		ended:        make(chan struct{}),
	}
	if n.cfg.Replay != nil && n.cfg.Replay.BoardOnly {
		n.loop.outboxes = nil
	}
	n.loop.staleAll()
	if err := shown.Err(); err != nil {
		return fmt.Errorf("node: metrics: %w", err)
	}
	return nil
}

// SideBySide calls do with 0 to n-1 on as many processors as there are, and returns when all
// calls have.
func SideBySide(n int, do func(i int)) {
	var next atomic.Int64
	work := func() {
		for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
			do(i)
		}
	}
	var group sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) - 1 {
		group.Go(work)
	}
	work()
	group.Wait()
}

func (n *Node) journalMetrics(m *health.Metrics) {
	m.CounterFunc("journal_entries_total", "Entries kept since the start.", func() float64 { return float64(n.journal.Stats().Entries) })
	m.CounterFunc("journal_commits_total", "Synced transactions since the start.", func() float64 { return float64(n.journal.Stats().Commits) })
	m.CounterFunc("journal_refused_total", "Appends that were not kept: the disk full, failed or busy.", func() float64 { return float64(n.journal.Stats().Refused) })
	m.GaugeFunc("spoken_log_records", "Entries spoken before they were kept, and not yet in the journal.", func() float64 { return float64(n.spoken.State().Records) })
	m.GaugeFunc("gateway_subscribers", "Readers of the stream.", func() float64 { return float64(n.gateway.Subscribers()) })
}

func (n *Node) listen(ctx context.Context) (err error) {
	held := placesOf(openFiles())
	if held.public < publicConnections {
		n.log.Warn("few connections can be held, because the process may open few files: raise the limit (ulimit -n, LimitNOFILE=)",
			"files", held.files, "public", held.public, "streams", held.streams, "desk", held.desk)
	}
	if n.public, err = openDoor(ctx, "public", n.cfg.Public.Listen, n.cfg.Public.TLS, held.public, bounded(n.gateway)); err != nil {
		return err
	}
	commands, err := n.openDesk()
	if err != nil {
		return fmt.Errorf("node: %w", err)
	}
	if n.desk, err = openDoor(ctx, "desk", n.cfg.Desk.Listen, TLS{}, held.desk, bounded(commands)); err != nil {
		return err
	}
	for _, d := range []*door{n.public, n.desk} { // strangers' broken handshakes are no news
		d.server.ErrorLog = slog.NewLogLogger(n.log.Handler(), slog.LevelDebug)
	}
	m := health.NewMetrics(n.registry)
	m.CounterFunc("public_evicted_total", "Connections of the public that had to go for a newcomer.", func() float64 { return float64(n.public.crowd.evictions()) })
	m.CounterFunc("desk_evicted_total", "Connections of the desk that had to go for a newcomer.", func() float64 { return float64(n.desk.crowd.evictions()) })
	return m.Err()
}

// PublicAddress is where citizens ask, as it was bound.
func (n *Node) PublicAddress() string { return n.public.listener.Addr().String() }

// DeskAddress is where operators come in, as it was bound.
func (n *Node) DeskAddress() string { return n.desk.listener.Addr().String() }

// Root is the public root key as clients pin it.
func (n *Node) Root() string { return n.root }

// Run speaks until the context ends; then it lets readers go, and everything that was
// accepted is on disk. An error says that it ended by itself: a supervisor starts it again.
func (n *Node) Run(ctx context.Context) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var group sync.WaitGroup
	run := func(name string, f func() error) {
		group.Go(func() {
			if err := f(); err != nil && ctx.Err() == nil {
				n.log.Error(name + ": " + err.Error())
				stop(err)
			}
		})
	}
	run("public", func() error { return n.public.serve(ctx, n.condition) })
	run("desk", func() error { return n.desk.serve(ctx, n.condition) })
	run("feed", func() error { n.feed.Run(ctx, n.received); return nil })
	run("keys", func() error { n.watchKeys(ctx); return nil })
	for _, f := range n.sensors {
		run(f.Name(), func() error { return n.sense(ctx, f) })
	}
	run("loop", func() error { return n.loop.run(ctx) })
	<-ctx.Done()
	n.gateway.Close()
	group.Wait()
	cause := context.Cause(ctx)
	if errors.Is(cause, context.Canceled) || errors.Is(cause, context.DeadlineExceeded) {
		cause = nil
	}
	return errors.Join(cause, n.close(cause == nil && !n.loop.keeper.waiting()))
}

// Close gives back what Open took. It is safe to call twice.
func (n *Node) Close() error { return n.close(false) }

// close is Close; orderly says that everything decided is kept, or is on its way to be.
func (n *Node) close(orderly bool) error {
	var errs []error
	for _, d := range []*door{n.public, n.desk} {
		if d != nil {
			d.server.Close()
			d.listener.Close()
		}
	}
	if n.loop != nil {
		n.loop.recorder.close(orderly) // before the journal gives up the folder
	}
	if n.spoken != nil {
		errs = append(errs, n.spoken.Close())
	}
	if n.journal != nil {
		errs = append(errs, n.journal.Close())
	}
	return errors.Join(errs...)
}

// feeds are the configured sources, one sensor an address.
func (n *Node) feeds() ([]*asterix.Feed, error) {
	var configs []asterix.Config
	for _, s := range n.cfg.Sources {
		editions, err := wire.ParseEditions(s.Editions)
		if err != nil {
			return nil, fmt.Errorf("node: source %s: %w", s.ID, err)
		}
		o := s.Observed()
		configs = append(configs, asterix.Config{
			ID: s.ID, Listen: s.Listen, SAC: s.SAC, SIC: s.SIC, Editions: editions,
			Site: o.Site, Errors: o.Errors, Coverage: o.Coverage, Period: o.Period, Simulated: s.Simulated,
		})
	}
	feeds, err := asterix.Feeds(configs, n.condition)
	if err != nil {
		return nil, fmt.Errorf("node: %w", err)
	}
	return feeds, nil
}

// sense keeps one feed alive and hands its observations to the loop.
func (n *Node) sense(ctx context.Context, f *asterix.Feed) error {
	sensor.Keep(ctx, f, sensor.Options{Feed: f.Name(), Sources: f.Sources(), Note: n.condition}, n.observed)
	return nil
}

// observed queues an observation; where the core cannot keep up it is shed and counted.
func (n *Node) observed(o observation.Observation) {
	select {
	case n.loop.observations <- o:
	default:
		n.loop.metrics.shed.Inc()
		n.shed.Add(1)
	}
}

func (n *Node) condition(c health.Condition) {
	select {
	case n.loop.conditions <- c:
	default: // the loop is behind: the desk and the metrics are told all the same
		n.loop.health.Put(c)
	}
}

func (n *Node) received(r alert.Receipt) {
	select {
	case n.loop.receipts <- r:
	default:
		n.loop.metrics.receiptsDropped.Inc()
	}
}

// watchKeys takes up rotations and revocations that `tocsin keys` made in the folder.
func (n *Node) watchKeys(ctx context.Context) {
	tick := time.NewTicker(keyCheck)
	defer tick.Stop()
	unreadable, imported := false, ""
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		imported = n.watchSet(ctx, imported)
		n.watchPolicy(ctx)
		n.watchCertificate(time.Now())
		n.watchCAPKeys()
		next, changed, err := n.ring.Reload()
		if err == nil && !changed && !unreadable {
			continue
		}
		var signer *board.Signer
		if err == nil {
			signer, err = next.Signer(n.sets.now())
		}
		if err == nil {
			err = n.grants.use(next)
		}
		told := health.Condition{Name: "keys-unreadable", Raised: err != nil, At: time.Now().UTC()}
		if unreadable = err != nil; unreadable {
			told.Detail = err.Error()
		}
		n.condition(told)
		if err != nil || !changed {
			continue
		}
		n.ring = next
		n.signing.Store(&signing{signer, n.sets.now()})
		n.gateway.SetKeys(next.Line())
		select {
		case n.loop.signers <- signer:
		case <-ctx.Done():
			return
		}
	}
}

// watchCAPKeys takes up a rotation or revocation of the keys of CAP documents.
func (n *Node) watchCAPKeys() {
	told := health.Condition{Name: "cap-keys-unreadable", At: time.Now().UTC()}
	next, err := keyring.ReadCAP(n.cfg.Data)
	if err == nil {
		_, err = next.Signing(n.cfg.now())
	}
	if err != nil {
		told.Raised, told.Detail = true, err.Error()+"; the keys before sign on"
	} else if !keyring.SameCAP(next, *n.sign.Load()) {
		n.sign.Store(&next)
	}
	n.condition(told)
}

// writeCAP makes the signed CAP document of an alert.
func (n *Node) writeCAP(a alert.Alert) ([]byte, error) {
	doc, err := alert.CAP(a, n.sets.of(a.Set), n.words)
	if err != nil {
		return nil, err
	}
	b, err := doc.Marshal()
	if err != nil {
		return nil, err
	}
	k, err := n.sign.Load().Signing(n.cfg.now())
	if err != nil {
		return nil, err
	}
	return cap12.Sign(b, k.Key, k.Cert)
}
