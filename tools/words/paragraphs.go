package main

import (
	"go/scanner"
	"go/token"
	"path/filepath"
	"regexp"
	"strings"
)

// quoted matches text that is left out.
var quoted = regexp.MustCompile("`[^`]*`|\"[^\"]*\"|“[^”]*”")

// blank returns a text of the same length without words.
func blank(text string) string { return strings.Repeat("_", len(text)) }

// paragraph is the text of consecutive lines, which are joined by spaces, so that phrases are found
// across the ends of lines.
type paragraph struct {
	text   string
	starts []int // of the lines in text
	lines  []int // their numbers
}

// add appends a line.
func (p *paragraph) add(number int, text string) {
	if p.text != "" {
		p.text += " "
	}
	p.starts = append(p.starts, len(p.text))
	p.lines = append(p.lines, number)
	p.text += strings.TrimSpace(text)
}

// line returns the number of the line of an offset in the text.
func (p *paragraph) line(offset int) int {
	i := len(p.starts) - 1
	for p.starts[i] > offset {
		i--
	}
	return p.lines[i]
}

// paragraphs returns the text of a file to check.
func paragraphs(name string, source []byte) []*paragraph {
	switch filepath.Ext(name) {
	case ".go":
		return ofGo(source)
	case ".md":
		return ofMarkdown(source)
	}
	return ofComments(source)
}

// ofGo returns the comments of a Go file. Lines that begin with a tab are code.
func ofGo(source []byte) (list []*paragraph) {
	file := token.NewFileSet().AddFile("", -1, len(source))
	var s scanner.Scanner
	s.Init(file, source, nil, scanner.ScanComments)
	last := -1
	for {
		at, kind, text := s.Scan()
		if kind == token.EOF {
			return list
		}
		if kind != token.COMMENT {
			continue
		}
		for i, line := range strings.Split(text, "\n") {
			number := file.Line(at) + i
			line, _ = strings.CutPrefix(strings.TrimPrefix(line, "/*"), "//")
			switch {
			case strings.TrimSpace(line) == "", strings.HasPrefix(line, "\t"), strings.HasPrefix(line, "go:"):
				last = -1
				continue
			case last < 0 || number != last+1:
				list = append(list, &paragraph{})
			}
			list[len(list)-1].add(number, line)
			last = number
		}
	}
}

// ofMarkdown returns the text of a document without its blocks of code.
func ofMarkdown(source []byte) (list []*paragraph) {
	fenced, open := false, false
	for i, line := range strings.Split(string(source), "\n") {
		isFence := strings.HasPrefix(strings.TrimSpace(line), "```")
		fenced = fenced != isFence
		if fenced || isFence || strings.TrimSpace(line) == "" || strings.HasPrefix(line, "    ") {
			open = false
			continue
		}
		if !open {
			list, open = append(list, &paragraph{}), true
		}
		list[len(list)-1].add(i+1, line)
	}
	return list
}

// ofComments returns the comments of a file that begin with #.
func ofComments(source []byte) (list []*paragraph) {
	open := false
	for i, line := range strings.Split(string(source), "\n") {
		_, text, ok := strings.Cut(line, "# ")
		if !ok {
			open = false
			continue
		}
		if !open {
			list, open = append(list, &paragraph{}), true
		}
		list[len(list)-1].add(i+1, text)
	}
	return list
}
