package pipeline

import "time"

// Clock turns a wall clock that may jump into the core's time, which never steps
// back. It reads no clock itself: the caller brings wall time and the monotonic time
// that went by.
type Clock struct {
	now  time.Time
	wall time.Time
}

// stepAllowed is how far wall and monotonic time may part between two readings before
// it counts as a step and not as ordinary adjustment.
const stepAllowed = time.Second

// Now is the core's time for a wall time read after elapsed monotonic time since the
// last reading. A wall clock that went back is waited for at half speed, so that time
// goes on and the two meet again; one that went ahead is followed at once. step is by
// how much the wall clock jumped, 0 where it did not.
func (c *Clock) Now(wall time.Time, elapsed time.Duration) (now time.Time, step time.Duration) {
	wall = wall.UTC().Truncate(time.Millisecond)
	if c.now.IsZero() {
		c.now, c.wall = wall, wall
		return wall, 0
	}
	elapsed = max(elapsed, 0)
	if d := wall.Sub(c.wall) - elapsed; d > stepAllowed || d < -stepAllowed {
		step = d
	}
	c.wall = wall
	if next := c.now.Add(elapsed / 2); wall.Before(next) {
		wall = next
	}
	c.now = wall
	return wall, step
}
