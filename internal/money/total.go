package money

import "math/big"

// Period is how often a price is paid.
type Period string

// The periods.
const (
	PeriodMonth Period = "month"
	PeriodYear  Period = "year"
)

// months is the number of months in a year.
const months = 12

// Total is a sum of amounts per month. The zero Total is 0.
type Total struct{ n big.Int } // twelfths of Amounts

// Add adds the cost per month of so many seats with a price.
func (t *Total) Add(price Amount, each Period, seats int) {
	var cost, count big.Int
	cost.SetInt64(int64(price))
	if each == PeriodMonth {
		cost.Mul(&cost, big.NewInt(months))
	}
	t.n.Add(&t.n, cost.Mul(&cost, count.SetInt64(int64(seats))))
}

// AddTotal adds another total.
func (t *Total) AddTotal(other *Total) { t.n.Add(&t.n, &other.n) }

// String returns the total, rounded to four digits after the point: a half is rounded up.
func (t *Total) String() string {
	var twice, quotient big.Int
	twice.Lsh(&t.n, 1)
	twice.Add(&twice, big.NewInt(months))
	quotient.Div(&twice, big.NewInt(2*months))
	return decimal(quotient.String())
}

// PerMonth returns what a seat with a price costs per month.
func PerMonth(price Amount, each Period) *Total {
	t := new(Total)
	t.Add(price, each, 1)
	return t
}
