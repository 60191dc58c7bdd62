// Package spec_test checks that the rules of this folder and the code agree on their numbers.
package spec_test

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// folder is where the rules are, seen from the root of the repository.
const folder = "docs/spec/"

// pages are the pages of rules by the letter of their numbers. The letters of pages that are yet
// to come are named too, so that no one can cite them.
var pages = map[string]string{
	"L": "licensing.md", "P": "protocol.md", "A": "auth.md",
	"D": "dynamic-membership.md", "U": "audit.md", "C": "changes.md",
}

// withoutCode are the rules of licensing, of dynamic membership and of the audit log that no code
// is behind yet, and why.
var withoutCode = map[string]string{
	"D8": "licenses of members are not checked",
}

// place is a line of a file.
type place struct {
	file string
	line int
}

func (p place) String() string { return fmt.Sprintf("%s:%d", p.file, p.line) }

func TestRulesAndCodeAgree(t *testing.T) {
	t.Parallel()
	for _, wrong := range problems(t, os.DirFS("../..")) {
		t.Error(wrong)
	}
}

// TestWhatIsWrongIsFound shows each mistake to the check, and what must be said of it.
func TestWhatIsWrongIsFound(t *testing.T) {
	t.Parallel()
	const rules = "- **L1** (chosen) One.\n- **L2** (documented) Two.\n"
	const code = "// Package licensing has the rules of docs/spec/licensing.md.\npackage licensing\n\n// one is L1.\nfunc one() {}\n\n// two is L2.\nfunc two() {}\n"
	const tests = "package licensing\n\nfunc TestL1L2Are(t *testing.T) {}\n"
	for name, c := range map[string]struct{ rules, code, tests, want string }{
		"nothing":           {rules, code, tests, ""},
		"no such rule":      {rules, code + "\n// Of L3.\n", tests, "licensing/a.go:10: cites L3, which docs/spec/licensing.md does not have"},
		"no such page":      {rules, code + "\n// Of D5.\n", tests, "licensing/a.go:10: cites D5, but there is no docs/spec/dynamic-membership.md"},
		"another page":      {rules, code + "\n// Of docs/spec/auth.md L1.\n", tests, "licensing/a.go:10: cites docs/spec/auth.md L1, but the page of L1 is docs/spec/licensing.md"},
		"old page":          {rules, code + "\n// Of spec/licensing.md L1.\n", tests, "licensing/a.go:10: cites spec/licensing.md L1, but the page of L1 is docs/spec/licensing.md"},
		"page not named":    {rules, "package licensing // L1, L2\n", tests, "licensing/a.go:1: cites L1, but neither the comment nor the doc of the package names docs/spec/licensing.md"},
		"rule twice":        {rules + "- **L2** (chosen) Again.\n", code, tests, "docs/spec/licensing.md:3: L2 is there already, at docs/spec/licensing.md:2"},
		"rule without mark": {"- **L1** One.\n- **L2** (chosen) Two.\n", code, tests, "docs/spec/licensing.md:1: L1 does not begin with its source: (documented), (observed) or (chosen)"},
		"rule without test": {rules, code, "package licensing\n\nfunc TestL1(t *testing.T) {}\n", "docs/spec/licensing.md:2: no test is named TestL2…"},
		"only other code":   {rules, strings.Replace(code, "L2", "two", 1), tests, "docs/spec/licensing.md:2: the code of L2 does not cite it"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := problems(t, fstest.MapFS{
				"docs/spec/licensing.md": {Data: []byte(c.rules)},
				"licensing/a.go":         {Data: []byte(c.code)},
				"licensing/a_test.go":    {Data: []byte(c.tests)},
				"licensing/model/b.go":   {Data: []byte("// Package model is docs/spec/licensing.md L1 and L2 again.\npackage model\n")},
			})
			if text := strings.Join(got, "\n"); !strings.HasPrefix(text, c.want) || (text == "") != (c.want == "") {
				t.Errorf("found\n%s\nnot\n%s", text, c.want)
			}
		})
	}
}

