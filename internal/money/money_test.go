package money

import (
	"fmt"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

func TestAmounts(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"0": "0.00", "12": "12.00", "12.5": "12.50", "12.50": "12.50", "0.0001": "0.0001", "007.1000": "7.10",
		"1000000000": "1000000000.00", "12.1230000": "12.123",
		"": "", ".5": "", "5.": "", "-1": "", "1e3": "", "1,5": "", "0.00001": "", "1000000000.0001": "", " 1": "", "99999999999999999999": "",
	} {
		got, err := ParseAmount(text)
		if (err == nil) != (want != "") || err == nil && got.String() != want {
			t.Errorf("%q is %s, %v; want %q", text, got, err, want)
		}
	}
}

// A sum is that of fractions, rounded once.
func TestTotalsAreExact(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		total, want := new(Total), new(big.Rat)
		for range rapid.IntRange(0, 20).Draw(t, "prices") {
			price := Amount(rapid.Int64Range(0, int64(MaxAmount)).Draw(t, "price"))
			each := rapid.SampledFrom([]Period{PeriodMonth, PeriodYear}).Draw(t, "each")
			seats := rapid.IntRange(0, 1<<31).Draw(t, "seats")
			total.Add(price, each, seats)
			cost := new(big.Rat).SetFrac64(int64(price), int64(Unit))
			if each == PeriodYear {
				cost.Quo(cost, big.NewRat(12, 1))
			}
			want.Add(want, cost.Mul(cost, big.NewRat(int64(seats), 1)))
		}
		got, ok := new(big.Rat).SetString(total.String())
		if !ok || got.FloatString(4) != want.FloatString(4) {
			t.Fatalf("the total is %s, want %s", total, want.FloatString(4))
		}
	})
}

func TestATwelfthIsRounded(t *testing.T) {
	t.Parallel()
	for yearly, want := range map[string]string{"100": "8.3333", "0.0006": "0.0001", "0.0005": "0.00", "120": "10.00"} {
		price, err := ParseAmount(yearly)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(PerMonth(price, PeriodYear)); got != want {
			t.Errorf("a twelfth of %s is %s, want %s", yearly, got, want)
		}
	}
}

func TestCurrencies(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]bool{
		"EUR": true, "ZWG": true, "AED": true, "eur": false, "EURO": false, "": false,
		"D A": false, "XXX": false, "DEM": false,
	} {
		if IsCurrency(code) != want {
			t.Errorf("IsCurrency(%q) is %t", code, !want)
		}
	}
}
