package zone

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"

	"tocsin/core/geo"
)

// File is the content of one GeoJSON file, and what to call it in a report.
type File struct {
	Name string
	Data []byte
}

// Limits bounds what is read. The zero value of a field stands for its default.
type Limits struct {
	Bytes  int // of all files together; default 256 MiB
	Points int // in all rings together; default 10 million
}

func (l Limits) orDefaults() Limits {
	return Limits{Bytes: cmp.Or(l.Bytes, 256<<20), Points: cmp.Or(l.Points, 10_000_000)}
}

// Read reads zones from GeoJSON files (RFC 7946), all levels together. Where the report
// has a defect there are no zones: a set is taken whole or not at all. Work and memory are
// bounded by the limits.
func Read(files []File, limits Limits) ([]Zone, Report) {
	rd := reader{limits: limits.orDefaults()}
	rd.points = rd.limits.Points
	total := 0
	for _, f := range files {
		if total += len(f.Data); total > rd.limits.Bytes {
			rd.defect("", "", fmt.Sprintf("more than %d bytes in all files", rd.limits.Bytes))
			return nil, rd.report
		}
	}
	if len(files) == 0 {
		rd.defect("", "", "no files")
	}
	for _, f := range files {
		rd.file = f.Name
		rd.collection(f.Data)
	}
	if rd.spent {
		return nil, rd.report
	}
	inspect(rd.zones, rd.from, rd.unread, &rd.report)
	if rd.report.Bad() {
		return nil, rd.report
	}
	for i := range rd.zones {
		if !rd.labelled[i] {
			rd.zones[i].Label = written(geo.NewShape(rd.zones[i].Shape).Inside())
		}
	}
	slices.SortFunc(rd.zones, byID)
	remarkMissing(rd.zones, &rd.report)
	return rd.zones, rd.report
}

// ReadSet reads zones and makes them a set; nil where the report has a defect.
func ReadSet(files []File, limits Limits) (*Set, Report) {
	zones, report := Read(files, limits)
	if report.Bad() {
		return nil, report
	}
	s := newSet(zones)
	report.Leaves, report.Version = s.Len(), s.Version()
	return s, report
}

// reader holds what is being read.
type reader struct {
	limits   Limits
	points   int // left of the limit
	spent    bool
	file     string
	zones    []Zone
	from     []string // file of each zone
	labelled []bool   // whether the file said where to write its name
	unread   []bool   // whether its shape is a defect already; the rest of it is still inspected
	report   Report
}

func (rd *reader) defect(id ID, place, what string) {
	rd.report.defect(Defect{File: rd.file, ID: id, Place: place, What: what})
}

// collection reads one FeatureCollection.
func (rd *reader) collection(data []byte) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")) // some editors put it there
	if !utf8.Valid(data) {
		rd.defect("", "", "not JSON: not UTF-8")
		return
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	if err := rd.members(dec); err != nil {
		rd.defect("", fmt.Sprintf("byte %d", dec.InputOffset()), err.Error())
		return
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		rd.defect("", fmt.Sprintf("byte %d", dec.InputOffset()), "not JSON: something follows the end")
	}
}

func (rd *reader) members(dec *json.Decoder) error {
	if t, err := dec.Token(); err != nil {
		return notJSON(err)
	} else if t != json.Delim('{') {
		return errors.New("not GeoJSON: not an object")
	}
	var kind string
	features := false
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return notJSON(err)
		}
		switch key {
		case "type":
			var v any
			if err := dec.Decode(&v); err != nil {
				return notJSON(err)
			}
			kind, _ = v.(string)
		case "crs":
			var v json.RawMessage
			if err := dec.Decode(&v); err != nil {
				return notJSON(err)
			}
			if !isWGS84(v) {
				rd.defect("", "crs", "coordinates are not WGS84 longitude and latitude")
			}
		case "features":
			if features {
				return errors.New(`not GeoJSON: "features" twice`)
			}
			features = true
			if err := rd.features(dec); err != nil {
				return err
			}
		default:
			var skip json.RawMessage
			if err := dec.Decode(&skip); err != nil {
				return notJSON(err)
			}
		}
	}
	if _, err := dec.Token(); err != nil {
		return notJSON(err)
	}
	if kind != "FeatureCollection" || !features {
		return errors.New("not GeoJSON: not a FeatureCollection")
	}
	return nil
}

