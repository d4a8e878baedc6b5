package sensor

import (
	"time"

	"tocsin/health"
)

// How often a lasting condition is told again, and after how long without it is cleared.
const (
	renotice = 10 * time.Second
	calm     = time.Minute
)

// Counter turns something that may happen thousands of times a second into one condition:
// raised at the first, told again with its count at most every 10 s, cleared after a
// minute without. It is not safe for concurrent use. The zero value is unusable: give it
// name and subject.
type Counter struct {
	Name, Subject string

	total  int
	told   int
	detail func() string
	last   time.Time // seen
	toldAt time.Time
	raised bool
}

// Add counts n more at a time. detail describes the latest; it is called only when there is
// something to tell, from Add or Tick.
func (c *Counter) Add(now time.Time, n int, detail func() string, note func(health.Condition)) {
	c.total += n
	c.detail, c.last = detail, now
	c.Tick(now, note)
}

// Tick lets time pass.
func (c *Counter) Tick(now time.Time, note func(health.Condition)) {
	switch {
	case c.raised && now.Sub(c.last) >= calm:
		c.raised = false
	case c.total > c.told && (!c.raised || now.Sub(c.toldAt) >= renotice):
		c.raised = true
	default:
		return
	}
	c.told, c.toldAt = c.total, now
	note(health.Condition{Name: c.Name, Subject: c.Subject, Raised: c.raised, At: now, Detail: c.detail(), Count: c.total})
}

// Total is how many were counted.
func (c *Counter) Total() int { return c.total }
