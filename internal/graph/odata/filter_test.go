package odata

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"
)

func TestFilterIsReadAsItsPlainestForm(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, want string }{
		{`displayName eq 'Ann'`, `displayName eq 'Ann'`},
		{`displayName eq 'O''Hara'`, `displayName eq 'O''Hara'`},
		{`displayName eq ''`, `displayName eq ''`},
		{` displayName  eq	'Ann' `, `displayName eq 'Ann'`},
		{`displayName ne null`, `displayName ne null`},
		{`accountEnabled eq true`, `accountEnabled eq true`},
		{`accountEnabled`, `accountEnabled`},
		{`'Ann' eq displayName`, `'Ann' eq displayName`},
		{`startsWith(displayName,'A')`, `startswith(displayName,'A')`},
		{`STARTSWITH( displayName , 'A' )`, `startswith(displayName,'A')`},
		{`endsWith(mail,'@a.b') eq true`, `endswith(mail,'@a.b') eq true`},
		{`contains(displayName,'x')`, `contains(displayName,'x')`},
		{`a eq 1 and b eq 2 or c eq 3`, `(a eq 1 and b eq 2) or c eq 3`},
		{`a eq 1 or b eq 2 and c eq 3`, `a eq 1 or (b eq 2 and c eq 3)`},
		{`(a eq 1 or b eq 2) and c eq 3`, `(a eq 1 or b eq 2) and c eq 3`},
		{`a eq 1 or (b eq 2 or c eq 3)`, `a eq 1 or b eq 2 or c eq 3`},
		{`not a eq 1 and b eq 2`, `(not (a eq 1)) and b eq 2`},
		{`NOT(groupTypes/any(c:c eq 'Unified'))`, `not groupTypes/any(c:c eq 'Unified')`},
		{`A EQ True AND NOT b NE NULL Or c IN ( 'X' , 'Y' )`, `(A eq true and (not (b ne null))) or c in ('X','Y')`},
		{`a Lt 1 and a LE 1 and a gT 1 and a GE FALSE`, `a lt 1 and a le 1 and a gt 1 and a ge false`},
		{`( groupTypes/Any( C : C EQ 'Unified' ) )`, `groupTypes/any(C:C eq 'Unified')`},
		{`licenses/$COUNT eq 0 and x/ALL(y:y eq 1)`, `licenses/$count eq 0 and x/all(y:y eq 1)`},
		{`at ge 2026-01-31t12:00:00z`, `at ge 2026-01-31T12:00:00Z`},
		{`not not a`, `not (not a)`},
		{`id in ('a', 'b')`, `id in ('a','b')`},
		{`skuId eq 6fd2c87f-b296-42f0-b197-1e91e994b900`, `skuId eq 6fd2c87f-b296-42f0-b197-1e91e994b900`},
		{`skuId eq B05E124F-c7cc-45a0-a6aa-8cf78c946968`, `skuId eq b05e124f-c7cc-45a0-a6aa-8cf78c946968`},
		{`id eq '6fd2c87f-b296-42f0-b197-1e91e994b900'`, `id eq '6fd2c87f-b296-42f0-b197-1e91e994b900'`},
		{`createdDateTime ge 2026-01-31T12:00:00Z`, `createdDateTime ge 2026-01-31T12:00:00Z`},
		{`createdDateTime ge 2026-01-31t12:00:00.5+02:00`, `createdDateTime ge 2026-01-31T10:00:00.5Z`},
		{`createdDateTime lt 2026-01-31`, `createdDateTime lt 2026-01-31`},
		{`a eq -5 and b gt 1.50`, `a eq -5 and b gt 1.5`},
		{`t eq microsoft.graph.groupType'unified'`, `t eq microsoft.graph.groupType'unified'`},
		{`assignedLicenses/$count eq 0`, `assignedLicenses/$count eq 0`},
		{`assignedLicenses/any()`, `assignedLicenses/any()`},
		{`assignedLicenses/any(x:x/skuId eq a)`, `assignedLicenses/any(x:x/skuId eq a)`},
		{`a/all(x:x/b/any(y:y eq x/c or y eq 'd'))`, `a/all(x:x/b/any(y:y eq x/c or y eq 'd'))`},
		{`microsoft.graph.user/displayName eq 'a'`, `microsoft.graph.user/displayName eq 'a'`},
		{`(a eq 1) eq false`, `(a eq 1) eq false`},
		{`eq eq 'eq'`, `eq eq 'eq'`},
	} {
		f, err := ParseFilter(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if got := f.String(); got != c.want {
			t.Errorf("%s: read as %s, want %s", c.text, got, c.want)
		}
	}
}

