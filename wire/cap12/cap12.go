// Package cap12 is the Common Alerting Protocol, version 1.2 (OASIS Standard,
// 1 July 2010; ITU-T X.1303 bis), on paper and on the wire.
//
// In: an Alert, or the bytes of a CAP 1.2 document. Out: the bytes of a document
// that the specification allows, or an Alert with remarks on what is odd in it; and
// the same with an enveloped XML signature. It never repairs a document that the
// specification forbids, never follows a link and never reads a clock.
//
// "Clause" in this package is a clause of the OASIS document, "XSD" its normative
// schema (appendix of the same document). What the schema lets through and the text
// forbids is refused here all the same: the table of rules is in rules.go.
package cap12

import "time"

// Namespace is the XML namespace of CAP 1.2 (clause 3.2.1).
const Namespace = "urn:oasis:names:tc:emergency:cap:1.2"

// Bounds of a document, for reading and writing alike. A nationwide alert of 1,500
// zones with polygons in four languages is about 10 MB and 40,000 elements.
const (
	MaxSize     = 16 << 20 // bytes
	MaxElements = 200_000  // processing instructions count as elements
	MaxDepth    = 16       // CAP itself needs four; an XML signature up to eight
)

// Alert is one CAP message (clause 3.2.1). Times have whole seconds on the wire:
// fractions are dropped in writing. The zero time, the empty string and the empty
// slice mean "element absent".
type Alert struct {
	Identifier  string // unique within Sender; no space, comma, < or &
	Sender      string // unique in the world; no space, comma, < or &
	Sent        time.Time
	Status      Status
	MsgType     MsgType
	Source      string
	Scope       Scope
	Restriction string   // required if Scope is Restricted
	Addresses   []string // required if Scope is Private
	Code        []string
	Note        string
	References  []Reference // required for Update, Cancel, Ack, Error
	Incidents   []string
	Infos       []Info
}

// Reference names an earlier message: its sender, identifier and time of sending.
type Reference struct {
	Sender     string
	Identifier string
	Sent       time.Time
}

// Info is what one message says in one language (clause 3.2.2).
type Info struct {
	Language      string // RFC 5646 tag; empty means en-US
	Categories    []Category
	Event         string
	ResponseTypes []ResponseType
	Urgency       Urgency
	Severity      Severity
	Certainty     Certainty
	Audience      string
	EventCodes    []Value
	Effective     time.Time // zero: the alert's Sent
	Onset         time.Time
	Expires       time.Time
	SenderName    string
	Headline      string
	Description   string
	Instruction   string
	Web           string // absolute URI
	Contact       string
	Parameters    []Value
	Resources     []Resource
	Areas         []Area
}

// Value is a named value of somebody's own system (eventCode, parameter, geocode).
type Value struct {
	Name  string
	Value string
}

// Resource is a file beside the alert (clause 3.2.3).
type Resource struct {
	Desc     string
	MIMEType string // type/subtype, RFC 2046
	Size     int64  // bytes, about; zero: not said
	URI      string // absolute; may be relative where DerefURI holds the content
	DerefURI string // the content itself in base64, for one-way links only
	Digest   string // SHA-1 of the content, hexadecimal
}

// Area is where the message holds (clause 3.2.4): the union of its shapes and codes.
type Area struct {
	Desc     string
	Polygons []Polygon
	Circles  []Circle
	Geocodes []Value
	Altitude *float64 // feet above mean sea level; with Ceiling the lower limit
	Ceiling  *float64 // feet above mean sea level; only with Altitude
}

// Point is a place in WGS84 degrees, north and east positive.
type Point struct{ Lat, Lon float64 }

// Polygon is a closed line of at least four points, the last equal to the first.
type Polygon []Point

// Circle is all points within Radius kilometres of Centre.
type Circle struct {
	Centre Point
	Radius float64 // kilometres; zero names the point itself
}
