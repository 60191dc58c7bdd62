// Command columns lists the lines of code that are longer than 120 columns and the comments that
// are longer than 100, in Go files below a folder, whose names it reads from the standard input, a
// line each:
//
//	git ls-files '*.go' | columns .
//
// A tab is 4 columns. The texts of string literals do not count, so that messages stay in one piece
// and can be searched for, and neither do the lines of a literal of several. In comments, code,
// which begins with a tab, and the items of lists do not count.
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"go/scanner"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

const (
	mostOfCode    = 120
	mostOfComment = 100
	tab           = 4
)

func main() {
	found := false
	names := bufio.NewScanner(os.Stdin)
	for names.Scan() {
		name := names.Text()
		source, err := os.ReadFile(filepath.Join(os.Args[1], name))
		if err != nil {
			fmt.Fprintln(os.Stderr, "columns:", err)
			os.Exit(1)
		}
		for _, line := range longComments(source) {
			fmt.Printf("%s:%d: the comment is longer than %d columns\n", name, line, mostOfComment)
			found = true
		}
		for _, line := range longCode(source) {
			fmt.Printf("%s:%d: the code is longer than %d columns without its texts\n", name, line, mostOfCode)
			found = true
		}
	}
	if found {
		os.Exit(1)
	}
}

// longComments returns the numbers of the lines of a file that are comments and too long.
func longComments(source []byte) (long []int) {
	for i, line := range strings.Split(string(source), "\n") {
		text, isComment := strings.CutPrefix(strings.TrimLeft(line, "\t"), "// ")
		isItem := strings.HasPrefix(strings.TrimSpace(text), "- ")
		if isComment && !isItem && utf8.RuneCountInString(line) > mostOfComment {
			long = append(long, i+1)
		}
	}
	return long
}

// longCode returns the numbers of the lines of a file that are code and too long. A comment behind
// code is part of its line.
func longCode(source []byte) (long []int) {
	skipped, texts := read(source)
	for i, line := range bytes.Split(source, []byte("\n")) {
		if !skipped[i+1] && width(line)-texts[i+1] > mostOfCode {
			long = append(long, i+1)
		}
	}
	return long
}

// read returns the lines that are comments or within a string literal of several lines, and how
// many columns the texts of the other string literals take in each line.
func read(source []byte) (skipped map[int]bool, texts map[int]int) {
	skipped, texts = map[int]bool{}, map[int]int{}
	file := token.NewFileSet().AddFile("", -1, len(source))
	var s scanner.Scanner
	s.Init(file, source, nil, scanner.ScanComments)
	last := 0 // the line where the token before ends
	for {
		at, kind, text := s.Scan()
		if kind == token.EOF {
			return skipped, texts
		}
		first := file.Line(at)
		end := first + strings.Count(text, "\n")
		if kind == token.SEMICOLON {
			continue // it may be the end of the line itself
		}
		switch {
		case kind == token.COMMENT && first > last, kind == token.STRING && end > first:
			for line := first; line <= end; line++ {
				skipped[line] = true
			}
		case kind == token.STRING:
			texts[first] += utf8.RuneCountInString(text) - len(`""`)
		}
		last = end
	}
}

func width(line []byte) int {
	return utf8.RuneCount(line) + bytes.Count(line, []byte("\t"))*(tab-1)
}
