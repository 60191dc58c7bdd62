// Command sizes lists the Go files that have more than 450 lines, the functions that have more than
// 60 and the packages that have more than 10,500, of files below a folder whose names it reads from
// the standard input, a line each. Last, it prints how long functions and packages are:
//
//	git ls-files '*.go' | sizes .
//
// The lines of a function are those from its name to its closing brace. A composite literal at the
// top level is not a function. Functions and packages are measured without tests.
package main

import (
	"bufio"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

const (
	mostOfFile     = 450
	mostOfFunction = 60
	mostOfPackage  = 10_500
)

// sizes are the lines of what was measured.
type sizes struct {
	long      []string // a line for each file, function or package that is too long
	functions []int
	packages  map[string]int
}

func main() {
	s := sizes{packages: map[string]int{}}
	names := bufio.NewScanner(os.Stdin)
	for names.Scan() {
		if err := s.measure(os.Args[1], names.Text()); err != nil {
			fmt.Fprintln(os.Stderr, "sizes:", err)
			os.Exit(1)
		}
	}
	largest := s.largest()
	for _, what := range s.long {
		fmt.Println(what)
	}
	if f := s.functions; len(f) > 0 {
		slices.Sort(f)
		fmt.Printf("%d functions: half have at most %d lines, nine of ten at most %d, the longest %d; "+
			"the largest package has %d\n", len(f), f[len(f)/2], f[len(f)*9/10], f[len(f)-1], largest)
	}
	if len(s.long) > 0 {
		os.Exit(1)
	}
}

// measure measures a file.
func (s *sizes) measure(folder, name string) error {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, filepath.Join(folder, name), nil, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	line := func(at token.Pos) int { return files.Position(at).Line }
	lines, test := line(file.FileEnd)-1, strings.HasSuffix(name, "_test.go")
	if lines > mostOfFile {
		s.long = append(s.long, fmt.Sprintf("%s: the file has %d lines, and may have %d", name, lines, mostOfFile))
	}
	if test {
		return nil
	}
	s.packages[path.Dir(name)] += lines
	for _, decl := range file.Decls {
		f, is := decl.(*ast.FuncDecl)
		if !is || f.Body == nil {
			continue
		}
		first, n := line(f.Pos()), line(f.End())-line(f.Pos())+1
		s.functions = append(s.functions, n)
		if n > mostOfFunction {
			s.long = append(s.long, fmt.Sprintf("%s:%d: the function %s has %d lines, and may have %d", name,
				first, f.Name.Name, n, mostOfFunction))
		}
	}
	return nil
}

// largest returns the lines of the largest package, after it has listed the packages that are too
// large.
func (s *sizes) largest() (most int) {
	for _, name := range slices.Sorted(maps.Keys(s.packages)) {
		n := s.packages[name]
		if most = max(most, n); n > mostOfPackage {
			s.long = append(s.long, fmt.Sprintf("%s: the package has %d lines, and may have %d",
				name, n, mostOfPackage))
		}
	}
	return most
}