// problems are the mistakes in a repository, each with its file and line.
func problems(t *testing.T, repository fs.FS) []string {
	t.Helper()
	r := readRules(t, repository)
	c := readCode(t, repository)
	return slices.Concat(r.wrong, r.wrongCitations(c.citations), r.lackingTests(c.tests), r.lackingCode(c.citations))
}

// rules are the rules of all pages.
type rules struct {
	at    map[string]place // by number
	pages map[string]bool  // file names
	wrong []string
}

var (
	ruleLine = regexp.MustCompile(`^- \*\*([A-Z][0-9]+)\*\*`)
	marked   = regexp.MustCompile(`^- \*\*[A-Z][0-9]+\*\* \((documented|observed|chosen)\)`)
)

func readRules(t *testing.T, repository fs.FS) rules {
	t.Helper()
	r := rules{at: map[string]place{}, pages: map[string]bool{}}
	for _, page := range slices.Sorted(maps.Values(pages)) {
		text, err := fs.ReadFile(repository, folder+page)
		if err != nil {
			continue
		}
		r.pages[page] = true
		for i, line := range strings.Split(string(text), "\n") {
			if m := ruleLine.FindStringSubmatch(line); m != nil {
				r.add(m[1], place{folder + page, i + 1}, marked.MatchString(line))
			}
		}
	}
	if len(r.at) == 0 {
		t.Fatal("no rules are found")
	}
	return r
}

func (r *rules) add(number string, at place, marked bool) {
	if before, ok := r.at[number]; ok {
		r.wrong = append(r.wrong, fmt.Sprintf("%s: %s is there already, at %s", at, number, before))
	}
	if !marked {
		r.wrong = append(r.wrong, fmt.Sprintf("%s: %s does not begin with its source: (documented), (observed) or (chosen)", at, number))
	}
	r.at[number] = at
}

// wrongCitations are the citations that lead nowhere.
func (r *rules) wrongCitations(citations []citation) (wrong []string) {
	for _, c := range citations {
		page := pages[c.number[:1]]
		_, exists := r.at[c.number]
		switch {
		case c.page != "" && c.page != folder+page:
			wrong = append(wrong, fmt.Sprintf("%s: cites %s %s, but the page of %s is %s%s", c.at, c.page, c.number, c.number, folder, page))
		case !r.pages[page]:
			wrong = append(wrong, fmt.Sprintf("%s: cites %s, but there is no %s%s", c.at, c.number, folder, page))
		case !exists:
			wrong = append(wrong, fmt.Sprintf("%s: cites %s, which %s%s does not have", c.at, c.number, folder, page))
		case !c.placed:
			wrong = append(wrong, fmt.Sprintf("%s: cites %s, but neither the comment nor the doc of the package names %s%s", c.at, c.number, folder, page))
		}
	}
	return wrong
}

// lackingTests are the rules with code that have no test of their name.
func (r *rules) lackingTests(tests map[string]bool) (wrong []string) {
	for _, number := range r.tested() {
		if !tests[number] && withoutCode[number] == "" {
			wrong = append(wrong, fmt.Sprintf("%s: no test is named Test%s…", r.at[number], number))
		}
	}
	return wrong
}

// lackingCode are the rules that the program's code does not cite. Tests do not count,
// nor does package model, which is for tests.
func (r *rules) lackingCode(citations []citation) (wrong []string) {
	cited := map[string]bool{}
	for _, c := range citations {
		if strings.HasSuffix(c.at.file, ".go") && !strings.HasSuffix(c.at.file, "_test.go") &&
			path.Base(path.Dir(c.at.file)) != "model" {
			cited[c.number] = true
		}
	}
	for _, number := range r.tested() {
		switch why := withoutCode[number]; {
		case why == "" && !cited[number]:
			wrong = append(wrong, fmt.Sprintf("%s: the code of %s does not cite it", r.at[number], number))
		case why != "" && cited[number]:
			wrong = append(wrong, fmt.Sprintf("%s: code cites %s, so withoutCode must not say that %s", r.at[number], number, why))
		}
	}
	return wrong
}

