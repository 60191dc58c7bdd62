// Command columns lists the lines of code that are longer than 120 columns and the comments that
// are longer than 100, in Go files below a folder, whose names it reads from the standard input, a
// line each:
//
//	git ls-files '*.go' | columns .
//
// A tab is 4 columns. In comments, code, which begins with a tab, and the items of lists do not
// count. In code, the following texts do not count, and everything else does:
//
//   - texts without a space, such as URLs and paths, which cannot be wrapped.
//   - the lines of a literal of several lines, and tags of fields.
//   - all texts in tests, whose tables are read row by row.
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
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
		long, err := longCode(name, source)
		if err != nil {
			fmt.Fprintln(os.Stderr, "columns:", err)
			os.Exit(1)
		}
		for _, line := range long {
			fmt.Printf("%s:%d: the code is longer than %d columns\n", name, line, mostOfCode)
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

// longCode returns the numbers of the lines of a file that are code and too long. A comment after
// code is part of its line.
func longCode(name string, source []byte) (long []int, err error) {
	skipped, texts, err := read(name, source)
	for i, line := range bytes.Split(source, []byte("\n")) {
		isComment := bytes.HasPrefix(bytes.TrimSpace(line), []byte("//"))
		if !isComment && !skipped[i+1] && width(line)-texts[i+1] > mostOfCode {
			long = append(long, i+1)
		}
	}
	return long, err
}

// read returns the lines that do not count, and the width of the texts that do not count in each
// other line.
func read(name string, source []byte) (skipped map[int]bool, texts map[int]int, err error) {
	skipped, texts = map[int]bool{}, map[int]int{}
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, source, 0)
	if err != nil {
		return nil, nil, err
	}
	line := func(at token.Pos) int { return files.Position(at).Line }
	isTest := strings.HasSuffix(name, "_test.go")
	ast.Inspect(file, func(n ast.Node) bool {
		if field, ok := n.(*ast.Field); ok && field.Tag != nil {
			skipped[line(field.Tag.Pos())] = true
		}
		text, ok := n.(*ast.BasicLit)
		if !ok || text.Kind != token.STRING {
			return true
		}
		switch first, last := line(text.Pos()), line(text.End()); {
		case last > first:
			setLines(skipped, first, last)
		case isTest, !strings.Contains(text.Value, " "):
			texts[first] += utf8.RuneCountInString(text.Value) - len(`""`)
		}
		return true
	})
	return skipped, texts, nil
}

// setLines adds the lines from first to last to a set.
func setLines(set map[int]bool, first, last int) {
	for line := first; line <= last; line++ {
		set[line] = true
	}
}

func width(line []byte) int {
	return utf8.RuneCount(line) + bytes.Count(line, []byte("\t"))*(tab-1)
}
