package postgres

// ObjectsText returns the statement of Objects and its arguments.
var ObjectsText = objectsText

// Parse parses the URL of a database.
var Parse = parse

// CheckVersion returns the error of Open for a server with a version number.
func CheckVersion(number int) error {
	return (&Store{name: "host/db"}).checkServer(found{number: number, encoding: "UTF8"})
}

// Renew says once more that a process serves, as it does every few seconds.
func Renew(s *Store) { s.serving.again(s.life) }

// Migration returns the step that leads to a schema.
func Migration(version int) string {
	script, err := migrations.ReadFile(steps()[version-1])
	if err != nil {
		panic(err)
	}
	return string(script)
}
