package cap12

// Status says who is to act on a message (clause 3.2.1).
type Status string

// The statuses.
const (
	StatusActual   Status = "Actual"
	StatusExercise Status = "Exercise" // only designated participants act; the exercise is named in Note
	StatusSystem   Status = "System"   // for the network's own functions
	StatusTest     Status = "Test"     // technical test, all recipients disregard
	StatusDraft    Status = "Draft"    // not actionable
)

// MsgType is what a message does to earlier ones (clause 3.2.1).
type MsgType string

// The message types.
const (
	MsgAlert  MsgType = "Alert"
	MsgUpdate MsgType = "Update" // replaces the messages in References
	MsgCancel MsgType = "Cancel" // withdraws the messages in References
	MsgAck    MsgType = "Ack"    // acknowledges receipt and acceptance of those
	MsgError  MsgType = "Error"  // rejects those; Note says why
)

// Scope is who may read a message (clause 3.2.1).
type Scope string

// The scopes.
const (
	ScopePublic     Scope = "Public"
	ScopeRestricted Scope = "Restricted" // to those whom Restriction describes
	ScopePrivate    Scope = "Private"    // to Addresses
)

// Category is the field a message is about (clause 3.2.2).
type Category string

// The categories.
const (
	CategoryGeo       Category = "Geo"
	CategoryMet       Category = "Met"
	CategorySafety    Category = "Safety"
	CategorySecurity  Category = "Security"
	CategoryRescue    Category = "Rescue"
	CategoryFire      Category = "Fire"
	CategoryHealth    Category = "Health"
	CategoryEnv       Category = "Env"
	CategoryTransport Category = "Transport"
	CategoryInfra     Category = "Infra"
	CategoryCBRNE     Category = "CBRNE"
	CategoryOther     Category = "Other"
)

// ResponseType is what people are to do (clause 3.2.2).
type ResponseType string

// The response types.
const (
	ResponseShelter  ResponseType = "Shelter"
	ResponseEvacuate ResponseType = "Evacuate"
	ResponsePrepare  ResponseType = "Prepare"
	ResponseExecute  ResponseType = "Execute"
	ResponseAvoid    ResponseType = "Avoid"
	ResponseMonitor  ResponseType = "Monitor"
	ResponseAssess   ResponseType = "Assess"
	ResponseAllClear ResponseType = "AllClear"
	ResponseNone     ResponseType = "None"
)

// Urgency is how soon people are to act (clause 3.2.2).
type Urgency string

// The urgencies.
const (
	UrgencyImmediate Urgency = "Immediate"
	UrgencyExpected  Urgency = "Expected" // within the next hour
	UrgencyFuture    Urgency = "Future"
	UrgencyPast      Urgency = "Past"
	UrgencyUnknown   Urgency = "Unknown"
)

// Severity is how grave it is (clause 3.2.2).
type Severity string

// The severities.
const (
	SeverityExtreme  Severity = "Extreme"
	SeveritySevere   Severity = "Severe"
	SeverityModerate Severity = "Moderate"
	SeverityMinor    Severity = "Minor"
	SeverityUnknown  Severity = "Unknown"
)

// Certainty is how sure the sender is (clause 3.2.2).
type Certainty string

// The certainties.
const (
	CertaintyObserved Certainty = "Observed"
	CertaintyLikely   Certainty = "Likely"   // more than half
	CertaintyPossible Certainty = "Possible" // up to half
	CertaintyUnlikely Certainty = "Unlikely"
	CertaintyUnknown  Certainty = "Unknown"
)
