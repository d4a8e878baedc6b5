package threat

import (
	"fmt"
	"testing"
	"time"

	"tocsin/core/class"
	"tocsin/core/geo"
	"tocsin/core/track"
)

// later is a track some seconds on, flown straight, its velocity changed by so much.
func later(tr track.Track, seconds float64, by [3]float64) track.Track {
	for i := range 3 {
		tr.State.Position[i] += tr.State.Velocity[i] * seconds
	}
	turn := geo.NewENU(tr.State.Position.Position()).FromVelocity(by)
	for i := range 3 {
		tr.State.Velocity[i] += turn[i]
	}
	tr.At = tr.At.Add(time.Duration(seconds * float64(time.Second)))
	tr.Updates++
	tr.Revision++
	return tr
}

func TestQueueForecastsWhatDoesNotGoOnAsForecast(t *testing.T) {
	base := flying(class.Drone, 0, 0, 400, [3]float64{0, 50, 0}, 60, 2)
	base.Updates = 20
	ended, other, falls, coasts := later(base, 4, [3]float64{}), later(base, 4, [3]float64{}), later(base, 4, [3]float64{}), later(base, 4, [3]float64{})
	ended.Status = track.Ended
	other.Class = class.Of(class.Aircraft)
	falls.Modes.Ballistic = 0.9
	coasts.Status = track.Coasting
	for name, test := range map[string]struct {
		tr   track.Track
		want bool
	}{
		"straight on":    {later(base, 4, [3]float64{}), false},
		"a little off":   {later(base, 4, [3]float64{1, 1, 0}), false},
		"turned":         {later(base, 4, [3]float64{20, -5, 0}), true},
		"too long ago":   {later(base, 13, [3]float64{}), true},
		"another class":  {other, true},
		"falls":          {falls, true},
		"is not seen":    {coasts, true},
		"ended":          {ended, true},
		"before its own": {later(base, -1, [3]float64{}), true},
	} {
		var q Queue
		q.Offer(noon, base)
		if got := q.Take(noon, 10); len(got) != 1 {
			t.Fatalf("a new track: %d forecasts", len(got))
		}
		q.Offer(test.tr.At, test.tr)
		if got := len(q.Take(test.tr.At, 10)) == 1; got != test.want {
			t.Errorf("%s: forecast anew %v, want %v", name, got, test.want)
		}
	}
}

// Young and fast ones come first, nothing waits for ever, and nothing is done twice.
func TestQueueOrder(t *testing.T) {
	var q Queue
	offer := func(now time.Time, id string, updates int, speed float64, status track.Status) {
		tr := flying(class.Drone, 0, 0, 400, [3]float64{0, speed, 0}, 60, 2)
		tr.ID, tr.Updates, tr.Status = track.ID(id), updates, status
		q.Offer(now, tr)
	}
	for _, id := range []string{"old-slow", "old-fast"} { // known, so no longer young
		offer(noon, id, 20, 50, track.Confirmed)
	}
	q.Take(noon, 10)
	q.Forget()
	now := noon.Add(time.Minute)
	offer(now, "old-slow", 90, 50, track.Confirmed)
	offer(now, "young-slow", 3, 40, track.Confirmed)
	offer(now, "young-fast", 3, 900, track.Confirmed)
	offer(now, "over", 90, 10, track.Ended)
	offer(now, "old-slow", 91, 50, track.Confirmed)
	if q.Waiting() != 4 {
		t.Fatalf("%d wait", q.Waiting())
	}
	var order []string
	for q.Waiting() > 0 {
		for _, tr := range q.Take(now, 1) {
			order = append(order, string(tr.ID))
		}
	}
	if got := fmt.Sprint(order); got != "[over young-fast old-slow young-slow]" {
		t.Errorf("order %s", got) // after Forget every track is new again
	}
	// One that keeps being passed over is taken after a while.
	offer(now, "slow", 3, 20, track.Confirmed)
	for i := range 10 {
		at := now.Add(time.Duration(i) * time.Second)
		offer(at, fmt.Sprintf("fast-%d", i), 3, 900, track.Confirmed)
		offer(at, fmt.Sprintf("fast-%d-b", i), 3, 900, track.Confirmed)
		for _, tr := range q.Take(at, 2) {
			if tr.ID == "slow" {
				if i < 4 {
					t.Errorf("slow taken at %d s", i)
				}
				return
			}
		}
	}
	t.Error("the slow one is passed over for ever")
}
