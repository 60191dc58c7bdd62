package main

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestPricesAreImportedAndListed(t *testing.T) {
	t.Parallel()
	data := newContent(t)
	file := newFile(t, "prices.csv", "\ufeffskuPartNumber;amount;currency;period;validFrom\r\n"+
		"ENTERPRISEPACK;21.90;EUR;month;2026-01-01\r\nenterprisepack;240;eur;Year;2027-01-01\r\n")
	if code, out, stderr := call(t, rootCommand(), "prices", "import", "--data", data, file); code != exitDone ||
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
		code, _, stderr := call(t, rootCommand(), "prices", "import", "--data", data, newFile(t, "wrong.csv", text))
		if code == exitDone || !strings.Contains(stderr, want) {
			t.Errorf("%q ends with %d: %s; want %q", text, code, stderr, want)
		}
	}
	if _, again, _ := call(t, rootCommand(), "prices", "--data", data); again != out {
		t.Errorf("the prices are then %s", again)
	}
}