// isWGS84 accepts the names that writers of old GeoJSON give to what is now the only one.
func isWGS84(crs json.RawMessage) bool {
	s := bytes.TrimSpace(crs)
	return bytes.Equal(s, []byte("null")) || bytes.Contains(s, []byte("CRS84")) ||
		bytes.Contains(s, []byte("EPSG::4326")) || bytes.Contains(s, []byte("EPSG:4326"))
}

func notJSON(err error) error {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("not JSON: %w", err)
}

// feature is one member of "features" before it is understood.
type feature struct {
	Type       string
	Properties map[string]json.RawMessage
	Geometry   *struct {
		Type        string
		Coordinates json.RawMessage
	}
}

func (rd *reader) features(dec *json.Decoder) error {
	if t, err := dec.Token(); err != nil {
		return notJSON(err)
	} else if t != json.Delim('[') {
		return errors.New(`not GeoJSON: "features" is not an array`)
	}
	for n := 1; dec.More(); n++ {
		var f feature
		err := dec.Decode(&f)
		var kind *json.UnmarshalTypeError
		switch {
		case errors.As(err, &kind):
			rd.defect("", fmt.Sprintf("feature %d", n), "not GeoJSON: "+cmp.Or(kind.Field, "feature")+" is a "+kind.Value)
			continue
		case err != nil:
			return notJSON(err)
		}
		if len(rd.zones) > MaxZones {
			rd.spent = true
			return fmt.Errorf("more than %d zones", MaxZones)
		}
		rd.feature(n, &f)
		if rd.spent {
			return fmt.Errorf("more than %d points", rd.limits.Points)
		}
	}
	if _, err := dec.Token(); err != nil {
		return notJSON(err)
	}
	return nil
}

// feature adds a zone and its defects. One whose shape cannot be read is added too: a missing
// id or a cycle of parents must not hide behind it.
func (rd *reader) feature(n int, f *feature) {
	p := properties{raw: f.Properties}
	z := p.zone()
	place := fmt.Sprintf("feature %d", n)
	if name := z.Name("en"); name != "" && name != string(z.ID) {
		place += " (" + name + ")"
	}
	for _, what := range p.defects {
		rd.defect(z.ID, place, what)
	}
	shape, err := rd.shape(f)
	if err != nil {
		rd.spent = errors.Is(err, errSpent)
		rd.defect(z.ID, place, err.Error())
	}
	z.Shape = shape
	if _, ok := p.get("level"); !ok {
		rd.report.remark("no level (taken as 1)", string(z.ID))
	}
	label, ok := p.label()
	z.Label = written(label)
	if !ok && len(z.Shape) > 0 && len(z.Shape[0].Outer) > 0 {
		z.Label = z.Shape[0].Outer[0] // until the shape is known to be sound
	}
	rd.zones = append(rd.zones, z)
	rd.from = append(rd.from, rd.file)
	rd.labelled = append(rd.labelled, ok)
	rd.unread = append(rd.unread, err != nil)
}

// shape reads the polygons of a feature.
func (rd *reader) shape(f *feature) (geo.MultiPolygon, error) {
	if f.Type != "Feature" {
		return nil, errors.New("not a Feature")
	}
	if f.Geometry == nil {
		return nil, errors.New("not polygons: no geometry")
	}
	c := coordinates{text: f.Geometry.Coordinates, left: &rd.points}
	switch f.Geometry.Type {
	case "Polygon":
		one, err := c.polygon("polygon 1")
		if err != nil {
			return nil, err
		}
		return geo.MultiPolygon{one}, nil
	case "MultiPolygon":
		many, err := c.multi()
		if err != nil {
			return nil, err
		}
		return many, nil
	default:
		return nil, fmt.Errorf("not polygons: geometry is a %q", f.Geometry.Type)
	}
}
