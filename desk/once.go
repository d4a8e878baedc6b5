package desk

import (
	"errors"
	"slices"
	"sync"

	"tocsin/core/pipeline"
)

// remembered bounds how many answers are given again.
const remembered = 10_000

// claim is what the table of commands says to one more.
type claim uint8

// fresh: carry it out. again: it was, or is being, carried out. other: its id was used for
// something else. busy: too many are being carried out.
const (
	isFresh claim = iota
	isAgain
	isOther
	isBusy
)

// entry is one command that was taken. Its answer may be read once done is closed.
type entry struct {
	content string
	done    chan struct{}
	answer  pipeline.Answer
	err     error
}

// once sees to it that a command is carried out once, however often it comes. Beyond
// remembered the oldest answers are forgotten; one being carried out never is.
type once struct {
	mu      sync.Mutex
	entries map[string]*entry
	order   []string // ids, oldest first
	running int
	limit   int // of running
}

// newOnce begins with what was answered before, oldest first.
func newOnce(limit int, before []pipeline.Answered) *once {
	o := &once{entries: map[string]*entry{}, limit: limit}
	settled := make(chan struct{})
	close(settled)
	for _, b := range before {
		o.add(b.Answer.Command, &entry{content: b.Content, done: settled, answer: b.Answer})
	}
	return o
}

func (o *once) add(id string, e *entry) {
	if _, held := o.entries[id]; held {
		o.order = slices.DeleteFunc(o.order, func(s string) bool { return s == id })
	}
	o.entries[id] = e
	o.order = append(o.order, id)
	for i := 0; len(o.order) > remembered && i < len(o.order); {
		select {
		case <-o.entries[o.order[i]].done:
			delete(o.entries, o.order[i])
			o.order = slices.Delete(o.order, i, i+1)
		default:
			i++
		}
	}
}

// find tells whether a command was taken before, and changes nothing.
func (o *once) find(id, content string) (*entry, claim) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.lookup(id, content)
}

func (o *once) lookup(id, content string) (*entry, claim) {
	e, held := o.entries[id]
	switch {
	case !held:
		return nil, isFresh
	case e.content != content || content == "":
		return nil, isOther
	}
	return e, isAgain
}

// begin takes a command. Who is told isFresh must settle it.
func (o *once) begin(id, content string) (*entry, claim) {
	o.mu.Lock()
	defer o.mu.Unlock()
	e, c := o.lookup(id, content)
	switch {
	case c != isFresh:
		return e, c
	case o.running >= o.limit:
		return nil, isBusy
	}
	o.running++
	e = &entry{content: content, done: make(chan struct{})}
	o.add(id, e)
	return e, isFresh
}

// settle gives the answer to everyone who waits. What was not kept is forgotten: the same
// command may be tried again.
func (o *once) settle(id string, e *entry, a pipeline.Answer, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.running--
	e.answer, e.err = a, err
	close(e.done)
	if errors.Is(err, ErrNotKept) {
		delete(o.entries, id)
		o.order = slices.DeleteFunc(o.order, func(s string) bool { return s == id })
	}
}
