package cap12

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// The values CAP allows, in the specification's order.
var (
	statuses   = []Status{StatusActual, StatusExercise, StatusSystem, StatusTest, StatusDraft}
	msgTypes   = []MsgType{MsgAlert, MsgUpdate, MsgCancel, MsgAck, MsgError}
	scopes     = []Scope{ScopePublic, ScopeRestricted, ScopePrivate}
	categories = []Category{
		CategoryGeo, CategoryMet, CategorySafety, CategorySecurity, CategoryRescue, CategoryFire,
		CategoryHealth, CategoryEnv, CategoryTransport, CategoryInfra, CategoryCBRNE, CategoryOther,
	}
	responseTypes = []ResponseType{
		ResponseShelter, ResponseEvacuate, ResponsePrepare, ResponseExecute, ResponseAvoid,
		ResponseMonitor, ResponseAssess, ResponseAllClear, ResponseNone,
	}
	urgencies   = []Urgency{UrgencyImmediate, UrgencyExpected, UrgencyFuture, UrgencyPast, UrgencyUnknown}
	severities  = []Severity{SeverityExtreme, SeveritySevere, SeverityModerate, SeverityMinor, SeverityUnknown}
	certainties = []Certainty{CertaintyObserved, CertaintyLikely, CertaintyPossible, CertaintyUnlikely, CertaintyUnknown}
)

// enum reads one of a closed list of values. White space counts: the type is xs:string.
func enum[T ~string](c *checker, n *node, allowed []T) T {
	if v := T(n.text); slices.Contains(allowed, v) {
		return v
	}
	names := make([]string, len(allowed))
	for i, v := range allowed {
		names[i] = string(v)
	}
	what := "the value must be one of " + strings.Join(names, ", ")
	if n.local == "certainty" && n.text == "Very Likely" {
		what = "the value is CAP 1.0's; since then it is Likely"
	}
	c.bad(RuleEnum, n, n.text, what)
	return ""
}

// required reads a text that must say something: nothing identifies no message, and nothing
// is no type of content.
func (c *checker) required(n *node) string {
	if blank(n.text) {
		c.bad(RuleEmpty, n, n.text, n.local+" must not be empty")
	}
	return n.text
}

// stated reads a text whose element must be there; that it says something is not asked.
func (c *checker) stated(n *node) string {
	if blank(n.text) {
		c.odd(OddSilent, n, n.text, n.local+" must be there and says nothing")
	}
	return n.text
}

// optional reads a text that need not be there, and is odd where it is there and empty.
func (c *checker) optional(n *node) string {
	if blank(n.text) {
		c.odd(OddEmpty, n, n.text, "the element says nothing and could be left out")
	}
	return n.text
}

// name reads identifier or sender (clause 3.2.1: no spaces, commas, < or &).
func (c *checker) name(n *node, rule Rule) string {
	if s := c.required(n); !blank(s) && strings.ContainsFunc(s, notInName) {
		c.bad(rule, n, s, n.local+" must not have spaces, commas, < or &")
	}
	return n.text
}

// notInName is true for what neither identifier nor sender may have. A space is any that
// Unicode calls one: a no-break space in an identifier would make two messages look like one.
func notInName(r rune) bool {
	return r == ',' || r == '<' || r == '&' || unicode.IsSpace(r) || unicode.Is(unicode.Z, r)
}

// time reads a time (clause 3.3.2); white space around it is allowed by its XSD type.
func (c *checker) time(n *node) time.Time {
	s := trim(n.text)
	t, rule, what := parseTime(s)
	if rule != "" {
		c.bad(rule, n, n.text, what)
		return time.Time{}
	}
	if strings.HasSuffix(s, "+00:00") {
		c.odd(OddOffset, n, s, "UTC is written -00:00; +00:00 is read as the same")
	}
	return t
}

// list reads addresses or incidents.
func (c *checker) list(n *node) []string {
	items, ok := splitQuoted(c.optional(n))
	if !ok {
		c.bad(RuleQuotes, n, n.text, "double quotes must enclose whole members of the list")
		return nil
	}
	return items
}

