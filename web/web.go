// Package web carries the citizens' page inside the program.
//
// In: nothing at run time; the files built from web/public, if they were built before
// the program was. Out: a file tree with index.html at its root, the content security
// policy that page is written for, and the page's words in every language. It serves
// nothing itself, fills in no placeholder and knows no warning.
package web

import (
	"embed"
	"io/fs"
	"strings"
)

// Index is the page's file name in Files.
const Index = "index.html"

// The texts in Index that the gateway replaces, each of which stands there exactly once.
// LanguageMark is the start of the document, which says its language. ConfigMark is the
// body of the page's JSON element (docs/contract.md, "Its configuration"); what replaces
// it must not contain "<", so JSON writes it as \u003c. ActiveMark stands where HTML is
// wanted: the warned zones in words, for readers without script. What replaces either is the gateway's to escape.
const (
	LanguageMark = `<html lang="en" dir="ltr">`
	ConfigMark   = "<!--tocsin:config-->"
	ActiveMark   = "<!--tocsin:active-->"
)

//go:embed placeholder
var placeholder embed.FS

// The folder is kept in the repository by an empty file, so that the program builds
// from a clean clone without Node.
//
//go:embed all:public/dist
var dist embed.FS

//go:embed public/csp.txt
var policy string

// Built reports whether the front end was built before the program was.
func Built() bool {
	_, err := fs.Stat(dist, "public/dist/"+Index)
	return err == nil
}

// Files is the built front end, or else a plain page without script that shows the
// warned zones as the gateway writes them. Files under assets/ carry a hash of their
// content in their name and never change.
func Files() fs.FS {
	if Built() {
		return sub(dist, "public/dist")
	}
	return sub(placeholder, "placeholder")
}

// Policy is the value of the Content-Security-Policy header the page is written for: no
// inline script or style, no other origin, nothing evaluated.
func Policy() string {
	return strings.Join(strings.Fields(policy), " ")
}

// sub cannot fail: both folders are embedded, or the program would not have compiled.
func sub(tree fs.FS, dir string) fs.FS {
	inner, err := fs.Sub(tree, dir)
	if err != nil {
		panic("web: " + dir + ": " + err.Error())
	}
	return inner
}
