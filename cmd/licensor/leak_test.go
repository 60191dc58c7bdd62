package main

import (
	"os"
	"testing"

	"go.uber.org/goleak"

	"licensor/internal/store/postgres/postgrestest"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		postgrestest.Close()
		os.Exit(code)
	}), goleak.IgnoreAnyFunction("licensor/internal/store/postgres/postgrestest.run.func1"))
}