// alert reads the contents of an alert that structure has been through, and holds them
// to clause 3.2.1.
func (c *checker) alert(n *node) Alert {
	var a Alert
	var infos []*node
	for _, child := range n.children {
		if child.skip {
			continue
		}
		switch child.local {
		case "identifier":
			a.Identifier = c.name(child, RuleIdentifier)
		case "sender":
			a.Sender = c.name(child, RuleSender)
		case "sent":
			a.Sent = c.time(child)
		case "status":
			a.Status = enum(c, child, statuses)
		case "msgType":
			a.MsgType = enum(c, child, msgTypes)
		case "source":
			a.Source = c.optional(child)
		case "scope":
			a.Scope = enum(c, child, scopes)
		case "restriction":
			a.Restriction = c.optional(child)
		case "addresses":
			a.Addresses = c.list(child)
		case "code":
			a.Code = append(a.Code, c.optional(child))
		case "note":
			a.Note = c.optional(child)
		case "references":
			a.References = c.references(child)
		case "incidents":
			a.Incidents = c.list(child)
		case "info":
			infos = append(infos, child)
		}
	}
	for _, i := range infos {
		if c.full() {
			break
		}
		a.Infos = append(a.Infos, c.info(i, a))
	}
	c.whole(n, a)
	return a
}

// whole holds an alert to the rules that look at several of its elements.
func (c *checker) whole(n *node, a Alert) {
	switch {
	case a.Scope == ScopeRestricted && blank(a.Restriction):
		c.bad(RuleRestriction, n, string(a.Scope), "scope Restricted needs a restriction")
	case a.Scope != ScopeRestricted && a.Scope != "" && !blank(a.Restriction):
		c.odd(OddUnrestricted, n.child("restriction"), a.Restriction, "restriction is for scope Restricted; it does not restrict scope "+string(a.Scope))
	}
	if list := n.child("addresses"); a.Scope == ScopePrivate && (list == nil || blank(list.text)) {
		c.bad(RuleAddresses, n, string(a.Scope), "scope Private needs addresses")
	}
	if list := n.child("references"); list == nil || blank(list.text) {
		switch a.MsgType {
		case MsgUpdate, MsgCancel, MsgAck, MsgError:
			c.bad(RuleReferences, n, string(a.MsgType), "msgType "+string(a.MsgType)+" needs references")
		}
	}
	for _, r := range a.References {
		if r.Sender == a.Sender && r.Identifier == a.Identifier {
			c.odd(OddSelf, n.child("references"), r.String(), "the message refers to itself")
		}
		if r.Sent.After(a.Sent) && !a.Sent.IsZero() {
			c.odd(OddLater, n.child("references"), r.String(), "the message refers to one sent after it")
		}
	}
	if blank(a.Note) && (a.Status == StatusExercise || a.MsgType == MsgError) {
		c.odd(OddNote, n, "", "an exercise should be named, an error explained, in note")
	}
	if len(a.Infos) == 0 && (a.MsgType == MsgAlert || a.MsgType == MsgUpdate) {
		c.odd(OddNoInfo, n, "", "the message says nothing: it has no info")
	}
}

// references reads sender,identifier,sent triples separated by white space.
func (c *checker) references(n *node) []Reference {
	var list []Reference
	for s := range fields(c.optional(n)) {
		if c.full() {
			break
		}
		sender, rest, _ := strings.Cut(s, ",")
		identifier, sent, ok := strings.Cut(rest, ",")
		if !ok || sender == "" || strings.ContainsFunc(sender, notInName) || identifier == "" || strings.ContainsFunc(identifier, notInName) || strings.Contains(sent, ",") {
			c.bad(RuleReference, n, s, "a reference is sender,identifier,sent")
			continue
		}
		t, rule, what := parseTime(sent)
		if rule != "" {
			c.bad(rule, n, s, what)
			continue
		}
		if strings.HasSuffix(sent, "+00:00") {
			c.odd(OddOffset, n, s, "UTC is written -00:00; +00:00 is read as the same")
		}
		list = append(list, Reference{Sender: sender, Identifier: identifier, Sent: t})
	}
	return list
}

// info reads an info of an alert whose other elements are known, and holds it to
// clause 3.2.2.
func (c *checker) info(n *node, a Alert) Info {
	var i Info
	for _, child := range n.children {
		if child.skip {
			continue
		}
		switch child.local {
		case "language":
			i.Language = c.language(child)
		case "category":
			i.Categories = append(i.Categories, enum(c, child, categories))
		case "event":
			i.Event = c.stated(child)
		case "responseType":
			i.ResponseTypes = append(i.ResponseTypes, enum(c, child, responseTypes))
		case "urgency":
			i.Urgency = enum(c, child, urgencies)
		case "severity":
			i.Severity = enum(c, child, severities)
		case "certainty":
			i.Certainty = enum(c, child, certainties)
		case "audience":
			i.Audience = c.optional(child)
		case "eventCode":
			i.EventCodes = append(i.EventCodes, c.value(child))
		case "effective":
			i.Effective = c.time(child)
		case "onset":
			i.Onset = c.time(child)
		case "expires":
			i.Expires = c.time(child)
		case "senderName":
			i.SenderName = c.optional(child)
		case "headline":
			i.Headline = c.prose(child)
		case "description":
			i.Description = c.prose(child)
		case "instruction":
			i.Instruction = c.prose(child)
		case "web":
			i.Web = c.uri(child, false)
		case "contact":
			i.Contact = c.optional(child)
		case "parameter":
			i.Parameters = append(i.Parameters, c.value(child))
		case "resource":
			i.Resources = append(i.Resources, c.resource(child))
		case "area":
			i.Areas = append(i.Areas, c.area(child))
		}
	}
	c.wholeInfo(n, a, i)
	return i
}

