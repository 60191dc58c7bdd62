package money

import (
	"fmt"
	"strconv"
	"strings"
)

// Amount is an amount of money in ten-thousandths of a currency's unit. It is not negative.
type Amount int64

// Unit is the amount of 1, and MaxAmount is the greatest amount.
const (
	Unit      Amount = 10_000
	MaxAmount        = 1_000_000_000 * Unit
	digits           = 4 // after the point
)

// ParseAmount reads a decimal number such as 12, 12.5 or 12.0125.
func ParseAmount(text string) (Amount, error) {
	whole, part, hasPart := strings.Cut(text, ".")
	if !isDigits(whole) || hasPart && !isDigits(part) {
		return 0, fmt.Errorf("it is not a decimal number such as 12.50")
	}
	if len(strings.TrimRight(part, "0")) > digits {
		return 0, fmt.Errorf("it has more than %d digits after the point", digits)
	}
	part = strings.TrimRight(part, "0")
	n, err := strconv.ParseInt(strings.TrimLeft(whole, "0")+part+strings.Repeat("0", digits-len(part)), 10, 64)
	if err != nil || Amount(n) > MaxAmount {
		return 0, fmt.Errorf("it is more than %d", MaxAmount/Unit)
	}
	return Amount(n), nil
}

func isDigits(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == ""
}

// String returns the amount with at least two digits after the point, and no more than it needs.
func (a Amount) String() string { return decimal(strconv.FormatInt(int64(a), 10)) }

// decimal returns a number of ten-thousandths as a decimal number.
func decimal(n string) string {
	sign := ""
	if strings.HasPrefix(n, "-") {
		sign, n = "-", n[1:]
	}
	if len(n) <= digits {
		n = strings.Repeat("0", digits+1-len(n)) + n
	}
	at := len(n) - digits
	part := strings.TrimRight(n[at:], "0")
	return sign + n[:at] + "." + part + strings.Repeat("0", max(0, 2-len(part)))
}
