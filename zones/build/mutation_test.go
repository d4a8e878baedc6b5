package build

import (
	"testing"

	"tocsin/wire/hostile"
)

// Any settlements, outline or table: what was asked for, or an error.
func TestMutations(t *testing.T) {
	seeds := [][]byte{
		[]byte(`{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"id":"a","name_en":"x","population":5},"geometry":{"type":"Point","coordinates":[30,50]}}]}`),
		[]byte(`{"type":"FeatureCollection","features":[{"type":"Feature","properties":{},"geometry":{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]}}]}`),
		[]byte("admin,id,name_uk,aliases\n1,a,б,x|y\n"),
	}
	hostile.Run(t, hostile.Decoder{Name: "zones/build inputs", Seeds: seeds, Decode: func(b []byte) bool {
		_, places := ReadPlaces(b)
		_, outline := ReadOutline(b)
		_, table := ReadProvinces(b)
		return places == nil || outline == nil || table == nil
	}})
}
