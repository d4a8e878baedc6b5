package cap12

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"mime"
	"slices"
	"strconv"
	"strings"
)

// resource reads a resource and holds it to clause 3.2.3.
func (c *checker) resource(n *node) Resource {
	var r Resource
	var inside []byte
	content := n.child("derefUri")
	for _, child := range n.children {
		if child.skip {
			continue
		}
		switch child.local {
		case "resourceDesc":
			r.Desc = c.stated(child)
		case "mimeType":
			r.MIMEType = c.mimeType(child)
		case "size":
			r.Size = c.byteCount(child)
		case "uri":
			r.URI = c.uri(child, content != nil)
		case "derefUri":
			r.DerefURI, inside = c.base64(child)
		case "digest":
			r.Digest = c.digest(child)
		}
	}
	if uri := n.child("uri"); content == nil && (uri == nil || blank(uri.text)) {
		c.odd(OddResource, n, "", "the resource has neither uri nor derefUri")
	}
	if len(inside) > 0 {
		c.contents(n, r, inside)
	}
	return r
}

func (c *checker) mimeType(n *node) string {
	s := c.required(n)
	if blank(s) {
		return s
	}
	kind, _, err := mime.ParseMediaType(s)
	if major, minor, ok := strings.Cut(kind, "/"); err != nil || !ok || major == "" || minor == "" {
		c.bad(RuleMIME, n, s, "mimeType must be type/subtype as in RFC 2046")
	}
	return s
}

// byteCount reads size: xs:integer, a number of bytes.
func (c *checker) byteCount(n *node) int64 {
	s := trim(n.text)
	size, err := strconv.ParseInt(s, 10, 64)
	if err != nil || size < 0 {
		c.bad(RuleByteCount, n, n.text, "size must be a number of bytes")
		return 0
	}
	return size
}

// base64 reads derefUri, and what it says; line breaks in it are allowed, as in MIME.
func (c *checker) base64(n *node) (text string, content []byte) {
	text = c.optional(n)
	content, err := base64.StdEncoding.DecodeString(pack(text))
	if err != nil {
		c.bad(RuleDeref, n, text, "derefUri must be base64")
		return text, nil
	}
	return text, content
}

// contents holds size and digest to the content, where the message has it with it.
func (c *checker) contents(n *node, r Resource, content []byte) {
	// Clause 3.2.3 has the size as approximate; a tenth is.
	if size := int64(len(content)); n.child("size") != nil && max(size-r.Size, r.Size-size) > size/10 {
		c.odd(OddSize, n.child("size"), n.child("size").text, fmt.Sprintf("the content in derefUri has %d bytes", size))
	}
	stated, err := hex.DecodeString(r.Digest)
	if sum := sha1.Sum(content); err == nil && len(stated) == len(sum) && !bytes.Equal(stated, sum[:]) {
		c.bad(RuleDigest, n.child("digest"), r.Digest, "digest is not the SHA-1 of the content in derefUri")
	}
}

// digest reads the SHA-1 of the content. The specification does not say in which
// notation; hexadecimal is what the field uses.
func (c *checker) digest(n *node) string {
	s := c.optional(n)
	ok := len(s) == 40
	for i := range len(s) {
		ok = ok && digit(s[i]) < 16
	}
	if !ok && !blank(s) {
		c.odd(OddDigest, n, s, "a digest is SHA-1 in 40 hexadecimal digits")
	}
	return s
}

// area reads an area and holds it to clause 3.2.4.
func (c *checker) area(n *node) Area {
	var a Area
	shapes, codes := 0, 0
	for _, child := range n.children {
		if child.skip {
			continue
		}
		switch child.local {
		case "areaDesc":
			a.Desc = c.stated(child)
		case "polygon":
			shapes++
			a.Polygons = append(a.Polygons, c.polygon(child))
		case "circle":
			shapes++
			a.Circles = append(a.Circles, c.circle(child))
		case "geocode":
			codes++
			a.Geocodes = append(a.Geocodes, c.value(child))
		case "altitude":
			a.Altitude = c.feet(child)
		case "ceiling":
			a.Ceiling = c.feet(child)
		}
	}
	if shapes == 0 && codes == 0 {
		c.odd(OddNoShape, n, a.Desc, "the area is in words only")
	} else if shapes == 0 {
		c.odd(OddGeocode, n, a.Desc, "geocodes should go with a polygon or circle")
	}
	ceiling := n.child("ceiling")
	if ceiling != nil && n.child("altitude") == nil {
		c.bad(RuleCeiling, ceiling, ceiling.text, "ceiling must not be used without altitude")
	}
	if a.Altitude != nil && a.Ceiling != nil && *a.Ceiling < *a.Altitude {
		c.bad(RuleCeilingBelow, ceiling, ceiling.text, "ceiling must not be below altitude")
	}
	return a
}

// maxDigits is how many digits altitude and ceiling may have, leading zeros aside. XSD 1.0
// part 2, clause 3.2.3 has readers bear 18 at least; libxml2 refuses more than 24.
const maxDigits = 24

// feet reads altitude or ceiling.
func (c *checker) feet(n *node) *float64 {
	s := trim(n.text)
	x, ok := parseDecimal(s)
	if digits := strings.TrimLeft(s, "+-0"); !ok || len(digits)-strings.Count(digits, ".") > maxDigits {
		c.bad(RuleAltitude, n, n.text, n.local+" must be a decimal number of feet")
		return nil
	}
	return &x
}

func (c *checker) polygon(n *node) Polygon {
	var p Polygon
	for pair := range fields(n.text) {
		q, ok := parsePoint(pair)
		if !ok {
			c.bad(RulePolygonForm, n, pair, "a polygon is a list of latitude,longitude pairs")
			return nil
		}
		if !q.onEarth() {
			c.bad(RuleCoordinates, n, pair, "latitude goes to 90, longitude to 180 degrees")
			return nil
		}
		p = append(p, q)
	}
	switch {
	case len(p) < 4:
		c.bad(RulePolygonPoints, n, n.text, "a polygon has at least four pairs")
	case p[0] != p[len(p)-1]:
		c.bad(RulePolygonOpen, n, Polygon{p[0], p[len(p)-1]}.String(), "a polygon's last pair must equal its first")
	default:
		c.shape(n, p)
	}
	return p
}

func (c *checker) circle(n *node) Circle {
	at, size, _ := strings.Cut(strings.Join(slices.Collect(fields(clip(n.text, 1000))), " "), " ")
	centre, isPoint := parsePoint(at)
	radius, isNumber := parseDecimal(size)
	switch {
	case !isPoint || !isNumber:
		c.bad(RuleCircleForm, n, n.text, `a circle is "latitude,longitude radius"`)
	case !centre.onEarth():
		c.bad(RuleCoordinates, n, at, "latitude goes to 90, longitude to 180 degrees")
	case radius < 0:
		c.bad(RuleCircleRadius, n, n.text, "a radius is not negative")
	}
	return Circle{Centre: centre, Radius: radius}
}

func (p Point) onEarth() bool {
	return p.Lat >= -90 && p.Lat <= 90 && p.Lon >= -180 && p.Lon <= 180
}
