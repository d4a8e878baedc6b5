package cap12

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Marshal writes the alert as a CAP 1.2 document in UTF-8, two spaces an indent, ready
// to be sent or signed. It refuses with ErrInvalid what Check would refuse of the
// result, so nothing leaves that our own reader would not take, and beyond that what of
// others is only warned of: an empty event or areaDesc, an end before the beginning.
// Fractions of a second are dropped; a time whose zone CAP cannot express is written in UTC.
func (a Alert) Marshal() ([]byte, error) {
	var w writer
	w.buf.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n")
	w.buf.WriteString(`<alert xmlns="` + Namespace + `">` + "\n")
	w.alert(a)
	w.buf.WriteString("</alert>\n")
	b := w.buf.Bytes()
	if err := readAs(b, true).report.Err(); err != nil {
		return nil, fmt.Errorf("cap12: write: %w", err)
	}
	return b, nil
}

// writer puts elements on lines of their own; depth is the indent of the next one.
type writer struct {
	buf   bytes.Buffer
	depth int
}

func (w *writer) alert(a Alert) {
	w.depth = 1
	w.must("identifier", a.Identifier)
	w.must("sender", a.Sender)
	w.time("sent", a.Sent)
	w.must("status", string(a.Status))
	w.must("msgType", string(a.MsgType))
	w.text("source", a.Source)
	w.must("scope", string(a.Scope))
	w.text("restriction", a.Restriction)
	w.text("addresses", joinQuoted(a.Addresses))
	for _, c := range a.Code {
		w.must("code", c)
	}
	w.text("note", a.Note)
	refs := make([]string, len(a.References))
	for i, r := range a.References {
		refs[i] = r.String()
	}
	w.text("references", strings.Join(refs, " "))
	w.text("incidents", joinQuoted(a.Incidents))
	for _, i := range a.Infos {
		w.group("info", func() { w.info(i) })
	}
}

func (w *writer) info(i Info) {
	w.text("language", i.Language)
	for _, c := range i.Categories {
		w.must("category", string(c))
	}
	w.must("event", i.Event)
	for _, r := range i.ResponseTypes {
		w.must("responseType", string(r))
	}
	w.must("urgency", string(i.Urgency))
	w.must("severity", string(i.Severity))
	w.must("certainty", string(i.Certainty))
	w.text("audience", i.Audience)
	w.values("eventCode", i.EventCodes)
	w.time("effective", i.Effective)
	w.time("onset", i.Onset)
	w.time("expires", i.Expires)
	w.text("senderName", i.SenderName)
	w.text("headline", i.Headline)
	w.text("description", i.Description)
	w.text("instruction", i.Instruction)
	w.text("web", i.Web)
	w.text("contact", i.Contact)
	w.values("parameter", i.Parameters)
	for _, r := range i.Resources {
		w.group("resource", func() { w.resource(r) })
	}
	for _, a := range i.Areas {
		w.group("area", func() { w.area(a) })
	}
}

func (w *writer) resource(r Resource) {
	w.must("resourceDesc", r.Desc)
	w.must("mimeType", r.MIMEType)
	if r.Size != 0 {
		w.must("size", strconv.FormatInt(r.Size, 10))
	}
	w.text("uri", r.URI)
	w.text("derefUri", r.DerefURI)
	w.text("digest", r.Digest)
}

func (w *writer) area(a Area) {
	w.must("areaDesc", a.Desc)
	for _, p := range a.Polygons {
		w.must("polygon", p.String())
	}
	for _, c := range a.Circles {
		w.must("circle", c.String())
	}
	w.values("geocode", a.Geocodes)
	if a.Altitude != nil {
		w.must("altitude", number(*a.Altitude))
	}
	if a.Ceiling != nil {
		w.must("ceiling", number(*a.Ceiling))
	}
}

// values writes one name-and-value group per value.
func (w *writer) values(name string, values []Value) {
	for _, v := range values {
		w.group(name, func() {
			w.must("valueName", v.Name)
			w.must("value", v.Value)
		})
	}
}

// group writes an element that holds elements.
func (w *writer) group(name string, body func()) {
	w.indent()
	w.buf.WriteString("<" + name + ">\n")
	w.depth++
	body()
	w.depth--
	w.indent()
	w.buf.WriteString("</" + name + ">\n")
}

// must writes an element even where its text is empty: a required one whose emptiness
// the rules then judge, or one of a list, which would otherwise change its length.
func (w *writer) must(name, text string) {
	w.indent()
	w.buf.WriteString("<" + name + ">")
	escape(&w.buf, text)
	w.buf.WriteString("</" + name + ">\n")
}

// text writes an optional element, nothing where the text is empty.
func (w *writer) text(name, text string) {
	if text != "" {
		w.must(name, text)
	}
}

// time writes a time, nothing where it is zero.
func (w *writer) time(name string, t time.Time) {
	if !t.IsZero() {
		w.must(name, formatTime(t))
	}
}

func (w *writer) indent() {
	for range w.depth {
		w.buf.WriteString("  ")
	}
}

// escape writes text so that a reader gets exactly it back. A carriage return would be
// read as a line feed (XML 1.0 clause 2.11), so it goes as a reference.
func escape(buf *bytes.Buffer, text string) {
	from := 0
	for i := 0; i < len(text); i++ {
		var as string
		switch text[i] {
		case '&':
			as = "&amp;"
		case '<':
			as = "&lt;"
		case '>':
			as = "&gt;"
		case '\r':
			as = "&#xD;"
		default:
			continue
		}
		buf.WriteString(text[from:i])
		buf.WriteString(as)
		from = i + 1
	}
	buf.WriteString(text[from:])
}
