package warning

import (
	"container/heap"
	"time"
)

// timer orders places by when they must be looked at again.
type timer struct{ heap placeHeap }

// set has a place looked at at a time; the zero time is never.
func (t *timer) set(p *place, at time.Time) {
	switch {
	case at.IsZero():
		t.drop(p)
	case p.slot == 0:
		p.due = at
		heap.Push(&t.heap, p)
	case !p.due.Equal(at):
		p.due = at
		heap.Fix(&t.heap, p.slot-1)
	}
}

func (t *timer) drop(p *place) {
	if p.slot > 0 {
		heap.Remove(&t.heap, p.slot-1)
	}
}

// due takes out the places whose time has come.
func (t *timer) due(now time.Time) []*place {
	var out []*place
	for len(t.heap) > 0 && !t.heap[0].due.After(now) {
		out = append(out, heap.Pop(&t.heap).(*place))
	}
	return out
}

func (t *timer) next() (time.Time, bool) {
	if len(t.heap) == 0 {
		return time.Time{}, false
	}
	return t.heap[0].due, true
}

// placeHeap is a binary heap by due time, then id. A place's slot is its index + 1.
type placeHeap []*place

func (h placeHeap) Len() int { return len(h) }

func (h placeHeap) Less(i, j int) bool {
	if !h[i].due.Equal(h[j].due) {
		return h[i].due.Before(h[j].due)
	}
	return h[i].id < h[j].id
}

func (h placeHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].slot, h[j].slot = i+1, j+1
}

func (h *placeHeap) Push(x any) {
	p := x.(*place)
	*h = append(*h, p)
	p.slot = len(*h)
}

func (h *placeHeap) Pop() any {
	old := *h
	p := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	p.slot = 0
	return p
}
