package main

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"tocsin/board"
	"tocsin/core/alert"
	"tocsin/core/zone"
	"tocsin/desk"
	"tocsin/node"
	"tocsin/node/keyring"
	"tocsin/sim/history"
	"tocsin/sim/replay"
	"tocsin/zones"
)

type replayCmd struct {
	File   string   `arg:"" help:"The history, CSV, also packed with gzip, - is standard input; with --format tocsin a data folder."`
	Format string   `required:"" enum:"tocsin,ua-official,il-alerts" help:"What it is: tocsin (a data folder with its recording), ua-official or il-alerts."`
	Speed  string   `default:"max" help:"How many times as fast as it was, or max." placeholder:"N|max"`
	From   string   `help:"Begin here in the history, such as 2022-10-10T03:00:00Z; by default at its first alarm." placeholder:"TIME"`
	Until  string   `help:"End here; what goes on in the history is cancelled then, which is no all-clear." placeholder:"TIME"`
	Zones  []string `help:"The zone set, GeoJSON files, levels together; by default the shipped set of the country." placeholder:"FILE" sep:","`
	To     string   `help:"Into a running system of the exercise universe, by its desk; by default into one of its own." placeholder:"DESK-URL"`
	Token  string   `help:"The file with the token for --to; it needs the scopes declare, extend, end and read." placeholder:"FILE"`
	Listen string   `help:"Where the page of a system of its own is; by default localhost:8080, and at max a free port." placeholder:"HOST:PORT"`
	Data   string   `help:"Keep the data folder of a system of its own here, for tocsin explain; it must not exist." placeholder:"DIR"`
	Board  bool     `name:"board-only" help:"At max: write no CAP documents, whose signatures take longer than all else."`
	Trace  bool     `help:"With --format tocsin: print what changed, as tocsin sim does."`
	JSON   bool     `name:"json" help:"The report as JSON."`
}

// Help is the example that --help prints.
func (replayCmd) Help() string {
	return `Gives the alarms of a history to an authority's door, each with the row of the file that it rests on, and reports.
At a speed the alarms come as they came, so many times faster, and the page beside it shows them. At max a system of its
own lives in the recording's time and takes each moment as fast as it can: nothing waits, and its journal tells the night at its
own times. A live system refuses a replay.
With --format tocsin it takes a data folder, also while a system runs on it: the core is made anew from each recorded start, is given what it
was given, and every decision and alert is held against what the journal has kept, byte for byte. Exit code 1 where anything
differs, nothing could be compared, or a start could not be replayed to its end.
Examples:
  tocsin replay ./tocsin-data --format tocsin
  tocsin replay ua-official.csv.gz --format ua-official --json
  tocsin replay ua-official.csv.gz --format ua-official --from 2022-10-10T03:00:00Z --until 2022-10-10T14:00:00Z --speed 60
  tocsin replay il-alerts.csv.gz --format il-alerts --to http://127.0.0.1:8081 --token token.txt --speed 60`
}

// Run replays and reports. Exit code 1 where the door refused anything.
func (r replayCmd) Run(c *console) error {
	if r.Format == recordedFormat {
		return r.recorded(c)
	}
	if r.Trace {
		return usageError("replay: --trace is of --format tocsin: a history holds alarms, and no core decides on them alone")
	}
	p, err := r.plan(c)
	if err != nil {
		return err
	}
	if p.history, err = r.read(c, p.places); err != nil {
		return err
	}
	p.alarms = p.history.Between(p.from, p.until)
	if len(p.alarms) == 0 {
		return fmt.Errorf("replay: %s: there is no alarm in it that is known and lies in this time; %d rows were read: %w", shownName(r.File), p.history.Rows, errNo)
	}
	p.figures = replay.Measure(p.alarms, p.places.Leaves, p.from, p.until)
	c.patience.Store(int64(orderly))
	var out *replay.Outcome
	if r.To != "" {
		out, err = r.into(c, p)
	} else {
		out, err = r.alone(c, p)
	}
	if out == nil {
		return err
	}
	if told := p.report(r, out).print(c, r.JSON); err == nil {
		err = told
	}
	if err == nil && len(out.Refusals) > 0 {
		err = errNo
	}
	return err
}

// replayPlan is what the command line means.
type replayPlan struct {
	country     string
	speed       float64 // 0: max
	from, until time.Time
	to          *url.URL
	secret      string
	set         *zone.Set
	places      *history.Gazetteer
	history     *history.History
	alarms      []history.Alarm
	figures     replay.Figures
	samples     []time.Duration // from the door to a verified frame
	unheard     int
	heard       *replay.Heard
	// moment is called when all of one moment was given: what is held then is what the file says.
	moment func(f *replay.Follower, at time.Time) error
}

