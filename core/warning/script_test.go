package warning

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"tocsin/core/class"
	"tocsin/core/observation"
	"tocsin/core/threat"
	"tocsin/core/track"
	"tocsin/core/zone"
)

var update = flag.Bool("update", false, "rewrite the traces of the scripts")

// TestScripts runs testdata/*.txt. A script is a line of words each; what a book says is
// expected under the line that made it say so, indented.
//
//	track ID class=C [a=P@FROM-TO ...] [key=value ...]   a forecast, weighed at once
//	see-nothing | see                                    no sensor covers anything; all is covered
//	see-high | see-high-blinded                          nothing is seen under 1,000 m, as ever or because that sensor is dead
//	rule C STAGE key=value ..., policy key=value         change the policy
//	to DURATION                                          lets time pass until then
//	declare|extend|end|confirm|veto ID key=value ...     a person's command
//	restart                                              from what the journal has
//	zones old|new                                        changes the zone set
func TestScripts(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.txt")
	if len(files) == 0 {
		t.Fatal("no scripts in testdata")
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := runScript(t, string(b))
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if got != string(b) {
				t.Errorf("the trace differs; got\n%s", got)
			}
		})
	}
}

func runScript(t *testing.T, text string) string {
	w := newWorld(t, fewZones(t), scriptPolicy())
	var out strings.Builder
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "  ") {
			continue
		}
		out.WriteString(line + "\n")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		w.trace = nil
		if err := w.do(strings.Fields(line)); err != nil {
			w.say(err.Error())
		}
		for _, l := range w.trace {
			out.WriteString("  " + l + "\n")
		}
	}
	return out.String()
}

// scriptPolicy is the policy that ships with figures for what is slow that the scripts' times
// are written for: what a script shows are the rules, which do not change with the figures.
func scriptPolicy() Policy {
	p := DefaultPolicy()
	for c := range p.Rules {
		if r := &p.Rules[c][Shelter-1]; !r.AtOnce {
			r.Lead, r.Hold = 10*time.Minute, 2*time.Minute
			p.Rules[c][Prepare-1].Hold = 2 * time.Minute
		}
	}
	return p
}

// do runs one line.
func (w *world) do(f []string) error {
	args := map[string]string{}
	for _, a := range f[1:] {
		k, v, _ := strings.Cut(a, "=")
		args[k] = v
	}
	switch f[0] {
	case "track":
		return w.doTrack(f[1], f[2:])
	case "see-high":
		w.cover = threat.Cover([]track.Live{sensorOver("high", 1000, true)}, w.zones)
	case "see-high-blinded":
		w.cover = threat.Cover([]track.Live{sensorOver("high", 1000, true), sensorOver("low", -1e9, false)}, w.zones)
	case "see":
		w.cover = covered(w.zones)
	case "see-nothing":
		w.cover = threat.Cover(nil, w.zones)
	case "rule":
		return w.doRule(f[1], f[2], args)
	case "policy":
		if args["unidentified"] == "ignore" {
			w.policy.Unidentified = Unidentified{Ignore: true}
		}
		if n, err := strconv.Atoi(args["young"]); err == nil {
			w.policy.Young.People = n
		}
		if d, err := time.ParseDuration(args["last"]); err == nil {
			w.policy.Young.Last = d
		}
		w.keep(w.book.SetPolicy(w.now, w.policy))
	case "to":
		d, err := time.ParseDuration(f[1])
		if err != nil {
			return err
		}
		w.to(start.Add(d))
	case "restart":
		w.restart()
	case "forget":
		delete(w.tracks, track.ID(f[1]))
	case "zones":
		w.zones = otherZones(w.t)
		w.cover = covered(w.zones)
		w.keep(w.book.SetZones(w.now, w.zones))
	case "declare", "extend", "end", "confirm", "veto":
		return w.doCommand(f[0], f[1], args)
	default:
		return fmt.Errorf("no such line: %s", f[0])
	}
	return nil
}

// otherZones is fewZones with b split in two, c gone and d larger by what c was.
func otherZones(t testing.TB) *zone.Set {
	return newSet(t,
		square("north", "", 1, 0, 0, 4, 1), square("south", "", 1, 4, 0, 2, 1),
		square("a", "north", 2, 0, 0, 1, 1), halfSquare("b1", 1, 0), halfSquare("b2", 1, 1),
		square("d", "north", 2, 2, 0, 2, 1),
		square("e", "south", 2, 4, 0, 1, 1), square("f", "south", 2, 5, 0, 1, 1))
}

func halfSquare(id zone.ID, x, upper int) zone.Zone {
	z := square(id, "north", 2, x, 0, 1, 1)
	for i := range z.Shape[0].Outer {
		p := &z.Shape[0].Outer[i]
		p.Lat = 50 + (p.Lat-50)/2
		if upper == 1 {
			p.Lat += 0.05
		}
	}
	z.Label.Lat = 50.025
	if upper == 1 {
		z.Label.Lat = 50.075
	}
	return z
}

