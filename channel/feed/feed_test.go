package feed

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"tocsin/channel"
	"tocsin/core/alert"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func alertOf(n int, headline string) alert.Alert {
	return alert.Alert{
		ID: alert.ID(fmt.Sprintf("w1.%d", n)), Sent: noon.Add(time.Duration(n) * time.Second),
		Texts: []alert.Text{{Language: "en", Headline: headline, Description: "D" + headline}},
	}
}

func written(a alert.Alert) ([]byte, error) {
	return []byte("<alert>" + string(a.ID) + "</alert>"), nil
}

func deliver(t *testing.T, f *Feed, all ...alert.Alert) {
	t.Helper()
	for _, a := range all {
		r, err := f.Deliver(t.Context(), a)
		if err != nil || r.State != alert.Broadcast || r.Alert != a.ID {
			t.Fatalf("%+v, %v", r, err)
		}
	}
}

func read(t *testing.T, f *Feed) atomFeed {
	t.Helper()
	var doc atomFeed
	if err := xml.Unmarshal(f.Atom(), &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

// TestFeedIsNewestFirst: however the alerts come, and one that comes twice stands there once.
func TestFeedIsNewestFirst(t *testing.T) {
	f := New(Config{Title: "Tocsin", Sender: "warnings@example", Write: written})
	if doc := read(t, f); len(doc.Entries) != 0 || doc.Updated == "" {
		t.Errorf("empty feed: %+v", doc)
	}
	deliver(t, f, alertOf(3, "c"), alertOf(1, "a"), alertOf(2, "b"), alertOf(2, "b"), alertOf(10, "j"))
	doc := read(t, f)
	var titles []string
	for _, e := range doc.Entries {
		titles = append(titles, e.Title)
	}
	if got := strings.Join(titles, ""); got != "jcba" || doc.Updated != doc.Entries[0].Updated {
		t.Errorf("%s, updated %s", got, doc.Updated)
	}
	if doc.Entries[0].Link.Href != "/v1/cap/w1.10.xml" || doc.Entries[0].Summary != "Dj" {
		t.Errorf("%+v", doc.Entries[0])
	}
}

func TestFeedIsBounded(t *testing.T) {
	f := New(Config{Write: written, Keep: 20, Listed: 5})
	for i := range 100 {
		deliver(t, f, alertOf(i, "x"))
	}
	if doc := read(t, f); len(doc.Entries) != 5 || len(f.entries) != 20 || len(f.byID) != 20 {
		t.Errorf("%d listed, %d and %d kept", len(doc.Entries), len(f.entries), len(f.byID))
	}
	if _, ok := f.Document("w1.79"); ok {
		t.Error("an old document is still there")
	}
	if b, ok := f.Document("w1.80"); !ok || string(b) != "<alert>w1.80</alert>" {
		t.Errorf("%s", b)
	}
}

// TestWhatCannotBeWrittenIsFinal: a retry would write the same.
func TestWhatCannotBeWrittenIsFinal(t *testing.T) {
	f := New(Config{Write: func(alert.Alert) ([]byte, error) { return nil, errors.New("no area") }})
	if _, err := f.Deliver(t.Context(), alertOf(1, "x")); !errors.Is(err, channel.ErrFinal) || !strings.Contains(err.Error(), "w1.1") {
		t.Error(err)
	}
}

// TestFeedIsXMLWhateverTheWords: judged by encoding/xml, and by xmllint where it is.
func TestFeedIsXMLWhateverTheWords(t *testing.T) {
	hostile := "]]></title><script>alert(1)</script>&amp;&#0;\x00\x1b\xff\u202e\" onload='x'"
	f := New(Config{Title: hostile, Sender: "a\"<@b", Write: written})
	deliver(t, f, alertOf(1, hostile))
	doc := read(t, f)
	if bytes.Contains(f.Atom(), []byte("<script")) || !strings.HasPrefix(doc.Entries[0].Title, "]]></title><script>") {
		t.Errorf("%s", f.Atom())
	}
	lint, err := exec.LookPath("xmllint")
	if err != nil {
		t.Skip("xmllint is not installed: encoding/xml alone has judged")
	}
	cmd := exec.CommandContext(t.Context(), lint, "--noout", "--nonet", "-")
	cmd.Stdin = bytes.NewReader(f.Atom())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
