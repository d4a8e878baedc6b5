// Package tracking runs the fused picture on tracking scenarios and scores tracks
// against the truth.
//
// In: scenario folders (scenario.json, detections.csv, truth.csv, each also as .gz), or
// worlds of the same families made from a seed (Make), and CSV files of tracks. Out: CSV files of tracks, and figures. It never shows the
// tracker the truth, the labels, or what the scenario says of biases and clocks.
package tracking

import (
	"bufio"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"sort"
	"strconv"
)

// Sensor is one sensor of a scenario, as scenario.json has it. Clock is for scoring only.
type Sensor struct {
	Name    string     `json:"name"`
	Kind    string     `json:"kind"` // pos2d or rae
	Period  float64    `json:"period"`
	Pd      float64    `json:"pd"`
	Sigma   []float64  `json:"sigma"`
	Clutter float64    `json:"clutter"`
	Pos     [3]float64 `json:"pos"`
	RMax    *float64   `json:"rmax"`
	MinEl   *float64   `json:"min_el"`
	Clock   float64    `json:"clock"`

	// What only Make knows of: when its first scan is, what is added to range and
	// azimuth, and how long, at least and at most, its word takes to arrive.
	offset        float64
	bias, latency [2]float64
}

// Scenario is the head of a scenario folder.
type Scenario struct {
	Name  string        `json:"name"`
	Area  [2][2]float64 `json:"area"`
	GOSPA struct {
		C     float64 `json:"c"`
		P     float64 `json:"p"`
		Alpha float64 `json:"alpha"`
	} `json:"gospa"`
	Sensors []Sensor `json:"sensors"`
}

// Flat reports whether the score is in two dimensions.
func (s Scenario) Flat() bool { return len(s.Sensors) > 0 && s.Sensors[0].Kind == pos2d }

const (
	pos2d = "pos2d"
	rae   = "rae"
)

// Detection is one line of detections.csv.
type Detection struct {
	Scan        int
	At, Arrived float64
	Sensor      string
	Kind        string
	M           [3]float64
}

// Bounds on what a scenario may hold.
const (
	mostBytes   = 1 << 30
	mostRows    = 20_000_000
	mostSensors = 1000
)

// Load reads scenario.json of a folder and checks it.
func Load(dir string) (Scenario, error) {
	var s Scenario
	f, err := open(dir, "scenario.json")
	if err != nil {
		return s, err
	}
	defer f.Close()
	if err := json.NewDecoder(io.LimitReader(f, 1<<20)).Decode(&s); err != nil {
		return s, fmt.Errorf("tracking: scenario.json: %w", err)
	}
	if len(s.Sensors) == 0 || len(s.Sensors) > mostSensors {
		return s, fmt.Errorf("tracking: scenario.json: %d sensors, want 1 to %d", len(s.Sensors), mostSensors)
	}
	for _, r := range s.Sensors {
		want := 2
		if r.Kind == rae {
			want = 3
		} else if r.Kind != pos2d {
			return s, fmt.Errorf("tracking: scenario.json: sensor %q is of kind %q, want pos2d or rae", r.Name, r.Kind)
		}
		if len(r.Sigma) < want || !(r.Period > 0) || !(r.Pd > 0 && r.Pd <= 1) {
			return s, fmt.Errorf("tracking: scenario.json: sensor %q: period, pd or sigma is missing", r.Name)
		}
	}
	return s, nil
}

// Detections reads a folder's detections, in the order in which they arrived.
func Detections(dir string) ([]Detection, error) {
	var out []Detection
	err := table(dir, "detections.csv", []string{"scan", "t", "t_recv", "sensor", "kind", "m1", "m2", "m3"}, func(v []string) error {
		d := Detection{Sensor: v[3], Kind: v[4]}
		var err error
		if d.Scan, err = strconv.Atoi(v[0]); err != nil {
			return err
		}
		if err := floats(v[1:3], &d.At, &d.Arrived); err != nil {
			return err
		}
		if err := floats(v[5:8], &d.M[0], &d.M[1], &d.M[2]); err != nil {
			return err
		}
		out = append(out, d)
		return nil
	})
	sort.SliceStable(out, func(i, j int) bool { return out[i].Arrived < out[j].Arrived })
	return out, err
}

