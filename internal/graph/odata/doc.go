// Package odata parses the query options of a Graph URL into trees. It only knows the grammar: no
// HTTP, no SQL, and not which properties exist. Other packages give a filter its meaning for users
// or groups.
//
// Parse parses the raw query of a URL and returns Options. It parses the supported part of the
// grammar: $select and $orderby become lists of paths, $filter and $search become trees, $expand a
// list, $top and $skip numbers, $count a boolean. An unknown option that starts with a dollar sign
// is an error. Other parameters are ignored, except known names without the dollar sign, which
// Graph accepts, too.
//
// A $filter is parsed by a lexer and a recursive descent parser for Graph's part of OData's
// grammar:
//
//	or         = and *( "or" and )
//	and        = unary *( "and" unary )
//	unary      = "not" unary / comparison
//	comparison = operand [ ( "eq" / "ne" / "lt" / "le" / "gt" / "ge" ) operand / "in" "(" literal *( "," literal ) ")" ]
//	operand    = "(" or ")" / function "(" operand "," operand ")" / path / literal
//	path       = name *( "/" name ) [ "/$count" / "/" ( "any" / "all" ) "(" [ name ":" or ] ")" ]
//
// Every node of the tree has its position in the text, so that errors can name the column, as does
// every *SyntaxError of this package. Depth, length and the number of terms are limited: no filter
// takes more than a fraction of a millisecond and a little memory.
//
// Rules are cited from docs/spec/protocol.md (P).
package odata