func (r replayCmd) plan(c *console) (*replayPlan, error) {
	p := &replayPlan{country: r.Format[:2]}
	var err error
	if r.Speed != "max" {
		if p.speed, err = strconv.ParseFloat(r.Speed, 64); err != nil || !(p.speed >= 0.01 && p.speed <= 1e6) {
			return nil, usageError("replay: --speed %s: it is neither max nor a number from 0.01 to 1000000", r.Speed)
		}
	}
	for _, at := range []struct {
		flag, text string
		into       *time.Time
	}{{"--from", r.From, &p.from}, {"--until", r.Until, &p.until}} {
		if at.text == "" {
			continue
		}
		if *at.into, err = time.Parse(time.RFC3339, at.text); err != nil {
			return nil, usageError("replay: %s %s: it is no time such as 2022-10-10T03:00:00Z", at.flag, at.text)
		}
	}
	switch {
	case (r.To == "") != (r.Token == ""):
		return nil, usageError("replay: --to and --token go together: the desk is told who asks")
	case r.To != "" && (r.Listen != "" || r.Data != ""):
		return nil, usageError("replay: --listen and --data are of a system of its own, and --to names another")
	case r.Board && (r.To != "" || p.speed > 0):
		return nil, usageError("replay: --board-only is of a system of its own at --speed max")
	case !p.until.IsZero() && !p.from.Before(p.until):
		return nil, usageError("replay: --until must be after --from")
	}
	if r.To != "" {
		if p.to, err = url.Parse(r.To); err != nil || p.to.Host == "" || (p.to.Scheme != "http" && p.to.Scheme != "https") {
			return nil, usageError("replay: --to %s: it is no URL such as http://127.0.0.1:8081", r.To)
		}
		secret, err := readFile(c, r.Token, 4096)
		if err != nil {
			return nil, fileError("replay", r.Token, err)
		}
		p.secret = strings.TrimSpace(string(secret))
	}
	if r.Listen != "" {
		if err := node.CheckListen(r.Listen); err != nil {
			return nil, usageError("replay: --listen: %v", err)
		}
	}
	return p, r.openPlaces(c, p)
}

// openPlaces reads the zone set, and what its files say of larger areas.
func (r replayCmd) openPlaces(c *console, p *replayPlan) error {
	if len(r.Zones) == 0 {
		set, err := zones.Open(p.country)
		if err != nil {
			return err
		}
		districts, err := zones.Districts(p.country)
		if err != nil {
			return err
		}
		p.set, p.places = set, history.NewGazetteer(set, districts)
		return nil
	}
	files, err := readZoneFiles(c, "replay", r.Zones)
	if err != nil {
		return err
	}
	set, report := zone.ReadSet(files, zone.Limits{})
	if report.Bad() {
		return fmt.Errorf("replay: --zones %s: the set has %d defects and cannot be used; `tocsin zones check` with the same files names them: %w", shownName(strings.Join(r.Zones, ",")), report.Count(), errNo)
	}
	districts := map[string][]zone.ID{}
	for _, f := range files {
		more, err := history.Districts(f.Data)
		if err != nil {
			return fileError("replay", f.Name, err)
		}
		for name, ids := range more {
			districts[name] = append(districts[name], ids...)
		}
	}
	p.set, p.places = set, history.NewGazetteer(set, districts)
	return nil
}

// read reads the history, unpacking it where it is packed.
func (r replayCmd) read(c *console, places *history.Gazetteer) (*history.History, error) {
	in := c.in
	if r.File != "-" {
		f, err := openFile(r.File)
		if err != nil {
			return nil, fileError("replay", r.File, err)
		}
		defer f.Close() // read only: nothing can be lost
		in = f
	}
	b := bufio.NewReader(in)
	var plainText io.Reader = b
	if magic, err := b.Peek(2); err == nil && bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(b)
		if err != nil {
			return nil, fileError("replay", r.File, err)
		}
		plainText = z
	}
	h, err := history.Read(plainText, history.Format(r.Format), places)
	if err != nil {
		return nil, fmt.Errorf("replay: %s: %w", shownName(r.File), err)
	}
	return h, nil
}

// atOnce is how many commands of one moment are given side by side.
const atOnce = 8

func (r replayCmd) options(c *console) (replay.Options, *progress) {
	bar := newProgress(c, "replaying")
	return replay.Options{
		File: r.File, AtOnce: atOnce,
		Progress: func(done, total int, at time.Time) {
			bar.what = "replaying " + at.Format("2006-01-02 15:04") + ", command"
			bar.show(done, total)
		},
	}, bar
}

// into replays into a running system, in the machine's time.
func (r replayCmd) into(c *console, p *replayPlan) (*replay.Outcome, error) {
	door := replay.NewDesk(p.to, p.secret, atOnce)
	defer door.Close()
	var pace replay.Pace = replay.Rush{}
	if p.speed > 0 {
		pace = replay.NewWall(p.alarms[0].Start, p.speed)
	}
	o, bar := r.options(c)
	defer bar.clear()
	return replay.Run(c.ctx, p.alarms, pace, door, o)
}

