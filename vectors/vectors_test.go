package vectors_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"tocsin/board"
	"tocsin/core/alert"
	"tocsin/core/warning"
	"tocsin/vectors"
)

// The published file is what its seed makes.
func TestPublishedVectorsAreMadeFromTheirSeed(t *testing.T) {
	published, err := os.ReadFile("v1.json")
	if err != nil {
		t.Fatal(err)
	}
	f, err := vectors.Read(published)
	if err != nil {
		t.Fatal(err)
	}
	made, err := vectors.Make(f.Seed).Encode()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(made, published) {
		t.Errorf("v1.json is not what seed %d makes: run `tocsin vectors --seed %d --out vectors` and read the diff", f.Seed, f.Seed)
	}
	if len(published) > 1<<20 {
		t.Errorf("v1.json has %d bytes, over 1 MiB", len(published))
	}
}

// At least 300 scripts end in a refusal, in every way the contract knows, and no name twice.
func TestVectorsCoverTheContract(t *testing.T) {
	f := vectors.Make(1)
	names, verdicts, negative := map[string]bool{}, map[string]int{}, 0
	for _, s := range f.Scripts {
		if names[s.Name] {
			t.Errorf("%s: twice", s.Name)
		}
		names[s.Name] = true
		refused := false
		for _, step := range s.Steps {
			verdicts[step.Verdict]++
			refused = refused || step.Verdict != "" && !board.Verdict(step.Verdict).Accepted()
		}
		if refused {
			negative++
		}
	}
	if negative < 300 {
		t.Errorf("%d scripts with a refusal, want 300", negative)
	}
	for _, v := range []board.Verdict{
		board.Taken, board.Fetch, board.Old, board.TooLarge, board.Malformed, board.UnknownKey, board.BadSignature, board.KeyNotInForce,
		board.RevokedKey, board.WrongUniverse, board.WrongRegion, board.OutOfJurisdiction, board.Rollback, board.Replay,
	} {
		if verdicts[string(v)] == 0 {
			t.Errorf("no vector for %s", v)
		}
	}
	t.Logf("%d scripts, %d with a refusal; verdicts %v", len(f.Scripts), negative, verdicts)
}

// Another seed has other keys and the same verdicts.
func TestGoClientAgrees(t *testing.T) {
	for _, seed := range []uint64{1, 77} {
		encoded, err := vectors.Make(seed).Encode()
		if err != nil {
			t.Fatal(err)
		}
		f, err := vectors.Read(encoded)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range f.Scripts {
			t.Run(fmt.Sprintf("%d/%s", seed, s.Name), func(t *testing.T) { run(t, f, s) })
		}
	}
}

func run(t *testing.T, f vectors.File, s *vectors.Script) {
	root, err := base64.RawURLEncoding.DecodeString(f.Roots[s.Root])
	if err != nil {
		t.Fatal(err)
	}
	c := board.NewClient(ed25519.PublicKey(root), alert.Universe(s.Universe), s.Regions...)
	for i, step := range s.Steps {
		switch {
		case step.Keys != "":
			line, err := f.Keys[step.Keys].Bytes()
			if err != nil {
				t.Fatal(err)
			}
			if v := c.Keys(line, moment(t, step.Now)); string(v) != step.Verdict {
				t.Fatalf("step %d: key list %s: %s, want %s", i, step.Keys, v, step.Verdict)
			}
		case step.Frame != nil:
			line, err := step.Frame.Bytes()
			if err != nil {
				t.Fatal(err)
			}
			now := moment(t, step.Now)
			before := picture(c, s.Regions, now)
			v := c.Take(line, now)
			if string(v) != step.Verdict {
				t.Fatalf("step %d: %s, want %s", i, v, step.Verdict)
			}
			if !v.Accepted() && picture(c, s.Regions, now) != before {
				t.Fatalf("step %d: refused as %s, and yet something changed", i, v)
			}
			if p, verdict := c.Verify(line, now); verdict == board.Taken {
				apart := p.At.Sub(now).Abs() > board.ClockApart
				if want, _ := step.Clock.(bool); v.Accepted() && apart != want {
					t.Fatalf("step %d: clock %v, want %v", i, apart, want)
				}
			}
		default:
			look(t, c, i, step)
		}
	}
}

func look(t *testing.T, c *board.Client, i int, step vectors.Step) {
	now := moment(t, step.Look)
	if step.State != nil {
		var got []vectors.Zone
		for _, z := range c.State(now) {
			got = append(got, vectors.Zone{
				Region: z.Region, Zone: string(z.Zone), Show: show(z), Stage: z.Item.Stage.String(), Threat: z.Item.Threat.String(),
				Until: z.Item.Until.Format("2006-01-02T15:04:05.000Z"), Alert: string(z.Item.Alert),
			})
		}
		if !slices.Equal(got, *step.State) {
			t.Fatalf("step %d: state\n%v, want\n%v", i, got, *step.State)
		}
	}
	for region, want := range step.Deaf {
		if got := c.Deaf(now, region); got != want {
			t.Fatalf("step %d: %s deaf %v, want %v", i, region, got, want)
		}
	}
	clocks, _ := step.Clock.(map[string]any)
	for region, want := range clocks {
		if got := c.Clock(region); got != want {
			t.Fatalf("step %d: %s clock %v, want %v", i, region, got, want)
		}
	}
	for region, want := range step.Seq {
		got, has := c.Seq(region)
		if !has {
			got = -1
		}
		if got != want {
			t.Fatalf("step %d: %s seq %d, want %d", i, region, got, want)
		}
	}
	for region, want := range step.Picture {
		if got := c.Picture(region); string(got) != want {
			t.Fatalf("step %d: %s picture %s, want %s", i, region, got, want)
		}
	}
}

func show(z board.Zone) string {
	switch z.Show {
	case board.Warned:
		return z.Item.Stage.String()
	case board.Ended:
		return z.Item.End.String()
	}
	return string(z.Show)
}

// picture is everything that can be seen of a client.
func picture(c *board.Client, regions []string, now time.Time) string {
	var b strings.Builder
	fmt.Fprint(&b, c.State(now), warning.Quiet)
	for _, r := range regions {
		seq, has := c.Seq(r)
		fmt.Fprint(&b, r, seq, has, c.Picture(r), c.Set(r), c.Clock(r), c.Deaf(now, r), c.Deaf(now.Add(25*time.Second), r))
	}
	return b.String()
}

func moment(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse("2006-01-02T15:04:05.000Z", s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}
