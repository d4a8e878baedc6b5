package zone

import (
	"testing"

	"tocsin/wire/hostile"
)

// Any file: a set or its defects, in bounded time and memory.
func TestMutations(t *testing.T) {
	seeds := [][]byte{
		[]byte(collection(feature1(`"id":"a","level":1,"name_uk":"б","aliases":["x"],"shelter_s":30`), feature1(`"id":"b","level":2,"parent":"a"`))),
		[]byte(collection(shaped("a", `{"type":"MultiPolygon","coordinates":[[[[0,0],[9,0],[9,9],[0,9],[0,0]],[[1,1],[1,2],[2,2],[1,1]]]]}`))),
		[]byte(collection(shaped("a", `{"type":"Polygon","coordinates":[[[179,0],[-179,0],[-179,1],[179,1],[179,0]]]}`))),
	}
	hostile.Run(t, hostile.Decoder{Name: "core/zone GeoJSON", Seeds: seeds, Decode: func(b []byte) bool {
		_, r := ReadSet([]File{{"f", b}}, Limits{})
		return !r.Bad()
	}})
}
