// Package money computes with amounts of money exactly. An Amount has up to four digits after the
// decimal point, as a price has. A Total adds what seats cost per month, of which a price per year
// is a twelfth, without rounding: only its text is rounded, once.
package money