// wholeInfo holds an info to the rules that look at several elements.
func (c *checker) wholeInfo(n *node, a Alert, i Info) {
	if h := utf8.RuneCountInString(i.Headline); h > 160 {
		c.odd(OddHeadline, n.child("headline"), i.Headline, "a headline should have at most 160 characters")
	}
	if a.Scope == ScopePublic && slices.Contains(i.ResponseTypes, ResponseAssess) {
		c.odd(OddAssess, n, string(ResponseAssess), "Assess should not be used in public warnings")
	}
	if len(i.Areas) == 0 && n.child("area") == nil {
		c.odd(OddNoArea, n, "", "the info does not say where")
	}
	switch end := n.child("expires"); {
	case end == nil:
		c.odd(OddNoExpires, n, "", "no expires: each recipient decides when it is over")
	case i.Expires.IsZero() || a.Sent.IsZero():
	case i.Expires.Before(a.Sent) || i.Expires.Before(i.Effective):
		// What says that something is over may well be over itself.
		if a.MsgType == MsgCancel || i.Urgency == UrgencyPast || slices.Contains(i.ResponseTypes, ResponseAllClear) {
			c.odd(OddExpired, end, end.text, "expires is before sent or effective")
		} else {
			c.odd(OddExpires, end, end.text, "expires is before sent or effective: it never holds")
		}
	case i.Onset.After(i.Expires):
		c.odd(OddOnset, end, end.text, "expires is before onset")
	}
}

// prose reads text for people.
func (c *checker) prose(n *node) string {
	s := c.optional(n)
	for i := 0; i+1 < len(s); i++ {
		if s[i] == '<' && (s[i+1] == '/' || s[i+1] >= 'a' && s[i+1] <= 'z' || s[i+1] >= 'A' && s[i+1] <= 'Z') {
			c.odd(OddMarkup, n, s[i:], "CAP text has no markup; it will be shown as it stands")
			break
		}
	}
	return s
}

// language reads a language tag (RFC 3066, now RFC 5646); empty means en-US, by the schema's
// default, which white space does not call for.
func (c *checker) language(n *node) string {
	tag := trim(n.text)
	if n.text == "" {
		return c.optional(n)
	}
	for i, sub := range strings.Split(tag, "-") {
		ok := sub != "" && len(sub) <= 8
		for j := range len(sub) {
			letter := sub[j] >= 'a' && sub[j] <= 'z' || sub[j] >= 'A' && sub[j] <= 'Z'
			ok = ok && (letter || i > 0 && sub[j] >= '0' && sub[j] <= '9')
		}
		if i == 0 {
			ok = ok && (len(sub) == 2 || len(sub) == 3 || strings.EqualFold(sub, "i") || strings.EqualFold(sub, "x"))
		}
		if !ok {
			c.bad(RuleLanguage, n, tag, "the language must be a tag as in RFC 5646")
			break
		}
	}
	return tag
}

// acronym remarks on the acronyms that clause 3.2.2 names where they are not as it wants
// them; of others nobody can say that they are acronyms.
func (c *checker) acronym(n *node) {
	switch plain := strings.ToUpper(strings.ReplaceAll(n.text, ".", "")); plain {
	case "SAME", "FIPS", "ZIP":
		if plain != n.text {
			c.odd(OddValueName, n, n.text, "an acronym is written in capitals without periods, "+plain)
		}
	}
}

// value reads a named value. A geocode without a code names no place.
func (c *checker) value(n *node) Value {
	var v Value
	for _, child := range n.children {
		switch {
		case child.skip:
		case child.local == "valueName":
			v.Name = c.stated(child)
			c.acronym(child)
		case n.local == "geocode" && blank(child.text):
			c.odd(OddGeocodeEmpty, child, child.text, "a geocode without a code names no place")
		default:
			v.Value = c.optional(child)
		}
	}
	return v
}
