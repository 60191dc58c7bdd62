// Package postgrestest starts PostgreSQL for tests: a server for each test binary, in a temporary
// folder, and a database for each test.
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
// With LICENSOR_TEST_DATABASE=postgres://… the databases are created on that server instead; its
// role must be allowed to create them. Tests that kill, restart or configure a server start one for
// themselves in any case (Start).
package postgrestest
