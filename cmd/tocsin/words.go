package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"regexp"
	"strings"
)

// plain is an error in words for the operator. The rooms name place, act and cause; what the
// libraries below them say of files, networks and syntax is put into words here, so that
// every command says it alike.
func plain(err error) string {
	text := err.Error()
	walk(err, func(e error) {
		var from, to string
		switch x := e.(type) {
		case *fs.PathError:
			from, to = x.Error(), shownName(x.Path)+": "+trouble(x.Err)
		case *os.LinkError:
			from, to = x.Error(), shownName(x.New)+": "+trouble(x.Err)
		case *url.Error:
			from, to = x.Error(), x.URL+": "+trouble(x.Err)
		case *net.OpError:
			from, to = x.Error(), listening(x)
		case *json.SyntaxError:
			from, to = x.Error(), fmt.Sprintf("it is not JSON: the fault is at byte %d", x.Offset)
		case *json.UnmarshalTypeError:
			from, to = x.Error(), fmt.Sprintf("%q holds a %s where something else belongs (byte %d)", x.Field, x.Value, x.Offset)
		default:
			return
		}
		text = strings.ReplaceAll(text, from, to)
	})
	return reworded(text)
}

// reworded is a text in which the words of libraries are ours.
func reworded(text string) string {
	for _, w := range wordings {
		text = w.from.ReplaceAllString(text, w.to)
	}
	return text
}

// listening is what is wrong with an address that was to be listened at, or called.
func listening(x *net.OpError) string {
	if x.Op != "listen" {
		return trouble(x)
	}
	at := ""
	if x.Addr != nil {
		at = x.Addr.String() + ": "
	}
	return at + trouble(x)
}

// walk visits an error and all that it wraps, the outermost first.
func walk(err error, visit func(error)) {
	if err == nil {
		return
	}
	visit(err)
	switch x := err.(type) {
	case interface{ Unwrap() error }:
		walk(x.Unwrap(), visit)
	case interface{ Unwrap() []error }:
		for _, e := range x.Unwrap() {
			walk(e, visit)
		}
	}
}

// wording turns a library's words into ours, where it gives no type to tell them by.
type wording struct {
	from *regexp.Regexp
	to   string
}

func word(from, to string) wording { return wording{regexp.MustCompile(from), to} }

