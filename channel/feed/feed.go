// Package feed is the channel of CAP documents: an Atom feed and one document an alert.
//
// In: alerts. Out: bytes that the gateway serves. It keeps the newest documents in
// memory and never fetches, forwards or rewords one.
package feed

import (
	"bytes"
	"cmp"
	"context"
	"encoding/xml"
	"fmt"
	"slices"
	"sync"
	"time"

	"tocsin/channel"
	"tocsin/core/alert"
)

// Config is what a feed is made with.
type Config struct {
	Title  string
	Sender string
	// Write makes the CAP document of an alert, signed where there is a key.
	Write func(alert.Alert) ([]byte, error)
	// Keep is how many documents are kept; 0 is 1,000. The oldest goes first.
	Keep int
	// Listed is how many stand in the Atom feed; 0 is 100.
	Listed int
}

// Feed holds the documents. It may be used from many goroutines.
type Feed struct {
	cfg Config

	mu      sync.RWMutex
	entries []entry // in the order of sent, the oldest first
	byID    map[string][]byte
	atom    []byte
}

type entry struct {
	id, title, summary string
	sent               time.Time
}

func (e entry) compare(o entry) int {
	return cmp.Or(e.sent.Compare(o.sent), cmp.Compare(len(e.id), len(o.id)), cmp.Compare(e.id, o.id))
}

// New makes an empty feed.
func New(cfg Config) *Feed {
	if cfg.Keep <= 0 {
		cfg.Keep = 1000
	}
	if cfg.Listed <= 0 {
		cfg.Listed = 100
	}
	f := &Feed{cfg: cfg, byID: map[string][]byte{}}
	f.atom = f.write()
	return f
}

// Deliver writes the alert's document and lists it. An alert delivered twice counts once.
func (f *Feed) Deliver(_ context.Context, a alert.Alert) (alert.Receipt, error) {
	receipt := alert.Receipt{Channel: "feed", Alert: a.ID, State: alert.Broadcast, At: a.Sent}
	f.mu.RLock()
	_, known := f.byID[string(a.ID)]
	f.mu.RUnlock()
	if known {
		return receipt, nil
	}
	doc, err := f.cfg.Write(a)
	if err != nil {
		return alert.Receipt{}, fmt.Errorf("feed: %s: %w: %w", a.ID, channel.ErrFinal, err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	e := entry{id: string(a.ID), sent: a.Sent, title: string(a.ID)}
	if len(a.Texts) > 0 {
		e.title, e.summary = a.Texts[0].Headline, a.Texts[0].Description
	}
	f.byID[e.id] = doc
	// After a restart the alerts come warning by warning: the feed is in order all the same.
	at, _ := slices.BinarySearchFunc(f.entries, e, entry.compare)
	if f.entries = slices.Insert(f.entries, at, e); len(f.entries) > f.cfg.Keep {
		delete(f.byID, f.entries[0].id)
		f.entries = slices.Delete(f.entries, 0, 1)
	}
	f.atom = f.write()
	return receipt, nil
}

// Atom is the feed (RFC 4287), newest first. The bytes are not changed afterwards.
func (f *Feed) Atom() []byte {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.atom
}

// Document is one CAP document by its identifier.
func (f *Feed) Document(id string) ([]byte, bool) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	b, ok := f.byID[id]
	return b, ok
}

type atomFeed struct {
	XMLName xml.Name    `xml:"http://www.w3.org/2005/Atom feed"`
	ID      string      `xml:"id"`
	Title   string      `xml:"title"`
	Updated string      `xml:"updated"`
	Author  string      `xml:"author>name"`
	Links   []atomLink  `xml:"link"`
	Entries []atomEntry `xml:"entry"`
}

type atomLink struct {
	Rel  string `xml:"rel,attr,omitempty"`
	Type string `xml:"type,attr,omitempty"`
	Href string `xml:"href,attr"`
}

type atomEntry struct {
	ID      string   `xml:"id"`
	Title   string   `xml:"title"`
	Updated string   `xml:"updated"`
	Summary string   `xml:"summary"`
	Link    atomLink `xml:"link"`
}

// write makes the Atom document of what is held.
func (f *Feed) write() []byte {
	doc := atomFeed{
		ID: "urn:tocsin:feed:" + f.cfg.Sender, Title: f.cfg.Title, Author: f.cfg.Sender,
		Updated: time.Unix(0, 0).UTC().Format(time.RFC3339),
		Links:   []atomLink{{Rel: "self", Type: "application/atom+xml", Href: "/v1/cap.atom"}},
	}
	for i := len(f.entries) - 1; i >= 0 && len(doc.Entries) < f.cfg.Listed; i-- {
		e := f.entries[i]
		doc.Entries = append(doc.Entries, atomEntry{
			ID: "urn:tocsin:alert:" + f.cfg.Sender + ":" + e.id, Title: e.title, Summary: e.summary,
			Updated: e.sent.UTC().Format(time.RFC3339),
			Link:    atomLink{Rel: "alternate", Type: "application/cap+xml", Href: "/v1/cap/" + e.id + ".xml"},
		})
	}
	if len(doc.Entries) > 0 {
		doc.Updated = doc.Entries[0].Updated
	}
	var b bytes.Buffer
	b.WriteString(xml.Header)
	if err := xml.NewEncoder(&b).Encode(doc); err != nil {
		panic("feed: " + err.Error()) // strings and attributes alone cannot fail
	}
	return b.Bytes()
}
