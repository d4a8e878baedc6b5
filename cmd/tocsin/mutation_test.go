package main

import (
	"bytes"
	"testing"
	"time"

	"tocsin/wire/hostile"
)

// Any stream of a server: its frames, and its end.
func TestMutatedStreams(t *testing.T) {
	seeds := [][]byte{
		[]byte("retry: 1500\n\nid: *:17\ndata: eyJhbGciOiJFZERTQSJ9.eyJhIjoxfQ.c2ln\n\n: still here\n\ndata:two\r\n\r\n"),
		[]byte("event: x\ndata\ndata:\nid\nretry:0\n"),
	}
	hostile.Run(t, hostile.Decoder{Name: "cmd/tocsin SSE", Seeds: seeds, Decode: func(b []byte) bool {
		s := &service{retry: firstRetry}
		frames := make(chan []byte, 1)
		ended := make(chan error, 1)
		go func() { ended <- s.events(t.Context(), bytes.NewReader(b), frames) }()
		for n := 0; ; n++ {
			select {
			case <-frames:
			case <-ended:
				return n > 0 && s.retry > 0 && s.retry <= time.Minute
			}
		}
	}})
}

// Any page: the root key that it names, or an error.
func TestMutatedPages(t *testing.T) {
	seeds := [][]byte{[]byte(`<!doctype html><script type="application/json" id="tocsin">{"universe":"live","root":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","languages":["uk"]}</script><p>x`)}
	hostile.Run(t, hostile.Decoder{Name: "cmd/tocsin page", Seeds: seeds, Decode: func(b []byte) bool {
		_, err := rootOnPage(b)
		return err == nil
	}})
}

// Any polygon file of a command line: coordinates, or an error.
func TestMutatedPolygonFiles(t *testing.T) {
	seeds := [][]byte{
		[]byte(`{"type":"FeatureCollection","features":[{"type":"Feature","properties":{},"geometry":{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]}}]}`),
		[]byte(`{"type":"MultiPolygon","coordinates":[[[[0,0],[1,0],[1,1],[0,0]]]]}`),
	}
	hostile.Run(t, hostile.Decoder{Name: "cmd/tocsin polygon", Seeds: seeds, Decode: func(b []byte) bool {
		_, err := coordinatesOf(b)
		return err == nil
	}})
}