// alone replays into a system of its own: at max in the recording's time, else in the
// machine's, so that its page can be watched.
func (r replayCmd) alone(c *console, p *replayPlan) (*replay.Outcome, error) {
	dir, remove, err := r.folder()
	if err != nil {
		return nil, err
	}
	defer c.atEnd(remove)()
	cfg := r.config(p, dir)
	var pace replay.Pace
	begin := time.Now()
	cfg.Replay = &node.Replay{Clock: time.Now, Rate: 1e9, BoardOnly: r.Board}
	if p.speed == 0 {
		begin = p.figures.From.Add(-time.Minute)
		clock := replay.NewClock(begin)
		cfg.Replay.Clock, pace = clock.Now, clock
	}
	span := p.figures.To.Sub(p.figures.From)
	ring, err := keyring.Init(dir, alert.Exercise, begin, keyring.Options{Valid: keyring.Valid + span})
	if err != nil {
		return nil, err
	}
	_, secret, err := ring.AddToken(begin, "replay", keyring.Scopes(), board.Everything(), keyring.Valid+span)
	if err != nil {
		return nil, err
	}
	n, err := node.Open(c.ctx, cfg, slog.New(slog.NewTextHandler(c.err, &slog.HandlerOptions{Level: slog.LevelError})))
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(c.ctx)) // the replay ends first, and takes back what is in force
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	if p.speed > 0 {
		fmt.Fprintf(c.err, "tocsin: EXERCISE. The page is on http://%s, the desk on http://%s; the history begins in %s.\n", shown(cfg.Public.Listen, n.PublicAddress()), n.DeskAddress(), lookAround)
		pace = replay.NewWall(p.alarms[0].Start.Add(-time.Duration(float64(lookAround)*p.speed)), p.speed)
	}
	out, err := r.drive(c, p, n, pace, secret)
	stop()
	return out, errors.Join(err, <-ended)
}

// lookAround is how long a replay waits before its first alarm, so that the page is open.
const lookAround = 3 * time.Second

// drive plays the alarms into a node of this process and follows what it says.
func (r replayCmd) drive(c *console, p *replayPlan, n *node.Node, pace replay.Pace, secret string) (*replay.Outcome, error) {
	root, err := base64.RawURLEncoding.DecodeString(n.Root())
	if err != nil {
		return nil, fmt.Errorf("replay: %w", err)
	}
	follower := replay.NewFollower(&url.URL{Scheme: "http", Host: n.PublicAddress()}, root, alert.Exercise, pace.Now)
	following, stop := context.WithCancel(c.ctx)
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		follower.Run(following)
	}()
	defer func() {
		stop()
		<-gone
		heard := follower.Heard()
		p.heard = &heard
		p.samples, p.unheard = follower.Samples()
	}()
	if err := follower.Ready(c.ctx); err != nil {
		return nil, err
	}
	door := replay.NewDesk(&url.URL{Scheme: "http", Host: n.DeskAddress()}, secret, atOnce)
	defer door.Close()
	o, bar := r.options(c)
	defer bar.clear()
	o.Given = func(_ desk.Command, a desk.Answer, began, _ time.Time) {
		for _, id := range a.Alerts {
			follower.Given(id, began)
		}
	}
	if p.moment != nil {
		o.Moment = func(at time.Time) error { return p.moment(follower, at) }
	}
	out, err := replay.Run(c.ctx, p.alarms, pace, door, o)
	if err == nil {
		// What was said last is on its way; a second is far more than it takes.
		limit, done := context.WithTimeout(c.ctx, time.Second)
		follower.Settle(limit)
		done()
	}
	return out, err
}

// folder is the data folder, and what takes it away where it is not to be kept.
func (r replayCmd) folder() (string, func(), error) {
	if r.Data == "" {
		return temporary()
	}
	if err := os.Mkdir(r.Data, 0o700); err != nil {
		return "", nil, fileError("replay", r.Data, err)
	}
	return r.Data, func() {}, nil
}

// config is a system of the exercise universe without a sensor.
func (r replayCmd) config(p *replayPlan, dir string) node.Config {
	cfg := node.Defaults()
	cfg.Universe, cfg.Data = alert.Exercise, dir
	cfg.Public.Listen, cfg.Desk.Listen = "127.0.0.1:0", "127.0.0.1:0"
	if p.speed > 0 || r.Listen != "" {
		cfg.Public.Listen = cmp.Or(r.Listen, "localhost:8080")
	}
	cfg.Sender, cfg.Name = "exercise@tocsin.example", "Tocsin, a replay of "+filepath.Base(r.File)
	cfg.Zones, cfg.Basemap = []string{p.country}, p.country
	if len(r.Zones) > 0 {
		cfg.Zones = r.Zones
	}
	cfg.Languages, cfg.Timezone = []string{"uk", "en", "ru"}, "Europe/Kyiv"
	if p.country == "il" {
		cfg.Languages, cfg.Timezone = []string{"he", "en", "ar", "ru"}, "Asia/Jerusalem"
	}
	return cfg
}
