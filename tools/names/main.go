// Command names lists the names that mislead, of Go files below a folder whose names it reads from
// the standard input, a line each:
//
//	git ls-files '*.go' | names .
//
// A declaration must not hide what Go has built in, such as len and any, or a package that its file
// imports; nor package errors, wherever it stands, since nearly every file has it sooner or later.
// Methods and fields are never written alone, so their names may be any. A type with a method Error
// has a name that says which error it is and ends in Error.
package main

import (
	"bufio"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
)

func main() {
	found := false
	names := bufio.NewScanner(os.Stdin)
	for names.Scan() {
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, filepath.Join(os.Args[1], names.Text()), nil, parser.SkipObjectResolution)
		if err != nil {
			fmt.Fprintln(os.Stderr, "names:", err)
			os.Exit(1)
		}
		for _, m := range misleading(file) {
			fmt.Printf("%s:%d: %s\n", names.Text(), files.Position(m.at).Line, m.why)
			found = true
		}
	}
	if found {
		os.Exit(1)
	}
}

// mistake is a name that misleads.
type mistake struct {
	at  token.Pos
	why string
}

// isErrorName reports whether a type's name says what kind of error it is: Error alone does not.
func isErrorName(name string) bool { return strings.HasSuffix(name, "Error") && name != "Error" }

// misleading returns the names of a file that mislead, in the order of the file.
func misleading(file *ast.File) (all []mistake) {
	packages := imported(file)
	check := func(names ...*ast.Ident) {
		for _, name := range names {
			switch {
			case types.Universe.Lookup(name.Name) != nil:
				all = append(all, mistake{
					name.Pos(),
					fmt.Sprintf("%s hides what Go has built in: choose another name", name.Name),
				})
			case packages[name.Name]:
				all = append(all, mistake{
					name.Pos(),
					fmt.Sprintf("%s hides the package %s: choose another name", name.Name, name.Name),
				})
			}
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			if n.Tok == token.DEFINE {
				check(identifiers(n.Lhs...)...)
			}
		case *ast.RangeStmt:
			if n.Tok == token.DEFINE {
				check(identifiers(n.Key, n.Value)...)
			}
		case *ast.ValueSpec:
			check(n.Names...)
		case *ast.TypeSpec:
			check(n.Name)
		case *ast.FuncType:
			for _, list := range []*ast.FieldList{n.TypeParams, n.Params, n.Results} {
				check(fields(list)...)
			}
		case *ast.FuncDecl:
			check(fields(n.Recv)...)
			if n.Recv == nil {
				check(n.Name)
			} else if of := receiver(n); n.Name.Name == "Error" && returnsText(n.Type) && !isErrorName(of) {
				all = append(all, mistake{
					n.Pos(),
					fmt.Sprintf("%s is an error: its name must say which, and end in Error", of),
				})
			}
		}
		return true
	})
	return all
}

var version = regexp.MustCompile(`^v[0-9]+$`)

// imported are the names of the packages that a file imports, and errors.
func imported(file *ast.File) map[string]bool {
	names := map[string]bool{"errors": true}
	for _, i := range file.Imports {
		from := strings.Trim(i.Path.Value, `"`)
		if version.MatchString(path.Base(from)) {
			from = path.Dir(from)
		}
		if name := path.Base(from); i.Name == nil {
			names[name] = true
		} else if i.Name.Name != "_" && i.Name.Name != "." {
			names[i.Name.Name] = true
		}
	}
	return names
}

func identifiers(all ...ast.Expr) (names []*ast.Ident) {
	for _, e := range all {
		if name, is := e.(*ast.Ident); is {
			names = append(names, name)
		}
	}
	return names
}

func fields(list *ast.FieldList) (names []*ast.Ident) {
	if list != nil {
		for _, f := range list.List {
			names = append(names, f.Names...)
		}
	}
	return names
}

// receiver is the name of the type that a method is of.
func receiver(method *ast.FuncDecl) string {
	of := method.Recv.List[0].Type
	if pointer, is := of.(*ast.StarExpr); is {
		of = pointer.X
	}
	if name, is := of.(*ast.Ident); is {
		return name.Name
	}
	return ""
}

func returnsText(f *ast.FuncType) bool {
	if f.Params.NumFields() != 0 || f.Results.NumFields() != 1 {
		return false
	}
	text, is := f.Results.List[0].Type.(*ast.Ident)
	return is && text.Name == "string"
}
