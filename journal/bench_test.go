package journal

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// BenchmarkAppend is one caller and one entry a sync; the figures are the disk's above all, so
// a bare write and sync of as many bytes stands beside them (BenchmarkDisk).
func BenchmarkAppend(b *testing.B) {
	for _, size := range []int{300, 30_000} {
		b.Run(fmt.Sprintf("%dB", size), func(b *testing.B) {
			j := open(b, b.TempDir())
			e := entry("alert", strings.Repeat("x", size))
			var times []time.Duration
			b.ReportAllocs()
			for b.Loop() {
				start := time.Now()
				mustAppend(b, j, e)
				times = append(times, time.Since(start))
			}
			report(b, times)
		})
	}
}

// BenchmarkAppendTogether is many callers at once, as when 400 authorities declare in the same
// second.
func BenchmarkAppendTogether(b *testing.B) {
	for _, callers := range []int{16, 400} {
		b.Run(fmt.Sprintf("%dcallers", callers), func(b *testing.B) {
			j := open(b, b.TempDir())
			e := entry("command", strings.Repeat("x", 300))
			var mu sync.Mutex
			var times []time.Duration
			entries := 0
			start := time.Now()
			for b.Loop() {
				var wg sync.WaitGroup
				for range callers {
					wg.Go(func() {
						start := time.Now()
						mustAppend(b, j, e)
						mu.Lock()
						times = append(times, time.Since(start))
						mu.Unlock()
					})
				}
				wg.Wait()
				entries += callers
			}
			b.ReportMetric(float64(entries)/time.Since(start).Seconds(), "entries/s")
			report(b, times)
		})
	}
}

func report(b *testing.B, times []time.Duration) {
	slices.Sort(times)
	b.ReportMetric(float64(times[len(times)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(times[len(times)*99/100].Microseconds()), "p99-µs")
}

// BenchmarkDisk is the floor: one write of two pages and one sync on the same disk.
func BenchmarkDisk(b *testing.B) {
	s, err := openSlots(b.TempDir() + "/floor")
	if err != nil {
		b.Fatal(err)
	}
	defer s.f.Close()
	pages := make([]byte, 2*4096)
	var times []time.Duration
	for i := int64(0); b.Loop(); i++ {
		start := time.Now()
		if _, err := s.f.WriteAt(pages, i%500*int64(len(pages))); err != nil {
			b.Fatal(err)
		}
		if err := s.f.Sync(); err != nil {
			b.Fatal(err)
		}
		times = append(times, time.Since(start))
	}
	report(b, times)
}

func BenchmarkRead(b *testing.B) {
	j := open(b, b.TempDir())
	var bytes int64
	for range 40 {
		batch := make([]New, 100)
		for i := range batch {
			batch[i] = entry("alert", strings.Repeat("x", 2000))
			bytes += 2000
		}
		mustAppend(b, j, batch...)
	}
	b.SetBytes(bytes)
	b.ReportAllocs()
	for b.Loop() {
		if err := j.Read(ctx, 1, func(Entry) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSpokenAppend(b *testing.B) {
	s := openSpokenLog(b, b.TempDir())
	e := entry("alert", strings.Repeat("x", 2000))
	var times []time.Duration
	for i := 0; b.Loop(); i++ {
		if i%20_000 == 19_999 {
			if err := s.Reset(); err != nil {
				b.Fatal(err)
			}
		}
		start := time.Now()
		if err := s.Append(e); err != nil {
			b.Fatal(err)
		}
		times = append(times, time.Since(start))
	}
	report(b, times)
}