func TestFilterMistakesAreNamedWithTheirColumn(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text, token string
		column      int
		want        string
	}{
		{``, "", 1, "a property"},
		{`displayName`, "-", 0, ""},
		{`'Ann'`, "'Ann'", 1, "a condition"},
		{`a/$count`, "", 9, "a comparison"},
		{`a/$count and b`, "and", 10, "a comparison"},
		{`a eq`, "", 5, "a property"},
		{`a eqq 1`, "eqq", 3, "'and', 'or' or the end"},
		{`a eq 1 b`, "b", 8, "'and', 'or' or the end"},
		{`a eq 1 and`, "", 11, "a property"},
		{`a eq 1 and 'x'`, "'x'", 12, "a condition"},
		{`'x' or a eq 1`, "'x'", 1, "a condition"},
		{`not 1`, "1", 5, "a condition"},
		{`(a eq 1`, "", 8, "')'"},
		{`a eq 1)`, ")", 7, "the end"},
		{`()`, ")", 2, "a property"},
		{`ä eq 1`, "ä", 1, "a property"},
		{`n eq 'ä' & 1`, "&", 10, "a property"},
		{`n eq 'Ann`, "'Ann", 6, "closing quotation mark"},
		{`n eq 'it's and`, "s", 10, "'and', 'or' or the end"},
		{`n eq 'it's'`, "'", 11, "closing quotation mark"},
		{`tolower(n) eq 'a'`, "tolower", 1, "startsWith"},
		{`startsWith(n)`, ")", 13, "','"},
		{`startsWith(n,'a','b')`, ",", 17, "')'"},
		{`startsWith(n,startsWith(m,'a'))`, "(", 24, "')'"},
		{`id in 'a'`, "'a'", 7, "'('"},
		{`id in ()`, ")", 8, "a value"},
		{`id in (a)`, "a", 8, "a value"},
		{`id in ('a'`, "", 11, "','"},
		{`a/b(x:x)`, "b", 3, "any or all"},
		{`a/any(x eq 1)`, "eq", 9, "':'"},
		{`a/any('x')`, "'x'", 7, "variable"},
		{`a/all()`, ")", 7, "variable"},
		{`a/any(x:1)`, "1", 9, "a condition"},
		{`a/`, "", 3, "a property"},
		{`a/'b'`, "'b'", 3, "a property"},
		{`a eq 2026-13-01`, "2026-13-01", 6, "a date"},
		{`a eq 1.2.3`, "1.2.3", 6, "a number"},
		{`a eq -`, "-", 6, "a number"},
		{`a eq 12ab`, "12ab", 6, "a number"},
		{`a eq 6fd2c87f-b296-42f0-b197-1e91e994b9001`, "6fd2c87f-b296-42f0-b197-1e91e994b9001", 6, "a GUID"},
		{strings.Repeat("(", 40) + "a", "(", 34, "less nesting"},
		{strings.Repeat("not ", 40) + "a", "not", 133, "less nesting"},
		{strings.Repeat("a or ", 1100) + "a", "a", 5001, "2000 words"},
	} {
		_, err := ParseFilter(c.text)
		if c.column == 0 {
			if err != nil {
				t.Errorf("%s: %v", c.text, err)
			}
			continue
		}
		var e *SyntaxError
		if !errors.As(err, &e) {
			t.Errorf("%s: error is %v, want an *SyntaxError", c.text, err)
			continue
		}
		if e.Token != c.token || e.Column != c.column || !strings.Contains(e.Want, c.want) {
			t.Errorf("%s: found %q at %d where %s is wanted; want %q at %d, %s", c.text,
				e.Token, e.Column, e.Want, c.token, c.column, c.want)
		}
	}
}

func TestFilterLongerThanItsBoundIsRefused(t *testing.T) {
	t.Parallel()
	_, err := ParseFilter("a eq '" + strings.Repeat("x", maxLength) + "'")
	if err == nil || !strings.Contains(err.Error(), "16384 bytes") || len(err.Error()) > 400 {
		t.Errorf("error is %v", err)
	}
}

func TestNestedLogicIsReadOnce(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("(", 30) + "a" + strings.Repeat(" and b or c)", 30)
	start := time.Now()
	if _, err := ParseFilter(text); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took > time.Second {
		t.Errorf("took %v", took)
	}
}

func TestColumnCountsCharacters(t *testing.T) {
	t.Parallel()
	f, err := ParseFilter(`n eq 'ää' or m eq 1`)
	if err != nil {
		t.Fatal(err)
	}
	if got := f.Column(f.Root.(*Logic).Args[1]); got != 16 {
		t.Errorf("column is %d, want 16", got)
	}
}

// TestPrintedFiltersReadTheSame is a property: whatever tree is written, reading it gives that
// tree.
func TestPrintedFiltersReadTheSame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := &Filter{Root: drawCondition(t, 4)}
		got, err := ParseFilter(f.String())
		if err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		if got.String() != f.String() {
			t.Fatalf("%s: read as %s", f, got)
		}
		forget(got.Root)
		if !reflect.DeepEqual(got.Root, f.Root) {
			t.Fatalf("%s: the trees differ", f)
		}
	})
}

