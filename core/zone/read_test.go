package zone

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"
)

const unit = `"geometry":{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,1],[0,0]]]}`

func collection(features ...string) string {
	return `{"type":"FeatureCollection","features":[` + strings.Join(features, ",") + `]}`
}

func feature1(properties string) string {
	return `{"type":"Feature","properties":{` + properties + `},` + unit + `}`
}

func shaped(id, geometry string) string {
	return fmt.Sprintf(`{"type":"Feature","properties":{"id":%q},"geometry":%s}`, id, geometry)
}

func TestReadDefects(t *testing.T) {
	for _, c := range []struct {
		name, file string
		want       []string // parts of each defect, in order
	}{
		{"empty file", ``, []string{"not JSON"}},
		{"not JSON", `{"type":`, []string{"not JSON"}},
		{"cut in the middle", collection(feature1(`"id":"a"`))[:60], []string{"not JSON"}},
		{"two values", collection(feature1(`"id":"a"`)) + `{}`, []string{"something follows"}},
		{"not UTF-8", collection(feature1("\"id\":\"a\xff\"")), []string{"not UTF-8"}},
		{"an array", `[]`, []string{"not an object"}},
		{"another object", `{"type":"Topology","objects":{}}`, []string{"not a FeatureCollection"}},
		{"features is no array", `{"type":"FeatureCollection","features":{}}`, []string{"not an array"}},
		{"features twice", `{"type":"FeatureCollection","features":[],"features":[]}`, []string{"twice"}},
		{"no features", collection(), []string{"no zones"}},
		{"another projection", `{"type":"FeatureCollection","crs":{"type":"name","properties":{"name":"EPSG:3857"}},"features":[` + feature1(`"id":"a"`) + `]}`, []string{"not WGS84"}},
		{"a number as feature", collection(`7`), []string{"feature 1: not GeoJSON"}},
		{"no id", collection(feature1(`"name_en":"Somewhere"`)), []string{"id is missing"}},
		{"id is an object", collection(feature1(`"id":{}`)), []string{"feature 1: id is not a text", "id is missing"}},
		{"id twice", collection(feature1(`"id":"a"`), feature1(`"id":"a"`)), []string{"a: 0.000000,0.000000: id twice at level 1"}},
		{"level 0", collection(feature1(`"id":"a","level":0`)), []string{"level 0 is not from 1 to 9"}},
		{"level 1.5", collection(feature1(`"id":"a","level":1.5`)), []string{"level is not a whole number"}},
		{"level is a text", collection(feature1(`"id":"a","level":"2"`)), []string{"level is not a number"}},
		{"shelter time below 0", collection(feature1(`"id":"a","shelter_s":-1`)), []string{"shelter_s -1 is not from 0"}},
		{"people below 0", collection(feature1(`"id":"a","population":-5`)), []string{"population -5"}},
		{"name is a number with a point", collection(feature1(`"id":"a","name":1.5`)), []string{"name is not a text"}},
		{"a line break in a name", collection(feature1(`"id":"a","name_en":"x\ny"`)), []string{"name_en contains a control character"}},
		{"aliases is a text", collection(feature1(`"id":"a","aliases":"b"`)), []string{"aliases is not a list"}},
		{"no geometry", collection(`{"type":"Feature","properties":{"id":"a"},"geometry":null}`), []string{"a: feature 1: not polygons: no geometry"}},
		{"a point", collection(shaped("a", `{"type":"Point","coordinates":[0,0]}`)), []string{`not polygons: geometry is a "Point"`}},
		{"coordinates missing", collection(shaped("a", `{"type":"Polygon"}`)), []string{"not polygons: polygon 1 is not an array"}},
		{"too few brackets", collection(shaped("a", `{"type":"Polygon","coordinates":[[0,0],[1,0],[1,1],[0,0]]}`)), []string{"polygon 1, ring 1, point 1: not a position"}},
		{"a text in a position", collection(shaped("a", `{"type":"Polygon","coordinates":[[[0,0],[1,"0"],[1,1],[0,0]]]}`)), []string{"polygon 1, ring 1, point 2: coordinate not a number"}},
		{"null in a position", collection(shaped("a", `{"type":"MultiPolygon","coordinates":[[[[0,0],[1,0],[1,1],[0,0]]],[[[5,5],[null,5],[6,6],[5,5]]]]}`)), []string{"polygon 2, ring 1, point 2: coordinate not a number"}},
		{"a number too large", collection(shaped("a", `{"type":"Polygon","coordinates":[[[0,0],[1e999,0],[1,1],[0,0]]]}`)), []string{"point 2: coordinate not a number"}},
		{"one number in a position", collection(shaped("a", `{"type":"Polygon","coordinates":[[[0,0],[1],[1,1],[0,0]]]}`)), []string{"point 2: not a position: fewer than two"}},
		{"latitude out of range", collection(shaped("a", `{"type":"Polygon","coordinates":[[[0,0],[1,95],[1,1],[0,0]]]}`)), []string{"a: polygon 1, ring 1, near 95.000000,1.000000: coordinate out of range"}},
		{"open ring", collection(shaped("a", `{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,1]]]}`)), []string{"ring not closed"}},
		{"no ring", collection(shaped("a", `{"type":"Polygon","coordinates":[]}`)), []string{"degenerate ring"}},
		{"no polygon", collection(shaped("a", `{"type":"MultiPolygon","coordinates":[]}`)), []string{"no polygon"}},
		{"flat ring", collection(shaped("a", `{"type":"Polygon","coordinates":[[[0,0],[1,1],[2,2],[0,0]]]}`)), []string{"degenerate ring"}},
		{"crossing itself", collection(shaped("a", `{"type":"Polygon","coordinates":[[[0,0],[2,2],[2,0],[0,2],[0,0]]]}`)), []string{"near 1.000000,1.000000: ring crosses itself"}},
		{"hole crossing", collection(shaped("a", `{"type":"Polygon","coordinates":[[[0,0],[9,0],[9,9],[0,9],[0,0]],[[8,1],[10,1],[10,2],[8,2],[8,1]]]}`)), []string{"ring crosses another ring"}},
		{"cycle of three", collection(feature1(`"id":"a","parent":"b"`), feature1(`"id":"b","parent":"c"`), feature1(`"id":"c","parent":"a"`)), []string{"cycle of parents: a > b > c > a"}},
		{"a cycle behind a point", collection(feature1(`"id":"b","parent":"c"`), `{"type":"Feature","properties":{"id":"c","parent":"b"},"geometry":{"type":"Point","coordinates":[0,0]}}`),
			[]string{`geometry is a "Point"`, "cycle of parents: b > c > b"}},
		{"no id behind no geometry", collection(`{"type":"Feature","properties":{},"geometry":null}`), []string{"no geometry", "id is missing"}},
		{"every defect", collection(feature1(`"id":"a b","level":12`), shaped("c", `{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,1]]]}`), feature1(`"id":"d","parent":"<"`)),
			[]string{"level 12", "id \"a b\"", "ring not closed", "parent \"<\""}},
	} {
		t.Run(c.name, func(t *testing.T) {
			zones, r := Read([]File{{Name: "f.geojson", Data: []byte(c.file)}}, Limits{})
			if zones != nil {
				t.Error("a file with a defect gave zones")
			}
			if len(r.Defects) != len(c.want) {
				t.Fatalf("defects %v, want %q", r.Defects, c.want)
			}
			for i, want := range c.want {
				if !strings.Contains(r.Defects[i].String(), want) {
					t.Errorf("defect %d: %q, want %q", i+1, r.Defects[i], want)
				}
			}
		})
	}
}

