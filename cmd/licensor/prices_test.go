package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

func TestPricesAreImportedAndListed(t *testing.T) {
	t.Parallel()
	data := newContent(t)
	file := newFile(t, "prices.csv", "\ufeffskuPartNumber;amount;currency;period;validFrom\r\n"+
		"ENTERPRISEPACK;21.90;EUR;month;2026-01-01\r\nenterprisepack;240;eur;Year;2027-01-01\r\n")
	if code, out, stderr := call(t, rootCommand(), "prices", "import", "--yes", "--data", data, file); code != exitDone ||
		!strings.Contains(out, "2 prices were imported") {
		t.Fatalf("%d %s %s", code, out, stderr)
	}
	code, out, stderr := call(t, rootCommand(), "prices", "--data", data)
	if code != exitDone || !strings.Contains(out, "ENTERPRISEPACK  2026-01-01   21.90  EUR       month  "+e3) ||
		!strings.Contains(out, "ENTERPRISEPACK  2027-01-01  240.00  EUR       year   "+e3) {
		t.Errorf("%d %s %s", code, out, stderr)
	}
	folder := exported(t, data)
	if got := read(t, filepath.Join(folder, "prices.jsonl")); strings.Count(got, `{"price":{"skuId":"`+e3+`"`) != 2 {
		t.Errorf("the export has %s", got)
	}
	empty := exported(t, newDatabase(t)) // most of its tables
	files, err := filepath.Glob(filepath.Join(empty, "*.jsonl"))
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	args := append([]string{"import", "--exact", "--data", data}, files...)
	if code, _, stderr := call(t, rootCommand(), args...); code != exitPartial || strings.Contains(stderr, "empty") {
		t.Errorf("tables without rows cannot be imported: %d %s", code, stderr) // the administrator exists already
	}
	for text, want := range map[string]string{
		"": "no line that names the columns", "sku,amount\n": `the column "sku" is unknown`,
		"skuPartNumber,amount,currency,period,validFrom\nNOTHING,1,EUR,month,2026-01-01\n":             "line 2",
		"skuId,amount,currency,period,validFrom\n" + e3 + ",1,EURO,month,2026-01-01\n":                 "ISO 4217",
		"skuId,amount,currency,period,validFrom\n" + e3 + `,"1,5",EUR,month,2026-01-01` + "\n":         "decimal number",
		"skuId,amount,currency,period,validFrom\n" + e3 + ",1,EUR,month,01.01.2026\n":                  "2026-01-31",
		"skuId,amount,currency,period,validFrom\n" + strings.Repeat(e3+",1,EUR,month,2026-01-01\n", 2): "two prices",
	} {
		code, _, stderr := call(t, rootCommand(), "prices", "import", "--yes", "--data", data, newFile(t, "wrong.csv", text))
		if code == exitDone || !strings.Contains(stderr, want) {
			t.Errorf("%q ends with %d: %s; want %q", text, code, stderr, want)
		}
	}
	if _, again, _ := call(t, rootCommand(), "prices", "--data", data); again != out {
		t.Errorf("the prices are then %s", again)
	}
}

// An import of prices says what it changes, and makes no change without a confirmation.
func TestImportsOfPricesAskFirst(t *testing.T) {
	t.Parallel()
	data := newDatabase(t)
	take := func(wantCode int, want, rows string, args ...string) {
		t.Helper()
		file := newFile(t, "prices.csv", "skuId,amount,currency,period,validFrom\n"+rows)
		args = append([]string{"prices", "import", "--data", data, file}, args...)
		code, out, stderr := call(t, rootCommand(), args...)
		if code != wantCode || out != want || code != exitDone && !strings.Contains(stderr, "add --yes") {
			t.Errorf("%v: %d\n%s%s\nwant %d\n%s", args, code, out, stderr, wantCode, want)
		}
	}
	first := e3 + ",21.9,eur,Month,2026-01-01\n" + e3 + ",22,EUR,month,2027-01-01\n"
	news := "Prices: 2 new, 0 changed, 0 removed, 0 unchanged\n" +
		"  new      ENTERPRISEPACK from 2026-01-01: 21.90 EUR per month\n" +
		"  new      ENTERPRISEPACK from 2027-01-01: 22.00 EUR per month\n"
	take(exitUsage, news, first)
	if _, out, _ := call(t, rootCommand(), "prices", "--data", data); out != "No product has a price.\n" {
		t.Errorf("without a confirmation, the prices are %s", out)
	}
	take(exitDone, news+"2 prices were imported\n", first, "--yes")
	take(exitDone, "Prices: 0 new, 0 changed, 0 removed, 2 unchanged\n2 prices were imported\n", first)
	second := strings.ToUpper(e3) + ",23,EUR,month,2026-01-01\n"
	for year := range 7 {
		second += fmt.Sprintf("%s,25,EUR,year,203%d-01-01\n", e3, year)
	}
	changed := "Prices: 7 new, 1 changed, 1 removed, 0 unchanged\n"
	for year := range 5 {
		changed += fmt.Sprintf("  new      ENTERPRISEPACK from 203%d-01-01: 25.00 EUR per year\n", year)
	}
	changed += "  and 2 more\n" +
		"  changed  ENTERPRISEPACK from 2026-01-01: 21.90 EUR per month, then 23.00 EUR per month\n" +
		"  removed  ENTERPRISEPACK from 2027-01-01: 22.00 EUR per month\n"
	take(exitUsage, changed, second)
	take(exitDone, changed+"8 prices were imported\n", second, "--yes")
	code, out, stderr := call(t, rootCommand(), "log", "--author", "licensor (command line)", "--data", data)
	if code != exitDone || strings.Count(out, "  licensor (command line)  ") < 2 {
		t.Errorf("the log does not name the author: %d, %s%s", code, out, stderr)
	}
}
