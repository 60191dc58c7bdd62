package main

import (
	"os"
	"testing"
)

func TestTheBuiltInCatalogIsUpToDate(t *testing.T) {
	t.Parallel()
	spec := os.Getenv("LICENSOR_SPEC")
	if spec == "" {
		t.Skip("LICENSOR_SPEC is not set to the specification folder")
	}
	want, err := generate(spec)
	if err != nil {
		t.Fatal(err)
	}
	have, err := os.ReadFile("../builtin.txt")
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != want {
		t.Error("internal/catalog/builtin.txt is not what `go run ./internal/catalog/gen` writes: run it")
	}
}