func TestReadAll(t *testing.T) {
	file := collection(
		`{"type":"Feature","id":7,"bbox":[0,0,1,1],"properties":{"id":"a","level":1,"parent":null,"region":"R","name":"A","name_en":"Alpha",
		"name_uk":"Альфа","name_uk_approximate":true,"name_zh-Hant":"甲","name_of_nothing":"x","population":12.4,"shelter_s":0,"aliases":["z","y","z"],
		"lat":0.25,"lon":0.75,"oblast":"B","kind":null},`+unit+`}`,
		feature1(`"id":12345`),
		`{"type":"Feature","properties":{"id":"c","parent":"c","level":2.0},"geometry":{"type":"MultiPolygon","coordinates":[[[[1,1,5],[1,2,5],[2,2,5],[1,1,5]]]]}}`)
	zones, r := Read([]File{{Name: "f", Data: []byte("\xef\xbb\xbf" + file)}}, Limits{})
	if r.Bad() {
		t.Fatal(r.Defects)
	}
	if len(zones) != 3 || zones[0].ID != "12345" || zones[1].ID != "a" || zones[2].ID != "c" {
		t.Fatalf("%+v", zones)
	}
	a := zones[1]
	if a.Level != 1 || a.Region != "R" || a.Parent != "" || a.Population != 12 || !a.PopulationKnown || !a.ShelterKnown || a.Shelter != 0 ||
		fmt.Sprint(a.Aliases) != "[y z]" || fmt.Sprint(a.Approximate) != "[uk]" || a.Label.Lat != 0.25 || a.Label.Lon != 0.75 {
		t.Errorf("%+v", a)
	}
	if fmt.Sprint(a.Names) != "map[:A en:Alpha uk:Альфа zh-Hant:甲]" {
		t.Errorf("names %v", a.Names)
	}
	if b := zones[0]; b.ShelterKnown || b.PopulationKnown || !b.Shape.Contains(b.Label) {
		t.Errorf("%+v", b)
	}
	if c := zones[2]; c.Level != 2 || c.Parent != "c" {
		t.Errorf("%+v", c)
	}
	all := fmt.Sprint(r.Remarks)
	for _, want := range []string{"no level (taken as 1): 1", "wound the other way", "no shelter time", "no population, where others have one"} {
		if !strings.Contains(all, want) {
			t.Errorf("no remark %q in %s", want, all)
		}
	}
}