// tested are the numbers of the rules that must have tests: those of licensing, of dynamic
// membership and of the audit log, in their order.
func (r *rules) tested() []string {
	numbers := slices.Collect(maps.Keys(r.at))
	numbers = slices.DeleteFunc(numbers, func(number string) bool { return !strings.Contains("LDU", number[:1]) })
	slices.SortFunc(numbers, func(a, b string) int {
		return cmp.Or(cmp.Compare(r.at[a].file, r.at[b].file), cmp.Compare(r.at[a].line, r.at[b].line))
	})
	return numbers
}

// citation is a place where a rule is named.
type citation struct {
	at     place
	page   string // the path of the page before the number, if there is one
	number string
	placed bool // the comment, or the doc of its package, says of which page the number is
}

// code is what the files of a repository say of rules.
type code struct {
	citations []citation
	tests     map[string]bool // numbers in names of tests
	docs      map[string]string
}

// readCode reads comments and names of tests in all Go files, and the first lines of all scenarios.
func readCode(t *testing.T, repository fs.FS) *code {
	t.Helper()
	c := &code{tests: map[string]bool{}, docs: map[string]string{}}
	err := fs.WalkDir(repository, ".", func(file string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && slices.Contains([]string{".git", "node_modules", "bin"}, entry.Name()):
			return fs.SkipDir
		case path.Ext(file) == ".go" && path.Dir(file)+"/" != folder:
			return c.readGo(repository, file)
		case path.Ext(file) == ".txtar":
			text, err := fs.ReadFile(repository, file)
			title, _, _ := strings.Cut(string(text), "\n--")
			c.cite(place{file, 1}, title, true)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, one := range c.citations {
		dir := path.Dir(one.at.file)
		c.citations[i].placed = one.placed || strings.Contains(c.docs[dir], folder+pages[one.number[:1]])
	}
	return c
}

// testName is the name of a test, with the numbers of the rules that it shows.
var testName = regexp.MustCompile(`^Test((?:[LDU][0-9]+)+)`)

var number = regexp.MustCompile(`[A-Z][0-9]+`)

func (c *code) readGo(repository fs.FS, file string) error {
	text, err := fs.ReadFile(repository, file)
	if err != nil {
		return err
	}
	files := token.NewFileSet()
	tree, err := parser.ParseFile(files, file, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	c.docs[path.Dir(file)] += tree.Doc.Text()
	for _, group := range tree.Comments {
		at := place{file, files.Position(group.Pos()).Line}
		var lines []string
		for _, comment := range group.List {
			lines = append(lines, comment.Text)
		}
		c.cite(at, strings.Join(lines, "\n"), false)
	}
	for _, declared := range tree.Decls {
		if f, ok := declared.(*ast.FuncDecl); ok && strings.HasSuffix(file, "_test.go") {
			for _, n := range number.FindAllString(strings.Join(testName.FindStringSubmatch(f.Name.Name), ""), -1) {
				c.tests[n] = true
			}
		}
	}
	return nil
}

// cited finds the numbers in a text, and the pages before them.
var cited = regexp.MustCompile(`(?:((?:docs/)?(?:spec|graph)/[a-z-]+\.md)\s+(?:// )?)?\b([LPADU][0-9]+)\b`)

// cite notes the rules that a text names. Lines are counted from where the text begins. Plans such
// as Microsoft Entra ID P1 are not rules.
func (c *code) cite(at place, text string, placed bool) {
	for _, m := range cited.FindAllStringSubmatchIndex(text, -1) {
		if strings.HasSuffix(text[:m[0]], "Entra ID ") {
			continue
		}
		one := citation{at: at, number: text[m[4]:m[5]]}
		one.at.line += strings.Count(text[:m[4]], "\n")
		if m[2] >= 0 {
			one.page = text[m[2]:m[3]]
		}
		one.placed = placed || strings.Contains(text, folder+pages[one.number[:1]])
		c.citations = append(c.citations, one)
	}
}
