package tracking

import (
	"bytes"
	"testing"

	"tocsin/wire/hostile"
)

// Any table: rows or an error.
func TestMutations(t *testing.T) {
	seeds := [][]byte{
		[]byte("t,track,x,y,z,vx,vy,vz,sx,sy,sz,class,existence\n1,a,10,20,30,1,2,3,4,5,6,drone,0.9\n2,a,11,22,33,1,2,3,4,5,6,drone,0.95\n"),
		[]byte("\"track\",t,y,x\r\n\"a \"\"b\"\"\",0.5,1e3,-2e3\r\n"),
	}
	hostile.Run(t, hostile.Decoder{Name: "sim/tracking CSV", Seeds: seeds, Decode: func(b []byte) bool {
		err := readTable(bytes.NewReader(b), "tracks", []string{"t", "track", "x", "y", "z?", "sx?"}, func(row []string) error {
			var t, x, y float64
			return floats([]string{row[0], row[2], row[3]}, &t, &x, &y)
		})
		return err == nil
	}})
}