func TestLevelsInSeveralFiles(t *testing.T) {
	one := File{"one", []byte(collection(feature1(`"id":"a","level":1`)))}
	two := File{"two", []byte(collection(feature1(`"id":"a","level":2,"parent":"a"`)))}
	s, r := ReadSet([]File{one, two}, Limits{})
	if r.Bad() || s.Len() != 1 || r.Zones != 2 || r.Leaves != 1 || r.Version != s.Version() {
		t.Fatalf("%+v", r)
	}
	_, r = ReadSet([]File{one, one}, Limits{})
	if !r.Bad() || !strings.Contains(r.Defects[0].String(), "id twice") {
		t.Errorf("%v", r.Defects)
	}
	_, r = ReadSet([]File{one, {"three", one.Data}}, Limits{})
	if !strings.Contains(fmt.Sprint(r.Defects), "also in one") {
		t.Errorf("%v", r.Defects)
	}
}

func TestReadIsBounded(t *testing.T) {
	big := File{"big", []byte(collection(feature1(`"id":"a"`)))}
	if _, r := Read([]File{big}, Limits{Bytes: 10}); !strings.Contains(fmt.Sprint(r.Defects), "more than 10 bytes") {
		t.Errorf("%v", r.Defects)
	}
	if _, r := Read([]File{big}, Limits{Points: 3}); !strings.Contains(fmt.Sprint(r.Defects), "more than 3 points") && !strings.Contains(fmt.Sprint(r.Defects), "too many points") {
		t.Errorf("%v", r.Defects)
	}
	for name, text := range map[string]string{
		"nested arrays":   strings.Repeat("[", 1_000_000),
		"nested objects":  strings.Repeat(`{"features":`, 200_000),
		"nested position": collection(shaped("a", `{"type":"Polygon","coordinates":`+strings.Repeat("[", 9000)+strings.Repeat("]", 9000)+`}`)),
		"many features":   `{"type":"FeatureCollection","features":[` + strings.Repeat("{},", 150_000) + `{}]}`,
	} {
		start := time.Now()
		if _, r := Read([]File{{name, []byte(text)}}, Limits{}); !r.Bad() || r.Count() == 0 || len(r.Defects) > maxDefects {
			t.Errorf("%s: %d defects", name, len(r.Defects))
		}
		if d := time.Since(start); d > 10*time.Second {
			t.Errorf("%s: took %v", name, d)
		}
	}
	// A thousand defects are named, the rest counted; long texts are cut.
	var many []string
	for range 1500 {
		many = append(many, feature1(`"id":"`+strings.Repeat("x", 5000)+`"`))
	}
	_, r := Read([]File{{"many", []byte(collection(many...))}}, Limits{})
	if len(r.Defects) != maxDefects || r.More == 0 {
		t.Errorf("%d named, %d more", len(r.Defects), r.More)
	}
	for _, d := range r.Defects {
		if len(d.String()) > 1000 {
			t.Fatalf("a defect of %d bytes", len(d.String()))
		}
	}
}