func (w *world) doTrack(id string, words []string) error {
	var reaches []threat.Reach
	set := map[string]string{}
	for _, word := range words {
		k, v, _ := strings.Cut(word, "=")
		if p, span, isReach := strings.Cut(v, "@"); isReach {
			from, to, _ := strings.Cut(span, "-")
			prob, err := strconv.ParseFloat(p, 64)
			if err != nil {
				return err
			}
			earliest, _ := strconv.Atoi(from)
			latest, _ := strconv.Atoi(to)
			reaches = append(reaches, w.in(zone.ID(k), prob, earliest, latest))
			continue
		}
		set[k] = v
	}
	c := class.Drone
	if f := w.tracks[track.ID(id)]; f != nil {
		c = f.Class.Best()
	}
	if name := set["class"]; name != "" {
		c, _ = class.Parse(name)
	}
	was, had := time.Time{}, false
	if f := w.tracks[track.ID(id)]; f != nil {
		was, had = f.SeenAt, true
	}
	f := w.see(id, c, reaches...)
	f.Status, f.Reason = track.Confirmed, track.NoReason
	if mix := set["mix"]; mix != "" { // rocket:0.3,drone:0.7
		f.Class = class.Mix{}
		for _, part := range strings.Split(mix, ",") {
			name, p, _ := strings.Cut(part, ":")
			k, _ := class.Parse(name)
			f.Class[k], _ = strconv.ParseFloat(p, 64)
		}
	}
	switch set["status"] {
	case "coasting":
		f.Status = track.Coasting
	case "lost":
		f.Status, f.Reason = track.Ended, track.Lost
	case "landed":
		f.Status, f.Reason = track.Ended, track.Landed
	case "merged":
		f.Status, f.Reason, f.Into = track.Ended, track.Merged, track.ID(set["into"])
	case "tentative":
		f.Status = track.Tentative
	}
	if (f.Status == track.Coasting || f.Status == track.Ended) && had {
		f.SeenAt = was
	}
	f.Standing = map[string]observation.Allegiance{"friend": observation.Friend, "neutral": observation.Neutral, "foe": observation.Foe}[set["standing"]]
	if k := set["kinds"]; k != "" {
		f.Kinds = strings.Split(k, ",")
		f.Sensors = len(f.Kinds)
	}
	if u := set["updates"]; u != "" {
		f.Updates, _ = strconv.Atoi(u)
	}
	if e := set["existence"]; e != "" {
		f.Existence, _ = strconv.ParseFloat(e, 64)
	}
	w.weigh(id)
	return nil
}

func (w *world) doRule(name, stage string, args map[string]string) error {
	c, err := class.Parse(name)
	if err != nil {
		return err
	}
	var s Stage
	if err := s.UnmarshalText([]byte(stage)); err != nil {
		return err
	}
	r := w.policy.Rules[c][s-1]
	switch m := args["mode"]; {
	case m == "confirm":
		r.Mode = Mode{Confirm: true}
	case m != "":
		d, err := time.ParseDuration(m)
		if err != nil {
			return err
		}
		r.Mode = Mode{Veto: d}
	}
	for name, to := range map[string]*time.Duration{"hold": &r.Hold, "stay": &r.Stay} {
		if args[name] != "" {
			if *to, err = time.ParseDuration(args[name]); err != nil {
				return err
			}
		}
	}
	w.policy.Rules[c][s-1] = r
	w.keep(w.book.SetPolicy(w.now, w.policy))
	return nil
}

func (w *world) doCommand(action, id string, args map[string]string) error {
	c := Command{ID: id, Action: Action(action), By: Issuer{Kind: ByAuthority, Name: "duty"}, Warning: ID(args["warning"]), Reason: args["reason"]}
	if args["by"] == "operator" {
		c.By.Kind = ByOperator
	}
	for _, z := range strings.FieldsFunc(args["zones"], func(r rune) bool { return r == ',' }) {
		c.Zones = append(c.Zones, zone.ID(z))
	}
	for _, z := range strings.FieldsFunc(args["regions"], func(r rune) bool { return r == ',' }) {
		c.Regions = append(c.Regions, zone.ID(z))
	}
	if args["as"] != "" {
		if err := c.End.UnmarshalText([]byte(args["as"])); err != nil {
			return err
		}
	}
	if args["stage"] != "" {
		if err := c.Stage.UnmarshalText([]byte(args["stage"])); err != nil {
			return err
		}
	}
	if args["threat"] != "" {
		c.Threat, _ = class.Parse(args["threat"])
	}
	if d, err := time.ParseDuration(args["until"]); err == nil {
		c.Until = start.Add(d)
	}
	changes, err := w.book.Command(w.now, c)
	w.keep(changes)
	var refused *RefusedError
	if err != nil && !errors.As(err, &refused) {
		w.t.Fatalf("a command is refused without a field: %v", err)
	}
	return err
}
