package vectors

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maker builds scripts. Its keys are named; all come from the seed.
type maker struct {
	file File
	seed uint64
	rand *rand.Rand
}

func newMaker(seed uint64) *maker {
	return &maker{
		file: File{Version: 1, Seed: seed, Roots: map[string]string{}, Keys: map[string]Line{}},
		seed: seed,
		rand: rand.New(rand.NewPCG(seed, 1)),
	}
}

func (m *maker) key(name string) ed25519.PrivateKey {
	sum := sha256.Sum256([]byte("tocsin vectors " + strconv.FormatUint(m.seed, 10) + " " + name))
	return ed25519.NewKeyFromSeed(sum[:])
}

func (m *maker) x(name string) string {
	return b64(m.key(name).Public().(ed25519.PublicKey))
}

func (m *maker) kid(name string) string {
	sum := sha256.Sum256(m.key(name).Public().(ed25519.PublicKey))
	return b64(sum[:])[:16]
}

func unb64(s string) []byte {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		panic(err) // it is of our own making
	}
	return b
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// raw is JSON text that is written as it stands, right or wrong.
type raw string

// object is a JSON object whose members stay in order, twice over if need be.
type object []member

type member struct {
	name  string
	value any
}

// with returns the object with a member set, in its place if it is there.
func (o object) with(name string, value any) object {
	out := slices.Clone(o)
	for i := range out {
		if out[i].name == name {
			out[i].value = value
			return out
		}
	}
	return append(out, member{name, value})
}

// and returns the object with one more member at its end, whatever is there.
func (o object) and(name string, value any) object {
	return append(slices.Clone(o), member{name, value})
}

func (o object) without(name string) object {
	return slices.DeleteFunc(slices.Clone(o), func(x member) bool { return x.name == name })
}

func (o object) get(name string) any {
	for _, x := range o {
		if x.name == name {
			return x.value
		}
	}
	return nil
}

// text writes a value as JSON without white space.
func text(v any) string {
	switch v := v.(type) {
	case raw:
		return string(v)
	case string:
		b, err := marshal(v)
		if err != nil {
			panic(err) // a string always has a form
		}
		return string(b)
	case int:
		return strconv.Itoa(v)
	case time.Time:
		return `"` + v.Format("2006-01-02T15:04:05.000Z") + `"`
	case object:
		parts := make([]string, len(v))
		for i, x := range v {
			parts[i] = text(x.name) + ":" + text(x.value)
		}
		return "{" + strings.Join(parts, ",") + "}"
	case []object:
		return list(v)
	case []string:
		return list(v)
	}
	panic(fmt.Sprintf("vectors: no JSON for %T", v))
}

func list[T any](values []T) string {
	parts := make([]string, len(values))
	for i, v := range values {
		parts[i] = text(v)
	}
	return "[" + strings.Join(parts, ",") + "]"
}

// header is the one protected header there is.
func (m *maker) header(of string) string { return `{"alg":"EdDSA","kid":"` + m.kid(of) + `"}` }

// seal signs any header and payload with a named key.
func (m *maker) seal(by, header, payload string) string {
	return m.sealText(by, b64([]byte(header))+"."+b64([]byte(payload)))
}

// sealText signs a text whatever it is.
func (m *maker) sealText(by, signed string) string {
	return signed + "." + b64(ed25519.Sign(m.key(by), []byte(signed)))
}

// padded is a well signed frame of that many bytes: white space fills the payload up.
func (m *maker) padded(p object, size int) Line {
	head := text(p)
	head += strings.Repeat(" ", (3-len(head)%3)%3)
	rest := size - len(b64([]byte(m.header("main")))) - len(b64([]byte(head))) - 2 - len(b64(make([]byte, ed25519.SignatureSize)))
	return m.filled(head, "   ", rest/4, strings.Repeat(" ", rest%4*3/4))
}

// nested is a well signed frame with arrays in each other to no end.
func (m *maker) nested(times int) Line {
	head := strings.TrimSuffix(text(m.board("*", 7, at(0))), "}") + `,"x":`
	head += strings.Repeat(" ", (3-len(head)%3)%3)
	return m.filled(head, "[[[", times/3, "]")
}

// filled signs a payload in which three bytes are repeated; head is a multiple of three.
func (m *maker) filled(head, fill string, times int, tail string) Line {
	whole := m.seal("main", m.header("main"), head+strings.Repeat(fill, times)+tail)
	start := b64([]byte(m.header("main"))) + "." + b64([]byte(head))
	return Line{Head: start, Fill: b64([]byte(fill)), Times: times, Tail: whole[len(start)+4*times:]}
}

// sign makes the frame of a payload by the board key main.
func (m *maker) sign(p object) string { return m.signBy("main", p) }

func (m *maker) signBy(by string, p object) string { return m.seal(by, m.header(by), text(p)) }

const universe = "exercise"

func at(seconds float64) time.Time {
	return start.Add(time.Duration(math.Round(seconds*1000)) * time.Millisecond)
}

// after is when a frame signed at a time reaches the client.
func after(t time.Time) time.Time { return t.Add(200 * time.Millisecond) }

func (m *maker) board(region string, seq int, when time.Time, items ...object) object {
	return object{
		{"universe", universe}, {"region", region}, {"kind", "board"}, {"seq", seq}, {"at", when},
		{"items", items}, {"picture", "live"}, {"set", "3f1c2ab94d0e"}, {"next", when.Add(11 * time.Second)},
	}
}

