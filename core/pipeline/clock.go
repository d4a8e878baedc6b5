package pipeline

import "time"

// Clock turns a wall clock that may jump into the core's time, which never steps
// back. It reads no clock itself: the caller brings wall time and the monotonic time
// that went by. The zero value is ready.
type Clock struct {
	now  time.Time // what was given last, before it was cut to milliseconds
	wall time.Time
}

// stepAllowed is how far wall and monotonic time may part between two readings before
// it counts as a step and not as ordinary adjustment.
const stepAllowed = time.Second

// slew is the part of its speed by which time is slowed down while it waits for a wall
// clock that went back: little enough that a track's speed is not misjudged.
const slew = 20

// Now is the core's time, in whole milliseconds, for a wall time read after elapsed
// monotonic time since the last reading. A wall clock that went back is waited for at
// 19/20 of its speed, so that time goes on and the two meet again; one that went ahead
// is followed at once. step is by how much the wall clock jumped, 0 where it did not.
func (c *Clock) Now(wall time.Time, elapsed time.Duration) (now time.Time, step time.Duration) {
	wall = wall.UTC()
	if c.now.IsZero() {
		c.now, c.wall = wall, wall
		return wall.Truncate(time.Millisecond), 0
	}
	elapsed = max(elapsed, 0)
	if d := wall.Sub(c.wall) - elapsed; d > stepAllowed || d < -stepAllowed {
		step = d
	}
	c.wall = wall
	if c.now = c.now.Add(elapsed - elapsed/slew); wall.After(c.now) {
		c.now = wall
	}
	return c.now.Truncate(time.Millisecond), step
}