// open opens a file of a folder, or its .gz.
func open(dir, name string) (io.ReadCloser, error) {
	return Open(filepath.Join(dir, name))
}

// Open opens a file, or its .gz, and unpacks what ends in .gz. Close it.
func Open(path string) (io.ReadCloser, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) && filepath.Ext(path) != ".gz" {
		if packed, failed := os.Open(path + ".gz"); !errors.Is(failed, fs.ErrNotExist) {
			f, err, path = packed, failed, path+".gz"
		}
	}
	if err != nil {
		return nil, fmt.Errorf("tracking: %w", err)
	}
	if filepath.Ext(path) != ".gz" {
		return f, nil
	}
	z, err := gzip.NewReader(bufio.NewReader(f))
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("tracking: %s: %w", path, err)
	}
	return struct {
		io.Reader
		io.Closer
	}{z, f}, nil
}

// table reads the named columns of a CSV file, row by row, in the order asked for. A
// column that ends in ? may be absent; it is then empty.
func table(dir, name string, columns []string, row func([]string) error) error {
	f, err := open(dir, name)
	if err != nil {
		return err
	}
	defer f.Close()
	return readTable(f, name, columns, row)
}

func readTable(f io.Reader, name string, columns []string, row func([]string) error) error {
	r := csv.NewReader(io.LimitReader(f, mostBytes))
	r.FieldsPerRecord, r.ReuseRecord = -1, true
	head, err := r.Read()
	if err != nil {
		return fmt.Errorf("tracking: %s: header: %w", name, err)
	}
	at := make([]int, len(columns))
	for i, c := range columns {
		optional := c[len(c)-1] == '?'
		if optional {
			c = c[:len(c)-1]
		}
		at[i] = -1
		for k, h := range head {
			if h == c {
				at[i] = k
			}
		}
		if at[i] < 0 && !optional {
			return fmt.Errorf("tracking: %s: no column %q", name, c)
		}
	}
	vals := make([]string, len(columns))
	for line := 2; ; line++ {
		rec, err := r.Read()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("tracking: %s: %w", name, err)
		}
		if line > mostRows {
			return fmt.Errorf("tracking: %s: more than %d rows", name, mostRows)
		}
		for i, k := range at {
			vals[i] = ""
			if k >= 0 && k < len(rec) {
				vals[i] = rec[k]
			}
		}
		if err := row(vals); err != nil {
			return fmt.Errorf("tracking: %s: line %d: %w", name, line, err)
		}
	}
}

// floats reads numbers; an empty field is zero.
func floats(from []string, to ...*float64) error {
	for i, s := range from {
		*to[i] = 0
		if s == "" {
			continue
		}
		v, err := strconv.ParseFloat(s, 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("%q is not a number", s)
		}
		*to[i] = v
	}
	return nil
}

// Read loads a scenario folder: detections, and the truth if it is wanted.
func Read(dir string, truth bool) (*World, error) {
	w := &World{truth: map[int64][]place{}}
	var err error
	if w.Scenario, err = Load(dir); err != nil {
		return nil, err
	}
	if w.Detections, err = Detections(dir); err != nil || !truth {
		return w, err
	}
	return w, w.readTruth(dir)
}

func (w *World) readTruth(dir string) error {
	if err := table(dir, "truth.csv", []string{"t", "id", "x", "y", "z"}, collect(w.truth, false)); err != nil {
		return err
	}
	if len(w.truth) == 0 {
		return fmt.Errorf("tracking: truth.csv: no rows")
	}
	return nil
}
