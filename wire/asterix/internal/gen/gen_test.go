package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The tables in the repository are what the specifications say.
func TestTablesAreCurrent(t *testing.T) {
	root := os.Getenv("TOCSIN_SHARED")
	if root == "" {
		root = filepath.Join("..", "..", "..", "..", "..", "shared")
	}
	specs := filepath.Join(root, "fixtures", "asterix-specs")
	if _, err := os.Stat(specs); err != nil {
		t.Skip("fixture absent: asterix-specs")
	}
	files, err := tables(specs)
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join("..", "..", "tables")
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != len(files) {
		t.Errorf("%d table files, the specifications give %d", len(entries), len(files))
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Error(err)
			continue
		}
		if string(got) != want {
			t.Errorf("%s is not current: go run ./wire/asterix/internal/gen -specs %s", name, specs)
		}
	}
}

const specification = `asterix 099 "Made up"
edition 1.0
date 2026-01-01
preamble
    Words.

items

    010 "Source"
        definition
            element 8 is not read here
        group
            SAC ""
                element 8
                    raw
            M ""
                element 1
                    table
                        0: Off
                        1: On
            V ""
                element 7
                    case 010/M
                        0:
                            signed quantity 1/2 "NM" <= -8 >= 8
                        default:
                            raw
    020 "Extended"
        extended
            A ""
                element 6
                    unsigned integer <= 40
            spare 1
            -
    RE "Expansion"
        explicit re

uap
    010
    -
    020
    RE
`

func TestEmitSaysItOnce(t *testing.T) {
	one, err := parse(specification)
	if err != nil {
		t.Fatal(err)
	}
	two, err := parse(strings.NewReplacer("edition 1.0", "edition 1.10", "<= 40", "<= 41").Replace(specification))
	if err != nil {
		t.Fatal(err)
	}
	got, err := emit("099", []*document{one, two})
	if err != nil {
		t.Fatal(err)
	}
	want := `category 099
editions 1.0 1.10
table 1
 0 Off
 1 On
item 010 * group( SAC:8:raw M:1:m1 V:7:case|M|0=s*1/2:NM:<=-8,>=8|=raw )
item 020 1.0 ext( A:6:u::<=40 .1 - )
item 020 1.10 ext( A:6:u::<=41 .1 - )
item RE * re
uap only * 010 - 020 RE
`
	if _, body, _ := strings.Cut(got, "NOTICE).\n"); body != want {
		t.Errorf("got\n%s\nwant\n%s", body, want)
	}
}

func TestLimitsTheWrongWayRound(t *testing.T) {
	for _, c := range []struct {
		in, want string
		signed   bool
	}{
		{"<= -90 >= 90", ">=-90,<=90", true}, {">= -90 <= 90", ">=-90,<=90", true},
		{">= 360", "<=360", false}, {"< 360", "<360", false},
	} {
		k := &content{kind: "quantity", lsb: "360/2^16", signed: c.signed, limits: limits(c.in)}
		k.mend(16)
		if got := strings.Join(k.limits, ","); got != c.want {
			t.Errorf("%s: %s, want %s", c.in, got, c.want)
		}
	}
}

func TestSpecificationsNotUnderstoodAreRefused(t *testing.T) {
	for name, change := range map[string][2]string{
		"section":   {"uap\n", "upa\n"},
		"structure": {"        extended", "        stretched"},
		"content":   {"raw\n            M", "cooked\n            M"},
		"number":    {"unsigned integer <= 40", "unsigned integer about 40"},
		"meaning":   {"1: On", "one: On"},
		"case":      {"case 010/M", "case 020/A"},
		"bits":      {"element 6", "element six"},
		"title":     {`020 "Extended"`, `020 Extended`},
		"edition":   {"edition 1.0\n", ""},
	} {
		if _, err := parse(strings.Replace(specification, change[0], change[1], 1)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if !older("1.9", "1.10") || older("2.0", "1.10") {
		t.Error("editions out of order")
	}
}
