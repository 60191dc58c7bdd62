package odata

import (
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Filter is a parsed $filter.
type Filter struct {
	Text string
	Root Node
}

// Column returns the position of a node of the filter, in characters, the first is 1: for a
// comparison that of its operator, otherwise that of its start.
func (f *Filter) Column(n Node) int { return column(f.Text, n.offset()) }

// String formats the filter in its canonical form; parsing that gives the same tree.
func (f *Filter) String() string {
	var b strings.Builder
	f.Root.write(&b)
	return b.String()
}

// Node is a node of a filter's tree: *Logic, *Not, *Compare, *In, *Call, *Lambda, *Path or
// *Literal.
type Node interface {
	offset() int // in bytes from the start of the text
	write(b *strings.Builder)
}

// at is the position of a node in the text.
type at int

func (a at) offset() int { return int(a) }

// Logic joins two or more conditions; none of Args is a Logic of the same operator.
type Logic struct {
	at
	Op   Operator // OpAnd or OpOr
	Args []Node
}

// Not is true if Arg is not.
type Not struct {
	at
	Arg Node
}

// Compare compares two operands.
type Compare struct {
	at
	Op          Operator // OpEq … OpGe
	Left, Right Node
}

// In is true if Left equals one of Values.
type In struct {
	at
	Left   Node
	Values []*Literal
}

// Call is a function of text: startswith, endswith or contains, in lower case.
type Call struct {
	at
	Name string
	Args [2]Node
}

// Lambda is a condition on the elements of a collection. Body is nil for any(), which is true if
// there are elements.
type Lambda struct {
	at
	Path     *Path
	All      bool
	Variable string
	Body     Node
}

// Path names a property: displayName, a/b, x/skuId with the variable of a lambda in front, or
// assignedLicenses/$count.
type Path struct {
	at
	Names []string
	Count bool
}

// String returns the path as in a filter.
func (p *Path) String() string {
	text := strings.Join(p.Names, "/")
	if p.Count {
		text += "/$count"
	}
	return text
}

// Literal is a value. The type of Value says which: nil, bool, int64, float64, string, uuid.UUID
// (written bare; a quoted one is a string), time.Time (UTC), Date or Enum.
type Literal struct {
	at
	Value any
}

// String returns the literal as in a filter.
func (l *Literal) String() string {
	var b strings.Builder
	l.write(&b)
	return b.String()
}

// Date is a day without a time, as text: 2026-01-31.
type Date string

// Enum is a value with its type: microsoft.graph.groupType'unified'.
type Enum struct{ Type, Value string }

// Operator is how a filter joins or compares.
type Operator uint8

// The operators, in the order of names.
const (
	OpAnd Operator = iota + 1
	OpOr
	OpEq
	OpNe
	OpLt
	OpLe
	OpGt
	OpGe
)

var operatorNames = [...]string{OpAnd: "and", OpOr: "or", OpEq: "eq", OpNe: "ne", OpLt: "lt", OpLe: "le", OpGt: "gt", OpGe: "ge"}

// String returns the operator as in a filter.
func (o Operator) String() string { return operatorNames[o] }

func (n *Logic) write(b *strings.Builder) {
	for i, arg := range n.Args {
		if i > 0 {
			b.WriteString(" " + n.Op.String() + " ")
		}
		switch arg.(type) {
		case *Compare, *In:
			arg.write(b)
		default:
			writeOperand(b, arg)
		}
	}
}

func (n *Not) write(b *strings.Builder) {
	b.WriteString("not ")
	writeOperand(b, n.Arg)
}

func (n *Compare) write(b *strings.Builder) {
	writeOperand(b, n.Left)
	b.WriteString(" " + n.Op.String() + " ")
	writeOperand(b, n.Right)
}

func (n *In) write(b *strings.Builder) {
	writeOperand(b, n.Left)
	b.WriteString(" in (")
	for i, value := range n.Values {
		if i > 0 {
			b.WriteByte(',')
		}
		value.write(b)
	}
	b.WriteByte(')')
}

func (n *Call) write(b *strings.Builder) {
	b.WriteString(n.Name + "(")
	writeOperand(b, n.Args[0])
	b.WriteByte(',')
	writeOperand(b, n.Args[1])
	b.WriteByte(')')
}

func (n *Lambda) write(b *strings.Builder) {
	n.Path.write(b)
	if n.All {
		b.WriteString("/all(")
	} else {
		b.WriteString("/any(")
	}
	if n.Body != nil {
		b.WriteString(n.Variable + ":")
		n.Body.write(b)
	}
	b.WriteByte(')')
}

func (n *Path) write(b *strings.Builder) { b.WriteString(n.String()) }

func (n *Literal) write(b *strings.Builder) {
	switch v := n.Value.(type) {
	case nil:
		b.WriteString("null")
	case bool:
		b.WriteString(strconv.FormatBool(v))
	case int64:
		b.WriteString(strconv.FormatInt(v, 10))
	case float64:
		b.WriteString(formatDecimal(v))
	case string:
		writeQuoted(b, v)
	case uuid.UUID:
		b.WriteString(v.String())
	case time.Time:
		b.WriteString(v.Format(time.RFC3339Nano))
	case Date:
		b.WriteString(string(v))
	case Enum:
		b.WriteString(v.Type)
		writeQuoted(b, v.Value)
	}
}

// formatDecimal always writes a decimal point, so that a whole number stays a decimal when it is
// parsed again.
func formatDecimal(v float64) string {
	text := strconv.FormatFloat(v, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}

func writeQuoted(b *strings.Builder, text string) {
	b.WriteByte('\'')
	b.WriteString(strings.ReplaceAll(text, "'", "''"))
	b.WriteByte('\'')
}

// writeOperand adds parentheses if they are needed to parse the same tree.
func writeOperand(b *strings.Builder, n Node) {
	switch n.(type) {
	case *Logic, *Not, *Compare, *In:
		b.WriteByte('(')
		n.write(b)
		b.WriteByte(')')
	default:
		n.write(b)
	}
}
