// Package scenarios carries the worlds in text that the program ships.
//
// In: nothing at run time. Out: the files, by name. It never runs one.
package scenarios

import "embed"

// Files are the scenarios, one a file.
//
//go:embed *.txt demo/*.txt
var Files embed.FS
