package main

import (
	"fmt"
	"os"
	"time"
)

// progress tells on a terminal how far a long command has come. Where standard error is
// no terminal it says nothing.
type progress struct {
	c     *console
	what  string
	began time.Time
	last  time.Time
	shown bool
}

// progressAfter is how long a command may be silent; progressEvery how often it speaks.
const (
	progressAfter = time.Second
	progressEvery = 200 * time.Millisecond
)

func newProgress(c *console, what string) *progress {
	return &progress{c: c, what: what, began: time.Now()}
}

// show says how many of a total are done; a total of 0 is unknown.
func (p *progress) show(done, total int) {
	now := time.Now()
	if now.Sub(p.began) < progressAfter || now.Sub(p.last) < progressEvery || !p.terminal() {
		return
	}
	p.last, p.shown = now, true
	if total > 0 {
		fmt.Fprintf(p.c.err, "\r%s: %d of %d\x1b[K", p.what, done, total)
		return
	}
	fmt.Fprintf(p.c.err, "\r%s: %d\x1b[K", p.what, done)
}

// clear takes the line away again.
func (p *progress) clear() {
	if p.shown {
		fmt.Fprint(p.c.err, "\r\x1b[K")
		p.shown = false
	}
}

func (p *progress) terminal() bool {
	f, ok := p.c.err.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
