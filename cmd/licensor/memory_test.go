package main

import (
	"strings"
	"testing"
)

func TestTheMemoryForTenantsIsASize(t *testing.T) {
	t.Parallel()
	data := newDatabase(t)
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"--memory", "much"}, `--memory is "much", which is not a size`},
		{[]string{"--memory", "2GB"}, "which is not a size: give a number and a unit, such as 512MiB or 2GiB"},
		{[]string{"--memory", "-1GiB"}, "which is out of range"},
		{[]string{"--memory", "9000000TiB"}, "which is out of range"},
		{[]string{"--memory", "1000KiB"}, "which is less than 1MiB"},
		{[]string{"--pin", "fabrikam.example"}, `--pin has "fabrikam.example", which is not a tenant of the database`},
		{[]string{"--pin", "contoso.example", "--pin", "11111111-2222-3333-4444-555555555555"}, `--pin has "11111111-2222`},
	} {
		args := append([]string{"serve", "--data", data, "--listen", "127.0.0.1:0"}, test.args...)
		code, _, stderr := call(t, rootCommand(), args...)
		if code != exitUsage || !strings.Contains(stderr, test.want) {
			t.Errorf("%q: exit code %d, %s", test.args, code, stderr)
		}
	}
	for text, want := range map[string]int64{
		"1048576": 1 << 20, "3145728B": 3 << 20, "2048KiB": 2 << 20,
		"1MiB": 1 << 20, "2GiB": 2 << 30, "1TiB": 1 << 40,
	} {
		if got, err := parseBytes(text); err != nil || got != want {
			t.Errorf("%s is %d, %v; want %d", text, got, err, want)
		}
	}
}
