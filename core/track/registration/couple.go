package registration

import (
	"time"

	"tocsin/core/observation"
)

// couple is two tracks, each of one sensor, that may be one object seen with two biases.
type couple struct{ a, b uint64 }

const (
	coupled    = 2    // calls in a row that must find the same couple before it is learned from
	mostAlone  = 256  // samples looked at in one call
	nearby     = 6e3  // metres
	likeSpeed  = 20.0 // m/s by which two velocities of one object may differ
	likeShare  = 0.15 // and as a share of the speed
	owned      = 0.75 // share of its observations by which a sensor owns a track
	mostTests  = 256  // of two tracks for one object, in one call
	mostCouple = 1024
)

// Pair takes samples of tracks that one sensor alone sees although another should see them
// too: a bias may be so large that the plots of the two do not meet in one track. Tracks of
// two sensors that fly alike near one another, and have no other match, are held against one
// another once they have been found so several times. It returns how many comparisons
// it made. Call it every few seconds.
func (r *Registrar) Pair(now time.Time, samples []Sample) int {
	if len(samples) > mostAlone {
		samples = samples[:mostAlone]
	}
	r.at = later(r.at, now)
	owners := make([]string, len(samples))
	for i := range samples {
		owners[i] = r.Owner(samples[i].Recent)
	}
	match := make([]int, len(samples)) // the one other it fits; -1 none, -2 several
	for i := range match {
		match[i] = -1
	}
	tests := 0
	for i := range samples {
		for j := range i {
			if owners[i] == "" || owners[j] == "" || owners[i] == owners[j] || !alike(&samples[i], &samples[j]) || tests >= mostTests {
				continue
			}
			tests++
			if r.fit(&samples[i], &samples[j]) {
				note(match, i, j)
				note(match, j, i)
			}
		}
	}
	next := make(map[couple]int, len(r.couples))
	r.batch = r.batch[:0]
	for i, j := range match {
		if j < 0 || i > j || match[j] != i || len(r.batch) >= perLearn || len(next) >= mostCouple {
			continue
		}
		c := couple{samples[i].Track, samples[j].Track}
		if c.a > c.b {
			c.a, c.b = c.b, c.a
		}
		if next[c] = r.couples[c] + 1; next[c] >= coupled {
			both := r.joined(&samples[i], &samples[j])
			both.Track = c.a
			r.fresh(&both)
		}
	}
	r.couples = next
	return r.digest(now)
}

// Owner is the sensor that nearly all of a track's last observations come from, each counted
// for as long as the sensor needs for a look; empty if there is none.
func (r *Registrar) Owner(recent []*observation.Observation) string {
	if len(recent) < 3 {
		return ""
	}
	all, most, owner := 0.0, 0.0, ""
	var of [MaxSensors]float64
	for i := range recent {
		k, ok := r.index[recent[i].Source]
		if !ok {
			return ""
		}
		w := max(r.sensors[k].Period.Seconds(), 0.1)
		all += w
		if of[k] += w; of[k] > most {
			most, owner = of[k], r.sensors[k].ID
		}
	}
	if most < owned*all {
		return ""
	}
	return owner
}

// joined is a sample of two tracks as if they were one: of each only what its owner saw.
func (r *Registrar) joined(a, b *Sample) Sample {
	both := *a
	both.Recent = make([]*observation.Observation, 0, len(a.Recent)+len(b.Recent))
	for _, s := range []*Sample{a, b} {
		owner := r.Owner(s.Recent)
		for i := range s.Recent {
			if s.Recent[i].Source == owner {
				both.Recent = append(both.Recent, s.Recent[i])
			}
		}
	}
	return both
}

// fit reports whether all that two tracks saw fits one object, for biases as they are believed.
func (r *Registrar) fit(a, b *Sample) bool {
	both := r.joined(a, b)
	r.batch = r.batch[:0]
	r.compare(&both, time.Time{})
	for i := range r.batch {
		if _, _, d2, ok := r.innovation(&r.batch[i]); !ok || d2 > gate {
			return false
		}
	}
	return len(r.batch) > 0
}

func note(match []int, i, j int) {
	if match[i] == -1 {
		match[i] = j
		return
	}
	match[i] = -2
}

// alike reports whether two tracks may be one object.
func alike(a, b *Sample) bool {
	dt := a.At.Sub(b.At).Seconds()
	if dt > 15 || dt < -15 {
		return false
	}
	if !a.sane() || !b.sane() {
		return false
	}
	apart := norm(minus(vec3(a.Position), sum(vec3(b.Position), scaled(b.Velocity, dt))))
	speed := norm(a.Velocity)
	return apart < nearby && norm(minus(a.Velocity, b.Velocity)) < likeSpeed+likeShare*speed
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