func TestReportIsSafeOnATerminal(t *testing.T) {
	_, r := Read([]File{{"f", []byte(collection(feature1(`"id":"a\u001b[31m\u202eb"`)))}}, Limits{})
	if s := fmt.Sprint(r.Defects); strings.ContainsAny(s, "\x1b\u202e") {
		t.Errorf("%q", s)
	}
}

func TestGeoJSONRoundTrip(t *testing.T) {
	s := country(t)
	back, r := ReadSet([]File{{"f", s.GeoJSON()}}, Limits{})
	if r.Bad() {
		t.Fatal(r.Defects)
	}
	if back.Version() != s.Version() {
		t.Errorf("version %s came back as %s", s.Version(), back.Version())
	}
	if !bytes.Equal(back.GeoJSON(), s.GeoJSON()) {
		t.Error("the file is not the same when written again")
	}
}

// An edge of more than half a turn can mean either way round the earth: the author is told
// which was taken.
func TestOverAntimeridianIsRemarked(t *testing.T) {
	for polygon, remarked := range map[string]bool{
		`[[[179,0],[-179,0],[-179,1],[179,1],[179,0]]]`: true,
		`[[[-90,0],[89,0],[89,1],[-90,1],[-90,0]]]`:     false,
	} {
		_, r := ReadSet([]File{{"f", []byte(collection(shaped("a", `{"type":"Polygon","coordinates":`+polygon+`}`)))}}, Limits{})
		found := false
		for _, m := range r.Remarks {
			found = found || strings.Contains(m.String(), "more than half a turn") && strings.Contains(m.String(), "a: polygon 1")
		}
		if r.Bad() || found != remarked {
			t.Errorf("%s: %v %v", polygon, r.Defects, r.Remarks)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(collection(feature1(`"id":"a","level":1,"parent":"a","name_uk":"б","aliases":["x"],"shelter_s":30`), feature1(`"id":"b"`))))
	f.Add([]byte(collection(shaped("a", `{"type":"MultiPolygon","coordinates":[[[[0,0],[9,0],[9,9],[0,9],[0,0]],[[1,1],[1,2],[2,2],[1,1]]]]}`))))
	f.Add([]byte(collection(shaped("a", `{"type":"Polygon","coordinates":[[[179,0],[-179,0],[-179,1],[179,1],[179,0]]]}`))))
	f.Add([]byte(`{"type":"FeatureCollection","crs":null,"features":[{}],"x":[[[]]]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, r := ReadSet([]File{{"f", b}}, Limits{Bytes: 1 << 20, Points: 10_000})
		if (s == nil) != r.Bad() {
			t.Fatalf("a set: %v, defects: %v", s != nil, r.Defects)
		}
		if s == nil {
			return
		}
		back, r := ReadSet([]File{{"g", s.GeoJSON()}}, Limits{})
		if r.Bad() {
			t.Fatalf("what was written is refused: %v\n%s", r.Defects, s.GeoJSON())
		}
		if back.Version() != s.Version() {
			t.Fatalf("version %s came back as %s\n%s", s.Version(), back.Version(), s.GeoJSON())
		}
		for i := range s.Len() {
			s.At(s.ByIndex(i).Label)
		}
	})
}
