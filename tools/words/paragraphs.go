package main

import (
	"go/scanner"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// quoted matches text that is left out.
var quoted = regexp.MustCompile("`[^`]*`|\"[^\"]*\"|“[^”]*”")

// escapedSpace matches a line feed or tab in a string constant.
var escapedSpace = regexp.MustCompile(`\\[nt]`)

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
		if strings.HasSuffix(name, "_test.go") {
			return ofGo(source)
		}
		return append(ofGo(source), ofStrings(source)...)
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

// ofStrings returns the texts in a Go file: the string constants, except those without a space,
// which are names or data. Constants that are added to each other are one text.
func ofStrings(source []byte) (list []*paragraph) {
	file := token.NewFileSet().AddFile("", -1, len(source))
	var s scanner.Scanner
	s.Init(file, source, nil, 0)
	joins := false // the previous tokens are a string and a plus sign
	var before token.Token
	for {
		at, kind, literal := s.Scan()
		if kind == token.EOF {
			return slices.DeleteFunc(list, func(p *paragraph) bool { return !strings.Contains(p.text, " ") })
		}
		joins = kind == token.ADD && before == token.STRING || kind == token.STRING && joins
		if kind == token.STRING {
			if !joins {
				list = append(list, &paragraph{})
			}
			literal = escapedSpace.ReplaceAllString(literal[1:len(literal)-1], "  ")
			for i, line := range strings.Split(literal, "\n") {
				list[len(list)-1].add(file.Line(at)+i, line)
			}
		}
		before = kind
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
