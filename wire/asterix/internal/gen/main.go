// Command gen turns the item definitions of asterix-specs (.ast files) into the
// compact tables that package asterix embeds.
//
// In: a folder of .ast files. Out: one text file a category, with what several
// editions share written once. It takes only what a codec needs (names, sizes,
// encodings, units, limits, meanings); prose stays behind.
//
//	go run ./wire/asterix/internal/gen -specs ../shared/fixtures/asterix-specs
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sort"
)

func main() {
	specs := flag.String("specs", "../shared/fixtures/asterix-specs", "folder of .ast files")
	out := flag.String("out", filepath.Join("wire", "asterix", "tables"), "folder for the tables")
	flag.Parse()
	if err := run(*specs, *out); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(specs, out string) error {
	files, err := tables(specs)
	if err != nil {
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(out, name), []byte(text), 0o644); err != nil {
			return fmt.Errorf("gen: write table: %w", err)
		}
	}
	return nil
}

// tables reads every .ast file of a folder and answers with the text of each table
// file by its name.
func tables(specs string) (map[string]string, error) {
	paths, err := filepath.Glob(filepath.Join(specs, "*.ast"))
	if err != nil {
		return nil, fmt.Errorf("gen: list %s: %w", specs, err)
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("gen: no .ast files in %s", specs)
	}
	byCategory := map[string][]*document{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("gen: read specification: %w", err)
		}
		doc, err := parse(string(text))
		if err != nil {
			return nil, fmt.Errorf("gen: %s: %w", filepath.Base(path), err)
		}
		byCategory[doc.category] = append(byCategory[doc.category], doc)
	}
	files := map[string]string{}
	for category, docs := range byCategory {
		sort.Slice(docs, func(i, j int) bool { return older(docs[i].edition, docs[j].edition) })
		text, err := emit(category, docs)
		if err != nil {
			return nil, fmt.Errorf("gen: category %s: %w", category, err)
		}
		files["cat"+category+".txt"] = text
	}
	return files, nil
}

// older compares editions by number, so that 1.9 comes before 1.10.
func older(a, b string) bool {
	var a1, a2, b1, b2 int
	fmt.Sscanf(a, "%d.%d", &a1, &a2)
	fmt.Sscanf(b, "%d.%d", &b1, &b2)
	if a1 != b1 {
		return a1 < b1
	}
	return a2 < b2
}