func (m *maker) change(region string, seq, prev int, when time.Time, items ...object) object {
	return object{
		{"universe", universe}, {"region", region}, {"kind", "change"}, {"seq", seq}, {"prev", prev}, {"at", when},
		{"items", items}, {"next", when.Add(11 * time.Second)},
	}
}

// beat agrees with the given items.
func (m *maker) beat(region string, seq int, when time.Time, items ...object) object {
	active, sum := digest(items)
	return object{
		{"universe", universe}, {"region", region}, {"kind", "beat"}, {"seq", seq}, {"at", when},
		{"active", active}, {"digest", sum}, {"picture", "live"}, {"next", when.Add(11 * time.Second)},
	}
}

// digest is the contract's, over the items that have not ended.
func digest(items []object) (int, string) {
	lines := map[string]string{}
	for _, it := range items {
		for _, id := range it.get("zones").([]string) {
			if it.get("end") == nil {
				until := strings.Trim(text(it.get("until")), `"`)
				lines[id] = fmt.Sprintf("%s\t%s\t%s\t%s\n", id, it.get("stage"), it.get("threat"), until)
			}
		}
	}
	ids := make([]string, 0, len(lines))
	for id := range lines {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	var all strings.Builder
	for _, id := range ids {
		all.WriteString(lines[id])
	}
	sum := sha256.Sum256([]byte(all.String()))
	return len(ids), hex.EncodeToString(sum[:])
}

func shelter(threat string, since time.Time, zones ...string) object {
	return warned("shelter", threat, since, zones...)
}

func warned(stage, threat string, since time.Time, zones ...string) object {
	return object{
		{"stage", stage}, {"threat", threat}, {"sure", "high"}, {"since", since}, {"until", since.Add(30 * time.Minute)},
		{"arrival", object{{"earliest", since.Add(3 * time.Minute)}, {"likely", since.Add(5 * time.Minute)}}},
		{"alert", "w1.1"}, {"zones", zones}, {"text", stage + "-" + threat},
	}
}

func ended(end, threat string, since time.Time, zones ...string) object {
	return object{
		{"stage", "quiet"}, {"threat", threat}, {"sure", "high"}, {"since", since}, {"until", since.Add(10 * time.Minute)},
		{"alert", "w1.2"}, {"zones", zones}, {"end", end}, {"text", end},
	}
}

// script is one being written.
type script struct{ *Script }

// script starts a client that has taken the key list main.
func (m *maker) script(name, about string, regions ...string) script {
	s := m.bare(name, about, regions...)
	s.keys("main", start, "taken")
	return s
}

// bare starts a client that knows no keys but the root.
func (m *maker) bare(name, about string, regions ...string) script {
	if len(regions) == 0 {
		regions = []string{"*"}
	}
	s := &Script{Name: name, About: about, Root: "main", Universe: universe, Regions: regions}
	m.file.Scripts = append(m.file.Scripts, s)
	return script{s}
}

func (s script) keys(name string, now time.Time, verdict string) {
	s.Steps = append(s.Steps, Step{Keys: name, Now: timeText(now), Verdict: verdict})
}

func (s script) take(line string, now time.Time, verdict string) {
	s.takeLine(Line{Head: line}, now, verdict, false)
}

// flagged is take where the frame is far from the clock.
func (s script) flagged(line string, now time.Time, verdict string) {
	s.takeLine(Line{Head: line}, now, verdict, true)
}

func (s script) takeLine(l Line, now time.Time, verdict string, clock bool) {
	step := Step{Frame: &l, Now: timeText(now), Verdict: verdict}
	if clock {
		step.Clock = true
	}
	s.Steps = append(s.Steps, step)
}

// look adds an empty look to be filled in.
func (s script) look(now time.Time) *Step {
	s.Steps = append(s.Steps, Step{Look: timeText(now)})
	return &s.Steps[len(s.Steps)-1]
}

// shows looks at the whole state.
func (s script) shows(now time.Time, zones ...Zone) {
	if zones == nil {
		zones = []Zone{}
	}
	s.look(now).State = &zones
}

// untouched looks that a chain holds nothing at all.
func (s script) untouched(now time.Time) {
	l := s.look(now)
	l.State, l.Seq = &[]Zone{}, map[string]int64{}
	for _, r := range s.Regions {
		l.Seq[r] = -1
	}
}

// deaf looks whether one chain is.
func (s script) deaf(now time.Time, region string, is bool) {
	s.look(now).Deaf = map[string]bool{region: is}
}

func timeText(t time.Time) string { return strings.Trim(text(t), `"`) }

// zones are those of an item as they must be shown.
func shown(region, show string, it object) []Zone {
	var out []Zone
	for _, id := range it.get("zones").([]string) {
		out = append(out, Zone{
			Region: region, Zone: id, Show: show, Stage: it.get("stage").(string), Threat: it.get("threat").(string),
			Until: strings.Trim(text(it.get("until")), `"`), Alert: it.get("alert").(string),
		})
	}
	return out
}

// refused is a script of one line that must change nothing.
func (m *maker) refused(name, about, line, verdict string) {
	s := m.script(name, about)
	s.take(line, at(1), verdict)
	s.untouched(at(1))
}