func drawCondition(t *rapid.T, depth int) Node {
	kinds := 3
	if depth > 0 {
		kinds = 7
	}
	switch rapid.IntRange(0, kinds).Draw(t, "kind") {
	case 0:
		return &Compare{Op: rapid.SampledFrom(comparisons).Draw(t, "operator"), Left: drawPath(t, true), Right: drawLiteral(t)}
	case 1:
		return &In{Left: drawPath(t, false), Values: rapid.SliceOfN(rapid.Custom(drawLiteral), 1, 3).Draw(t, "values")}
	case 2:
		return &Call{Name: rapid.SampledFrom(functions).Draw(t, "function"), Args: [2]Node{drawPath(t, false), drawLiteral(t)}}
	case 3:
		return drawPath(t, false)
	case 4:
		return &Not{Arg: drawCondition(t, depth-1)}
	case 5:
		return &Lambda{
			Path: drawPath(t, false), All: rapid.Bool().Draw(t, "all"), Variable: "x",
			Body: drawCondition(t, depth-1),
		}
	case 6:
		return &Lambda{Path: drawPath(t, false)}
	}
	return drawLogic(t, depth)
}

func drawLogic(t *rapid.T, depth int) Node {
	op := rapid.SampledFrom([]Operator{OpAnd, OpOr}).Draw(t, "logic")
	var args []Node
	for range rapid.IntRange(2, 4).Draw(t, "arguments") {
		args = flatten(op, args, drawCondition(t, depth-1))
	}
	return &Logic{Op: op, Args: args}
}

func drawPath(t *rapid.T, mayCount bool) *Path {
	names := rapid.SliceOfN(rapid.StringMatching(`[a-z_][A-Za-z0-9_]{4,8}`).Filter(func(s string) bool { return s != "false" }), 1, 3)
	return &Path{Names: names.Draw(t, "names"), Count: mayCount && rapid.Bool().Draw(t, "count")}
}

func drawLiteral(t *rapid.T) *Literal {
	return &Literal{Value: rapid.OneOf(
		rapid.Just[any](nil), rapid.Just[any](true), rapid.Just[any](false),
		rapid.Int64().AsAny(), rapid.String().AsAny(),
		rapid.Float64Range(-1e15, 1e15).Filter(func(v float64) bool { return v != 0 }).AsAny(),
		rapid.Custom(func(t *rapid.T) uuid.UUID {
			return uuid.UUID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "guid"))
		}).AsAny(),
		rapid.Custom(func(t *rapid.T) time.Time {
			return time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "second"), 0).UTC()
		}).AsAny(),
		rapid.Just[any](Date("2024-02-29")), rapid.Just[any](Enum{"graph.kind", "it's"}),
	).Draw(t, "value")}
}

// forget sets the places of all nodes to 0, those of trees that were never text.
func forget(n Node) {
	switch n := n.(type) {
	case *Logic:
		n.at = 0
		forgetAll(n.Args...)
	case *Not:
		n.at = 0
		forget(n.Arg)
	case *Compare:
		n.at = 0
		forgetAll(n.Left, n.Right)
	case *In:
		n.at = 0
		forget(n.Left)
		for _, v := range n.Values {
			v.at = 0
		}
	case *Call:
		n.at = 0
		forgetAll(n.Args[:]...)
	case *Lambda:
		n.at, n.Path.at = 0, 0
		if n.Body != nil {
			forget(n.Body)
		}
	case *Path:
		n.at = 0
	case *Literal:
		n.at = 0
	}
}

func forgetAll(nodes ...Node) {
	for _, n := range nodes {
		forget(n)
	}
}

func FuzzFilter(f *testing.F) {
	for _, seed := range []string{
		`displayName eq 'Ann'`, `a/any(x:x/skuId eq 6fd2c87f-b296-42f0-b197-1e91e994b900 and x/b ne null)`,
		`not (startsWith(a,'b') or c in (1,-2.5))`,
		`a/$count ge 2026-01-31T12:00:00Z`, `t eq microsoft.graph.t'x'`, `((`, `'`, `a eq 'ä'''`, "a eq '\x80'",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		first, err := ParseFilter(text)
		if err != nil {
			var e *SyntaxError
			if !errors.As(err, &e) || e.Error() == "" {
				t.Fatalf("error is %v", err)
			}
			return
		}
		printed := first.String()
		second, err := ParseFilter(printed)
		if err != nil {
			if strings.Contains(err.Error(), "a filter has at most") { // parentheses were added
				return
			}
			t.Fatalf("%q was read and printed as %q: %v", text, printed, err)
		}
		if second.String() != printed {
			t.Fatalf("%q: printed as %q, then as %q", text, printed, second)
		}
	})
}
