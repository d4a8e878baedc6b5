package cap12

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// profiled is an alert in the shape of a profile: made up, with the elements, codes and
// habits that the profile's documents have.
type profiled struct {
	alert string // from identifier to incidents
	infos []string
	odd   []Rule // what a reader is warned of
}

func (p profiled) document() []byte {
	return []byte(`<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n<alert xmlns=\"" + Namespace + "\">" + p.alert + strings.Join(p.infos, "") + "</alert>\n")
}

// pair writes a valueName and a value in an element.
func pair(element, name, value string) string {
	return fmt.Sprintf("<%s><valueName>%s</valueName><value>%s</value></%[1]s>", element, name, value)
}

const ring = "<polygon>47.10,8.40 47.10,8.60 47.25,8.60 47.25,8.40 47.10,8.40</polygon>"

// profiles are of those whom a warning system of Europe, America, Australia and Asia meets first.
func profiles() map[string]profiled {
	meteo := func(language, event string) string {
		return "<info><language>" + language + "</language><category>Met</category><event>" + event + "</event><responseType>Monitor</responseType>" +
			"<urgency>Future</urgency><severity>Moderate</severity><certainty>Likely</certainty><effective>2026-11-22T08:12:33+01:00</effective>" +
			"<onset>2026-11-22T12:00:00+01:00</onset><expires>2026-11-22T23:59:59+01:00</expires><senderName>National Meteorological Service</senderName>" +
			"<headline>Yellow wind</headline><description>Gusts of 70 km/h.</description><instruction>Be aware.</instruction><web>https://www.example.int</web><contact>EUMETNET</contact>" +
			pair("parameter", "awareness_level", "2; yellow; Moderate") + pair("parameter", "awareness_type", "1; Wind") +
			"<area><areaDesc>Coast</areaDesc>" + pair("geocode", "EMMA_ID", "XX801") + "</area></info>"
	}
	canada := func(language string) string {
		return "<info><language>" + language + "</language><category>Met</category><event>snowfall</event><responseType>Avoid</responseType>" +
			"<urgency>Future</urgency><severity>Moderate</severity><certainty>Likely</certainty><audience>general public</audience>" +
			pair("eventCode", "profile:CAP-CP:Event:0.4", "snowfall") + "<effective>2026-11-22T10:00:00-00:00</effective><expires>2026-11-23T02:00:00-00:00</expires>" +
			"<senderName>Environment</senderName><headline>snowfall warning in effect</headline><description>\nSnow.\n###\n</description>" +
			pair("parameter", "layer:EC-MSC-SMC:1.0:Alert_Type", "warning") + pair("parameter", "layer:SOREM:1.0:Broadcast_Immediately", "No") +
			"<area><areaDesc>City</areaDesc>" + ring + pair("geocode", "layer:EC-MSC-SMC:1.0:CLC", "031100") + pair("geocode", "profile:CAP-CP:Location:0.3", "3506008") + "</area></info>"
	}
	return map[string]profiled{
		"IPAWS, for the emergency alert system": {
			alert: "<identifier>CEM-2026-1122-A</identifier><sender>duty@county.example</sender><sent>2026-11-22T10:00:00-05:00</sent><status>Actual</status><msgType>Alert</msgType>" +
				"<source>A program</source><scope>Public</scope><code>IPAWSv1.0</code><note>made up</note>",
			infos: []string{"<info><language>en-US</language><category>Safety</category><event>Civil Emergency Message</event><responseType>Shelter</responseType><urgency>Immediate</urgency>" +
				"<severity>Extreme</severity><certainty>Observed</certainty>" + pair("eventCode", "SAME", "CEM") + "<effective>2026-11-22T10:00:00-05:00</effective><expires>2026-11-22T11:00:00-05:00</expires>" +
				"<senderName>County Emergency Management</senderName><headline>Take shelter</headline><description>Take shelter now.</description><instruction>Stay inside.</instruction>" +
				pair("parameter", "EAS-ORG", "CIV") + pair("parameter", "timezone", "EST") + pair("parameter", "BLOCKCHANNEL", "NWEM") + pair("parameter", "CMAMtext", "Take shelter now") +
				"<area><areaDesc>A county</areaDesc>" + ring + "<circle>47.2,8.5 12</circle>" + pair("geocode", "SAME", "051059") + pair("geocode", "SAME", "051600") + "</area></info>"},
		},
		"National Weather Service": {
			alert: "<identifier>urn:oid:2.49.0.1.840.0.1a2b3c.001.1</identifier><sender>w-nws.webmaster@weather.example</sender><sent>2026-11-22T03:14:00-06:00</sent><status>Actual</status><msgType>Update</msgType><scope>Public</scope><code>IPAWSv1.0</code>" +
				"<references>w-nws.webmaster@weather.example,urn:oid:2.49.0.1.840.0.1a2b3c.000.1,2026-11-22T02:14:00-06:00 w-nws.webmaster@weather.example,urn:oid:2.49.0.1.840.0.1a2b3c.000.2,2026-11-22T02:15:00-06:00</references>",
			infos: []string{"<info><language>en-US</language><category>Met</category><event>Tornado Warning</event><responseType>Shelter</responseType><urgency>Immediate</urgency><severity>Extreme</severity>" +
				"<certainty>Observed</certainty>" + pair("eventCode", "SAME", "TOR") + pair("eventCode", "NationalWeatherService", "TOW") + "<effective>2026-11-22T03:14:00-06:00</effective><onset>2026-11-22T03:14:00-06:00</onset>" +
				"<expires>2026-11-22T03:45:00-06:00</expires><headline>Tornado Warning issued</headline><description>HAZARD...Tornado.\n\nSOURCE...Radar.</description>" + pair("parameter", "VTEC", "/O.CON.KAAA.TO.W.0001.000000T0000Z-261122T0945Z/") +
				pair("parameter", "eventMotionDescription", "2026-11-22T09:14:00-00:00...storm...240DEG...30KT...33.1,-88.2") + "<area><areaDesc>Two counties</areaDesc>" + ring + pair("geocode", "UGC", "ALC107") + "</area></info>"},
		},
		"Meteoalarm, in two languages": {
			alert: "<identifier>2.49.0.0.276.0.XX.20261122081233.1</identifier><sender>cap@service.example</sender><sent>2026-11-22T08:12:33+01:00</sent><status>Actual</status><msgType>Alert</msgType><scope>Public</scope>",
			infos: []string{meteo("en-GB", "Yellow Wind Warning"), meteo("de-DE", "Gelbe Windwarnung")},
			odd:   []Rule{OddGeocode},
		},
		"CAP-AU": {
			alert: "<identifier>AU-2026-0042</identifier><sender>info@fire.example.au</sender><sent>2026-11-22T15:04:05+10:30</sent><status>Actual</status><msgType>Alert</msgType><scope>Public</scope>" +
				"<code>urn:oasis:names:tc:emergency:cap:1.2:profile:cap-au:1.0</code><incidents>\"Grass fire north\" 1234</incidents>",
			infos: []string{"<info><language>en-AU</language><category>Fire</category><event>Bushfire</event><responseType>Monitor</responseType><urgency>Expected</urgency><severity>Minor</severity><certainty>Observed</certainty>" +
				pair("eventCode", "https://govshare.example.au/xmlui/handle/10772/6495", "bushFire") + "<effective>2026-11-22T15:04:05+10:30</effective><expires>2026-11-23T15:04:05+10:30</expires><senderName>Fire Service</senderName><headline>Advice</headline>" +
				"<description>A fire.</description><web>https://www.example.au/alert/42</web>" + pair("parameter", "AlertLevel", "Advice") + "<resource><resourceDesc>map</resourceDesc><mimeType>text/html</mimeType><uri>https://www.example.au/map?id=42&amp;z=1</uri></resource>" +
				"<area><areaDesc>North</areaDesc>" + ring + pair("geocode", "http://www.example.au/ASGS", "401011001") + "</area></info>"},
		},
		"CAP-CP, in two languages": {
			alert: "<identifier>urn:oid:2.49.0.1.124.1234567890.2026</identifier><sender>cap-pac@canada.example</sender><sent>2026-11-22T10:00:00-00:00</sent><status>Actual</status><msgType>Alert</msgType><source>Env. Can. - Can. Met. Ctr.</source>" +
				"<scope>Public</scope><code>profile:CAP-CP:0.4</code><code>layer:SOREM:1.0</code><note>Service Notice</note>",
			infos: []string{canada("en-CA"), canada("fr-CA")},
		},
		"Google Public Alerts": {
			alert: "<identifier>KSTO1055887203</identifier><sender>alerts@agency.example</sender><sent>2026-11-22T14:57:00-07:00</sent><status>Actual</status><msgType>Cancel</msgType><scope>Public</scope>" +
				"<references>alerts@agency.example,KSTO1055887202,2026-11-22T14:00:00-07:00</references>",
			infos: []string{"<info><category>Geo</category><category>Safety</category><event>Tsunami</event><responseType>AllClear</responseType><urgency>Past</urgency><severity>Minor</severity><certainty>Unlikely</certainty>" +
				"<expires>2026-11-22T14:57:00-07:00</expires><senderName>Agency</senderName><headline>Tsunami warning cancelled</headline><description>No danger.</description><web>https://agency.example/1</web><area><areaDesc>Coast</areaDesc><circle>38.5,-121.4 5.5</circle></area></info>"},
		},
		"a heartbeat of an aggregator": {
			alert: "<identifier>urn:oid:2.49.0.1.124.0.2026.1</identifier><sender>heartbeat</sender><sent>2026-11-22T10:00:00-00:00</sent><status>System</status><msgType>Alert</msgType><scope>Public</scope>" +
				"<references>cap-pac@canada.example,urn:oid:2.49.0.1.124.1,2026-11-22T09:00:00-00:00\n\tems@province.example,urn:oid:2.49.0.1.124.2,2026-11-22T04:30:00-04:30</references>",
			odd: []Rule{OddNoInfo},
		},
		"an update with its spoken text": {
			alert: "<identifier>{5C-11}</identifier><sender>emergency@province.example</sender><sent>2026-11-22T10:00:00-03:30</sent><status>Test</status><msgType>Update</msgType><scope>Public</scope><code>layer:SOREM:2.0</code>" +
				"<references>emergency@province.example,{5C-10},2026-11-22T09:00:00-03:30</references><incidents/>",
			infos: []string{"<info><language>fr-CA</language><category>Rescue</category><category>CBRNE</category><event>test</event><urgency>Immediate</urgency><severity>Severe</severity><certainty>Observed</certainty>" +
				"<expires>2026-11-22T24:00:00-03:30</expires><resource><resourceDesc>Broadcast audio</resourceDesc><mimeType>\n audio/mpeg</mimeType><size>3</size><uri>speech 1.mp3</uri><derefUri>\nAA\nEC\n</derefUri>" +
				"<digest>0C7A623FD2BBC05B06423BE359E4021D36E721AD</digest></resource><resource><resourceDesc>Stream</resourceDesc><mimeType>application/x-url; charset=utf-8</mimeType><uri>rtsp://audio.example/1</uri></resource>" +
				"<area><areaDesc>Island</areaDesc>" + ring + ring + "<altitude>0</altitude><ceiling>0</ceiling></area></info>"},
			odd: []Rule{OddEmpty, OddURI},
		},
		"an island's weather service in winter": {
			alert: "<identifier>a81eeb2c-6e2a-4f6c-8f6b-000000000000</identifier><sender>https://www.weather.example.uk</sender><sent>2026-11-22T09:30:00+00:00</sent><status>Actual</status><msgType>Alert</msgType><scope>Public</scope>",
			infos: []string{"<info><category>Met</category><event>Wind</event><urgency>Future</urgency><severity>Moderate</severity><certainty>Possible</certainty><expires>2026-11-23T23:59:00+00:00</expires>" +
				"<web>https://www.weather.example.uk/warnings?date={today}|all</web><area><areaDesc>Highlands &amp; Islands</areaDesc>" + pair("geocode", "NUTS3", "UKM61") + "</area></info>"},
			odd: []Rule{OddOffset, OddURI, OddGeocode},
		},
		"a tsunami centre, across the date line": {
			alert: "<identifier>PAAQ-1-a1b2c3</identifier><sender>ntwc@tsunami.example</sender><sent>2026-11-22T01:02:03-00:00</sent><status>Actual</status><msgType>Alert</msgType><source>WEAK53</source><scope>Public</scope><code>IPAWSv1.0</code>",
			infos: []string{"<info><category>Geo</category><event>Tsunami Watch</event><urgency>Expected</urgency><severity>Unknown</severity><certainty>Unlikely</certainty><expires>2026-11-22T02:02:03-00:00</expires>" +
				pair("parameter", "EventLatLon", "51.0,-179.5 0.000") + "<area><areaDesc>Aleutians</areaDesc><polygon>51,179 51,-179 52,-179 52,179 51,179</polygon><polygon>-60.0,-180 -61,-180.0 -61,+175 -60,-180.000</polygon>" +
				"<circle>51.0,-179.5 0</circle></area></info>"},
		},
		"a civil defence of South Asia, in its script": {
			alert: "<identifier>1700000000000_21</identifier><sender>State-Authority</sender><sent>2026-11-22T09:30:00+05:30</sent><status>Actual</status><msgType>Alert</msgType><source>Authority</source><scope>Public</scope>",
			infos: []string{"<info><language>hi</language><category>Met</category><event>गरज</event><urgency>Immediate</urgency><severity>Severe</severity><certainty>Likely</certainty><effective>2026-11-22T09:30:00+05:30</effective>" +
				"<expires>2026-11-22T12:30:00+05:30</expires><headline>बिजली</headline><instruction></instruction><area><areaDesc>3 ज़िले</areaDesc>" + ring + ring + "</area></info>"},
			odd: []Rule{OddEmpty},
		},
	}
}

// TestProfiles: alerts in the shape of other agencies' profiles are taken, with a word on what is
// odd; written again they say the same; the schema takes them too.
func TestProfiles(t *testing.T) {
	dir := t.TempDir()
	var files []string
	for name, p := range profiles() {
		doc := p.document()
		a, remarks, err := Parse(doc)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := rulesOf(remarks); !slices.Equal(got, sorted(p.odd)) {
			t.Errorf("%s: odd in %v, not %v", name, got, p.odd)
		}
		if len(a.Infos) != len(p.infos) {
			t.Errorf("%s: %d infos", name, len(a.Infos))
		}
		again, err := a.Marshal()
		if err != nil {
			t.Errorf("%s: written again: %v", name, err)
			continue
		}
		back, _, err := Parse(again)
		if diff := unlike(a, back); err != nil || diff != "" {
			t.Errorf("%s: %v %s", name, err, diff)
		}
		files = append(files, filepath.Join(dir, fmt.Sprintf("%d.xml", len(files))))
		write(t, files[len(files)-1], doc)
	}
	for f, valid := range xmllint(t, files...) {
		if !valid {
			t.Errorf("xmllint refuses\n%s", read1(t, f))
		}
	}
}
