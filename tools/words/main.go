// Command words lists the phrases in comments, texts and documents that have a plainer form in
// technical English, with the form to use instead. It reads the names of files below a folder from
// the standard input, a line each:
//
//	git ls-files '*.go' '*.md' Makefile | words .
//
// In Go files it checks comments and, except in tests, string constants, in other files whose names
// do not end in .md the comments that begin with #, and in Markdown all text. Text in backquotes or
// double quotes and code blocks are left out, so a phrase can be quoted. The phrases are in
// phrases.go.
package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	found := false
	names := bufio.NewScanner(os.Stdin)
	for names.Scan() {
		source, err := os.ReadFile(filepath.Join(os.Args[1], names.Text()))
		if err != nil {
			fmt.Fprintln(os.Stderr, "words:", err)
			os.Exit(1)
		}
		for _, f := range check(names.Text(), source) {
			fmt.Printf("%s:%d: %q: write %s\n", names.Text(), f.line, f.text, f.instead)
			found = true
		}
	}
	if found {
		os.Exit(1)
	}
}

// finding is a phrase in a file.
type finding struct {
	line    int
	text    string
	instead string
}

// check returns the findings in a file, paragraph by paragraph.
func check(name string, source []byte) (findings []finding) {
	for _, p := range paragraphs(name, source) {
		text := quoted.ReplaceAllStringFunc(p.text, blank)
		for _, phrase := range phrases {
			for _, at := range phrase.pattern.FindAllStringIndex(text, -1) {
				match := text[at[0]:at[1]]
				if phrase.except == nil || !phrase.except.MatchString(match) {
					findings = append(findings, finding{p.line(at[0]), match, phrase.instead})
				}
			}
		}
	}
	return findings
}
