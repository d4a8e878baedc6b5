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
	word(`^unexpected argument (\S+), did you mean (.*)\?$`, `"$1" is no command here; did you mean $2?`),
	word(`^unexpected argument (\S+)`, `"$1" is no command and no argument that belongs here`),
	word(`: expected .*but got "EOL".*`, `: the value after it is missing`),
	word(`: expected "<([^>"]+)>.*`, `: something is missing: <$1>`),
	word(`^expected "<([^>"]+)>.*"$`, `something is missing: <$1>`),
	word(`^expected one of (.*)$`, `which command? One of: $1`),
	word(`missing flags: (.*)$`, `something is missing: $1`),
	word(`unknown flag (--?[^\s,]+)`, `there is no flag $1 here`),
}
