package cap12

// The rules a document is held to. The first group is what a reader needs to trust
// that it sees what everybody else sees; the second is the schema's structure; the
// third what the tables of clauses 3.2.1 to 3.2.4 and the notes of clause 3.3 say of
// each element, most of which the schema cannot express.
const (
	// XML 1.0 and Namespaces in XML 1.0, and our bounds.
	RuleSize      Rule = "xml-size"      // more bytes or attributes than MaxSize, 32
	RuleDepth     Rule = "xml-depth"     // nested deeper than MaxDepth
	RuleElements  Rule = "xml-elements"  // more than MaxElements
	RuleEncoding  Rule = "xml-encoding"  // not what it is declared to be, or in an encoding that is not read
	RuleCharacter Rule = "xml-character" // a character XML has not
	RuleDoctype   Rule = "xml-doctype"   // a document type declaration
	RuleEntity    Rule = "xml-entity"    // an entity that is not XML's own
	RuleSyntax    Rule = "xml-syntax"    // not well-formed
	RuleNamespace Rule = "xml-namespace" // an undeclared prefix, a forbidden declaration
	RuleTrailing  Rule = "xml-trailing"  // something after the root element

	// Structure (XSD).
	RuleVersion   Rule = "cap-version"      // CAP 1.0 or 1.1
	RuleRoot      Rule = "cap-root"         // the root is not CAP's alert
	RuleForeign   Rule = "element-foreign"  // an element of another namespace
	RuleUnknown   Rule = "element-unknown"  // a CAP element that does not belong there
	RuleOrder     Rule = "element-order"    // an element after one that it must precede
	RuleRepeated  Rule = "element-repeated" // more than one where one is allowed
	RuleMissing   Rule = "element-missing"  // a required element is not there
	RuleNested    Rule = "element-nested"   // an element where only text belongs
	RuleStrayText Rule = "text-stray"       // text where only elements belong
	RuleAttribute Rule = "attribute"        // CAP has no attributes
	RuleSignature Rule = "signature"        // an XML-Signature element other than Signature

	// Contents (clauses 3.2 and 3.3).
	RuleEnum          Rule = "value-enum"          // not one of the values allowed
	RuleEmpty         Rule = "value-empty"         // identifier, sender or mimeType says nothing
	RuleIdentifier    Rule = "identifier"          // space, comma, < or & in identifier
	RuleSender        Rule = "sender"              // the same in sender
	RuleTime          Rule = "time-form"           // not YYYY-MM-DDThh:mm:ss and an offset
	RuleZulu          Rule = "time-zulu"           // a letter for a time zone
	RuleTimeValue     Rule = "time-value"          // a day, time or offset that does not exist
	RuleRestriction   Rule = "restriction-missing" // Restricted without restriction
	RuleAddresses     Rule = "addresses-missing"   // Private without addresses
	RuleQuotes        Rule = "list-quotes"         // quotes in addresses or incidents that do not pair
	RuleReferences    Rule = "references-missing"  // Update, Cancel, Ack, Error of nothing
	RuleReference     Rule = "references-form"     // not sender,identifier,sent
	RuleLanguage      Rule = "language"            // not a language tag
	RuleURI           Rule = "uri"                 // not an absolute URI
	RuleMIME          Rule = "mime-type"           // not type/subtype
	RuleByteCount     Rule = "size"                // not a number of bytes
	RuleDigest        Rule = "digest"              // not that of the content in the message
	RuleDeref         Rule = "deref-uri"           // not base64
	RulePolygonForm   Rule = "polygon-form"        // not a list of lat,lon pairs
	RulePolygonPoints Rule = "polygon-points"      // fewer than four pairs
	RulePolygonOpen   Rule = "polygon-open"        // last pair differs from the first
	RuleCoordinates   Rule = "coordinates"         // beyond 90 or 180 degrees
	RuleCircleForm    Rule = "circle-form"         // not "lat,lon radius"
	RuleCircleRadius  Rule = "circle-radius"       // a negative radius
	RuleAltitude      Rule = "altitude"            // not a decimal number
	RuleCeiling       Rule = "ceiling-altitude"    // ceiling without altitude
	RuleCeilingBelow  Rule = "ceiling-below"       // ceiling below altitude
)

// Warnings: allowed, and yet a recipient may stumble over it.
const (
	OddEmpty           Rule = "empty-element"          // an optional element that says nothing
	OddOffset          Rule = "time-plus-zero"         // +00:00, where UTC must be -00:00
	OddNote            Rule = "note-missing"           // Exercise or Error without a note
	OddHeadline        Rule = "headline-long"          // over 160 characters
	OddNoInfo          Rule = "info-missing"           // an alert or update that says nothing
	OddNoArea          Rule = "area-missing"           // info that does not say where
	OddNoShape         Rule = "area-shapeless"         // area in words only
	OddGeocode         Rule = "geocode-alone"          // area in somebody's codes only
	OddNoExpires       Rule = "expires-missing"        // no end is given
	OddExpired         Rule = "expires-past"           // an end that is over when sent, in a message about an end
	OddOnset           Rule = "onset-after-expires"    // ends before it begins
	OddAssess          Rule = "response-assess"        // Assess in a public message
	OddMarkup          Rule = "text-markup"            // HTML in a text
	OddSelf            Rule = "references-self"        // refers to itself
	OddLater           Rule = "references-later"       // refers to a message of its future
	OddResource        Rule = "resource-empty"         // neither uri nor derefUri
	OddSize            Rule = "size-content"           // far from the size of the content in the message
	OddURI             Rule = "uri-characters"         // characters that a URI has escaped
	OddPolygonFlat     Rule = "polygon-flat"           // encloses nothing
	OddPolygonCrossed  Rule = "polygon-crossed"        // crosses itself
	OddPolygonUnlooked Rule = "polygon-unlooked"       // too many edges to look for crossings
	OddValueName       Rule = "value-name"             // SAME, FIPS or ZIP not in capitals, or with periods
	OddDigest          Rule = "digest-form"            // not SHA-1 in hexadecimal
	OddSigned          Rule = "signature-unchecked"    // signed; Check does not verify
	OddSignatures      Rule = "signature-several"      // more than one signature
	OddEncoding        Rule = "encoding"               // UTF-16 or ISO-8859-1
	OddInstruction     Rule = "processing-instruction" // ignored here, may not be elsewhere
)

// What the text implies and does not forbid: a warning for what others write, refused in
// what is written here.
const (
	OddSilent       Rule = "required-empty"    // event, areaDesc, resourceDesc or valueName says nothing
	OddUnrestricted Rule = "restriction-scope" // restriction without Restricted
	OddExpires      Rule = "expires-before"    // expires before it is sent or takes effect
	OddGeocodeEmpty Rule = "geocode"           // a geocode without a code
)