var wordings = []wording{
	// YAML (go.yaml.in/yaml): "yaml: unmarshal errors:\n  line 3: ..."
	word(`(^|: )yaml: unmarshal errors:\s*`, `$1`),
	word(`\n\s*line (\d+):`, `; line $1:`),
	word(`field (\S+) not found in type [\w.*]+`, `there is no key "$1" here; look at its spelling and how far it is indented`),
	word(`field (\S+) already set in type [\w.*]+`, `the key "$1" stands twice`),
	word(`mapping key "([^"]*)" already defined at line (\d+)`, `the key "$1" stands twice; first in line $2`),
	word("cannot unmarshal !!\\S+ `([^`]*)` into (?:u?int|float)\\d*", "\"$1\" stands where a number belongs"),
	word("cannot unmarshal !!\\S+ `([^`]*)` into bool", "\"$1\" stands where true or false belongs"),
	word("cannot unmarshal !!\\S+ `([^`]*)` into string", "\"$1\" stands where text belongs"),
	word("cannot unmarshal !!\\S+ `([^`]*)` into time\\.Duration", "\"$1\" is no length of time such as 90s or 10m"),
	word("cannot unmarshal !!\\S+ `([^`]*)` into time\\.Time", "\"$1\" is no time such as 2026-11-22T12:00:00Z"),
	word("cannot unmarshal !!\\S+ `([^`]*)` into \\[[\\w.*\\[\\]]+", "\"$1\" stands where a list belongs"),
	word("cannot unmarshal !!\\S+ `([^`]*)` into [\\w.*\\[\\]]+", "\"$1\" stands where keys and values belong"),
	word(`cannot unmarshal !!map into (?:string|u?int\d*|float\d+|bool)`, `keys and values stand where one value belongs`),
	word(`cannot unmarshal !!seq into (?:string|u?int\d*|float\d+|bool)`, `a list stands where one value belongs`),
	word(`cannot unmarshal !!map into \[[\w.*\[\]]+`, `keys and values stand where a list belongs`),
	word(`cannot unmarshal !!(?:seq|map) into [\w.*\[\]]+`, `a list stands where keys and values belong, or the other way round`),
	word(`(^|: )yaml: (line \d+: )?did not find expected .*`, `${1}${2}it is not YAML: the indentation or a bracket before this line is wrong`),
	word(`(^|: )yaml: (line \d+: )?mapping values are not allowed in this context`, `${1}${2}it is not YAML: a second colon, or wrong indentation`),
	word(`(^|: )yaml: (line \d+: )?found character that cannot start any token`, `${1}${2}it is not YAML: a tab in the indentation, or a character that begins nothing`),
	word(`(^|: )yaml: control characters are not allowed`, `${1}it is not a text file`),
	word(`(^|: )yaml: (?:invalid|incomplete) .*`, `${1}it is not a text file in UTF-8`),
	word(`(^|: )yaml: (line \d+: )?found a tab character.*`, `${1}${2}it is not YAML: a tab in the indentation; use spaces`),
	word(`(^|: )yaml: (line \d+: )?`, `${1}${2}it is not YAML: `),
	// JSON, numbers, times, archives and ends of files.
	word(`json: unknown field ("[^"]*")`, `there is no key $1 here; look at its spelling`),
	word(`unexpected end of JSON input`, `it ends too early`),
	word(`invalid character '(.*)' (?:looking|after|in) .*`, `"$1" stands where it cannot`),
	word(`strconv\.\w+: parsing ("(?:[^"\\]|\\.)*"): value out of range`, `$1 is too large a number`),
	word(`strconv\.\w+: parsing ("(?:[^"\\]|\\.)*"): invalid syntax`, `$1 is not a number`),
	word(`gzip: invalid (?:header|checksum)|flate: corrupt input before offset \d+`, `it is no gzip file, or a damaged one`),
	word(`parse error on line (\d+), column (\d+): .*`, `line $1, column $2: it is not a table with commas: a quote is out of place`),
	word(`record on line (\d+): wrong number of fields`, `line $1: it has more or fewer columns than the first line`),
	word(`unknown time zone (\S+)`, `there is no time zone "$1"; a name looks like Europe/Kyiv`),
	word(`(^|: )(?:unexpected )?EOF$`, `${1}it is empty or ends too early`),
	// Places of rooms that mean nothing to who reads them.
	word(`(^|: )(?:sim: scenario|node: configuration|node|tracking|build): `, `$1`),
	word(`context canceled`, `interrupted`),
	word(`context deadline exceeded`, `no answer came in time`),
	// The command line (kong).
	word(`expected an? (?:valid )?\d+ bit u?int but got (.*)$`, `$1 is not a whole number that it can take`),
	word(`bool value must be .* but got "([^"]*)"`, `"$1" is neither true nor false`),
	word(`expected duration but got "([^"]*)".*`, `"$1" is no length of time such as 90s or 10m`),
	word(`: unexpected argument (\S+)$`, `: "$1" is one argument too many`),
	word(`^unexpected argument (\S+)`, `"$1" is no command and no argument that belongs here`),
	word(`: expected .*but got "EOL".*`, `: the value after it is missing`),
	word(`: expected "<([^>"]+)>.*`, `: something is missing: <$1>`),
	word(`^expected "<([^>"]+)>.*"$`, `something is missing: <$1>`),
	word(`^expected one of (.*)$`, `which command? One of: $1`),
	word(`missing flags: (.*)$`, `something is missing: $1`),
	word(`unknown flag (--?[^\s,]+)`, `there is no flag $1 here`),
}
