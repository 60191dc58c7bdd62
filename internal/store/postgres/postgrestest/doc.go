// Package postgrestest has PostgreSQL for tests: a server of its own for each test binary, in a
// temporary folder, and a database of its own for each test.
//
//	func TestMain(m *testing.M) {
//		code := m.Run()
//		postgrestest.Close()
//		os.Exit(code)
//	}
//
//	func TestSomething(t *testing.T) {
//		s, err := postgres.Open(t.Context(), postgrestest.Database(t), postgres.Options{})
//		…
//	}
//
// With LICENSOR_TEST_DATABASE=postgres://… databases are made on that server instead, whose role
// must be allowed to. Tests that kill, restart or set up a server start one for themselves, in any
// case (Start).
package postgrestest
