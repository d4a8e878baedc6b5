package cap12

// element is one line of the XSD's sequences: what may stand where, how often.
type element struct {
	name     string
	required bool
	repeats  bool
	contains []element // nil: text only
}

// The schema, in its order. The signature at the end of an alert is in readAlert.
var (
	valueModel    = []element{one("valueName"), one("value")}
	resourceModel = []element{
		one("resourceDesc"), one("mimeType"), maybe("size"), maybe("uri"), maybe("derefUri"), maybe("digest"),
	}
	areaModel = []element{
		one("areaDesc"), many("polygon"), many("circle"), many("geocode", valueModel...), maybe("altitude"), maybe("ceiling"),
	}
	infoModel = []element{
		maybe("language"), some("category"), one("event"), many("responseType"),
		one("urgency"), one("severity"), one("certainty"), maybe("audience"), many("eventCode", valueModel...),
		maybe("effective"), maybe("onset"), maybe("expires"), maybe("senderName"), maybe("headline"),
		maybe("description"), maybe("instruction"), maybe("web"), maybe("contact"),
		many("parameter", valueModel...), many("resource", resourceModel...), many("area", areaModel...),
	}
	alertModel = []element{
		one("identifier"), one("sender"), one("sent"), one("status"), one("msgType"), maybe("source"), one("scope"),
		maybe("restriction"), maybe("addresses"), many("code"), maybe("note"), maybe("references"), maybe("incidents"),
		many("info", infoModel...),
	}
)

func one(name string) element   { return element{name: name, required: true} }
func maybe(name string) element { return element{name: name} }
func some(name string) element  { return element{name: name, required: true, repeats: true} }
func many(name string, contains ...element) element {
	return element{name: name, repeats: true, contains: contains}
}

// find is the index of a name in a sequence, or -1.
func find(model []element, name string) int {
	for i := range model {
		if model[i].name == name {
			return i
		}
	}
	return -1
}
