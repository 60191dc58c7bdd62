// Command sizes lists the Go files that have more than 450 lines and the functions that have more
// than 60, of files below a folder whose names it reads from the standard input, a line each. Last,
// it prints how long functions are, except in tests:
//
//	git ls-files '*.go' | sizes .
//
// The lines of a function are those from its name to its closing brace. A composite literal at the
// top level is not a function.
package main

import (
	"bufio"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const (
	mostOfFile     = 450
	mostOfFunction = 60
)

func main() {
	var lengths []int
	found := false
	names := bufio.NewScanner(os.Stdin)
	for names.Scan() {
		name := names.Text()
		long, of, err := measure(os.Args[1], name)
		if err != nil {
			fmt.Fprintln(os.Stderr, "sizes:", err)
			os.Exit(1)
		}
		for _, what := range long {
			fmt.Println(what)
			found = true
		}
		if !strings.HasSuffix(name, "_test.go") {
			lengths = append(lengths, of...)
		}
	}
	if len(lengths) > 0 {
		slices.Sort(lengths)
		fmt.Printf("%d functions: half have at most %d lines, nine of ten at most %d, the longest %d\n",
			len(lengths), lengths[len(lengths)/2], lengths[len(lengths)*9/10], lengths[len(lengths)-1])
	}
	if found {
		os.Exit(1)
	}
}

// measure returns a line for each file or function that is too long, and the lengths of the
// functions.
func measure(folder, name string) (long []string, lengths []int, err error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, filepath.Join(folder, name), nil, parser.SkipObjectResolution)
	if err != nil {
		return nil, nil, err
	}
	line := func(at token.Pos) int { return files.Position(at).Line }
	if lines := line(file.FileEnd) - 1; lines > mostOfFile {
		long = append(long, fmt.Sprintf("%s: the file has %d lines, and may have %d", name, lines, mostOfFile))
	}
	for _, decl := range file.Decls {
		f, is := decl.(*ast.FuncDecl)
		if !is || f.Body == nil {
			continue
		}
		first, n := line(f.Pos()), line(f.End())-line(f.Pos())+1
		lengths = append(lengths, n)
		if n > mostOfFunction && !strings.HasSuffix(name, "_test.go") {
			long = append(long, fmt.Sprintf("%s:%d: the function %s has %d lines, and may have %d", name,
				first, f.Name.Name, n, mostOfFunction))
		}
	}
	return long, lengths, nil
}
