package scorecard

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"tocsin/core/warning"
	"tocsin/zones"
)

// ran is one short raid under some policies.
func ran(t *testing.T, policies ...Policy) *Report {
	t.Helper()
	set, err := zones.Open("il")
	if err != nil {
		t.Fatal(err)
	}
	r, err := Run(context.Background(), Job{Country: "il", Zones: set, From: 9, To: 9, Policies: policies})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestRun: a policy rehearsed beside the core decides as it does within; the figures are
// the same each time, whoever is rehearsed beside; an eager policy costs more; the report
// says all of it.
func TestRun(t *testing.T) {
	shipped := warning.DefaultPolicy()
	eager := shipped
	for i := range eager.Rules {
		eager.Rules[i][1].Probability /= 4
		eager.Rules[i][0].Probability /= 4
	}
	a := ran(t, Policy{"shipped", shipped}, Policy{"shipped again", shipped}, Policy{"eager", eager})
	first, second, third := a.Policies[0], a.Policies[1], a.Policies[2]
	second.Name, second.Burden.Of = first.Name, first.Burden.Of
	if !reflect.DeepEqual(first, second) {
		t.Errorf("the same policy, within the core and beside it:\n%+v\n%+v", first, second)
	}
	if third.Burden.All <= first.Burden.All {
		t.Errorf("an eager policy costs %.0f person-minutes, the shipped one %.0f", third.Burden.All, first.Burden.All)
	}
	if first.Reached.Events == 0 || first.Life.Shelters == 0 || a.Forecast.Leads[0].Cases == 0 || len(a.Goals) < 10 {
		t.Errorf("nothing was measured: %+v", a)
	}
	b := ran(t, Policy{"shipped", shipped})
	if !reflect.DeepEqual(a.Forecast, b.Forecast) || !reflect.DeepEqual(a.Policies[0], b.Policies[0]) {
		t.Error("two runs of one seed give other figures")
	}
	if _, err := json.Marshal(a); err != nil {
		t.Error(err)
	}
	table := a.Table()
	for _, want := range []string{"Goals", "Reliability", "eager", "rocket", "middle level"} {
		if !strings.Contains(table, want) {
			t.Errorf("the table has no %q", want)
		}
	}
	judgePage(t, a.HTML())
}

// judgePage: the page needs nothing else, and libxml2 can read it.
func judgePage(t *testing.T, page []byte) {
	t.Helper()
	for _, not := range []string{"<script", "src=", "href=", "url(", "NaN", "%!", "<no value>"} {
		if bytes.Contains(page, []byte(not)) {
			t.Errorf("the page has %q", not)
		}
	}
	if n := bytes.Count(page, []byte("<svg")); n < 6 {
		t.Errorf("the page has %d plots", n)
	}
	lint, err := exec.LookPath("xmllint")
	if err != nil {
		t.Log("not judged by xmllint: it is not installed (make setup)")
		return
	}
	file := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(file, page, 0o644); err != nil {
		t.Fatal(err)
	}
	// libxml2's HTML parser is older than SVG in HTML: its names are the one thing it may not know.
	out, _ := exec.Command(lint, "--html", "--noout", file).CombinedOutput()
	for _, line := range strings.Split(string(out), "\n") {
		if strings.Contains(line, "error") && !strings.Contains(line, " invalid") {
			t.Errorf("xmllint: %s", line)
		}
	}
}

func TestRunRefuses(t *testing.T) {
	set, err := zones.Open("il")
	if err != nil {
		t.Fatal(err)
	}
	p := []Policy{{"shipped", warning.DefaultPolicy()}}
	for name, job := range map[string]Job{
		"seeds backwards": {Country: "il", Zones: set, From: 2, To: 1, Policies: p},
		"too many seeds":  {Country: "il", Zones: set, From: 0, To: MostSeeds, Policies: p},
		"no policy":       {Country: "il", Zones: set, From: 1, To: 1},
		"no zones":        {Country: "il", From: 1, To: 1, Policies: p},
		"no country":      {Country: "xx", Zones: set, From: 1, To: 1, Policies: p},
	} {
		if _, err := Run(context.Background(), job); err == nil {
			t.Errorf("%s: was run", name)
		}
	}
	ctx, stop := context.WithCancel(context.Background())
	stop()
	if _, err := Run(ctx, Job{Country: "il", Zones: set, From: 1, To: 100, Policies: p}); err == nil {
		t.Error("a cancelled run has an answer")
	}
}
