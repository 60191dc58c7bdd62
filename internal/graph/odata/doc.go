// Package odata reads the query options of a Graph address: text in, trees out. It knows the
// grammar and nothing else: no HTTP, no SQL, and not which properties exist. What a filter means
// for users or groups is decided above.
//
// Parse takes the raw query of an address and returns Options. Of the options the grammar is read
// as far as it is served: $select and $orderby become lists of paths, $filter and $search become
// trees, $expand a list, $top and $skip numbers, $count a truth value. An option that starts with a
// dollar sign and is unknown is a mistake of the caller; one without is none of our business,
// unless it is a known name with the sign left out, which Graph accepts, too.
//
// A $filter is read by a lexer and a recursive descent parser written for Graph's part of OData's
// grammar:
//
//	or         = and *( "or" and )
//	and        = unary *( "and" unary )
//	unary      = "not" unary / comparison
//	comparison = operand [ ( "eq" / "ne" / "lt" / "le" / "gt" / "ge" ) operand / "in" "(" literal *( "," literal ) ")" ]
//	operand    = "(" or ")" / function "(" operand "," operand ")" / path / literal
//	path       = name *( "/" name ) [ "/$count" / "/" ( "any" / "all" ) "(" [ name ":" or ] ")" ]
//
// Every node of the tree knows where in the text it stands, so that whoever refuses a part of it
// can name the column, and every mistake found here is an *Error that does. Depth, length and the
// number of terms are bounded: no filter, whatever its author had in mind, costs more than a
// fraction of a millisecond and a little memory.
//
// Rules are cited from docs/spec/protocol.md (P).
package odata
