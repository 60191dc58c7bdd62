package main

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"licensor/internal/engine"
	"licensor/internal/identity"
	"licensor/internal/server"
)

// newKey makes a file with a key for the secrets.
func newKey(t *testing.T, fill byte) string {
	t.Helper()
	return newFile(t, "secrets.key", base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{fill}, identity.SealingKeySize))+"\n")
}

// run runs a command line that must succeed, and returns what it prints.
func run(t *testing.T, args ...string) string {
	t.Helper()
	code, stdout, stderr := call(t, rootCommand(), args...)
	if code != exitDone {
		t.Fatalf("%q ends with %d and %s", args, code, stderr)
	}
	return stdout
}

func wantToken(t *testing.T, data, token string, good bool) {
	t.Helper()
	inDatabase(t, data, func(s *server.Server, _ *engine.Tenant) {
		request := httptest.NewRequest(http.MethodGet, "/v1.0/nothing", nil)
		request.Header.Set("Authorization", "Bearer "+strings.TrimSpace(token))
		answer := httptest.NewRecorder()
		if s.ServeHTTP(answer, request); (answer.Code != http.StatusUnauthorized) != good {
			t.Errorf("a token is answered with %d %s; good should be %t", answer.Code, answer.Body, good)
		}
	})
}

func TestKeysAreListedRotatedAndRevoked(t *testing.T) {
	t.Parallel()
	data := newDatabase(t)
	token := run(t, "token", "--data", data)
	list := run(t, "keys", "list", "--data", data)
	if strings.Count(list, "signs") != 1 || !strings.Contains(list, "unencrypted") {
		t.Fatalf("listed is\n%s", list)
	}
	kid := strings.Fields(list)[3]
	rotated := run(t, "keys", "rotate", "--data", data)
	if again := run(t, "keys", "list", "--data", data); again != rotated {
		t.Errorf("listed is\n%safter a rotation that has shown\n%s", again, rotated)
	}
	lines := strings.Split(rotated, "\n")
	if !strings.HasSuffix(lines[1], "signs") || strings.HasPrefix(lines[1], kid) ||
		!strings.HasPrefix(lines[2], kid) || !strings.Contains(lines[2], "verifies until") {
		t.Errorf("after a rotation of %s:\n%s", kid, rotated)
	}
	wantToken(t, data, token, true)
	if revoked := run(t, "keys", "rotate", "--revoke", "--data", data); strings.Contains(revoked, "verifies") {
		t.Errorf("after revoking:\n%s", revoked)
	}
	wantToken(t, data, token, false)
}

// plainKeys reports whether someone who reads the file finds private keys in it.
func plainKeys(t *testing.T, data string) bool {
	t.Helper()
	content, err := os.ReadFile(data)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Contains(content, []byte(`"kty":"RSA"`))
}

func TestKeysAreEncryptedWithTheKeyThatIsGiven(t *testing.T) {
	t.Parallel()
	data, key, other := newDatabase(t), newKey(t, 1), newKey(t, 2)
	if !plainKeys(t, data) {
		t.Fatal("there is no plain key in a database that was made without a key for its secrets: this test looks for the wrong thing")
	}
	run(t, "token", "--data", data, "--secrets-key-file", key)
	if plainKeys(t, data) {
		t.Error("after it was opened with a key, private keys can be read in the file")
	}
	for _, args := range [][]string{{"token"}, {"keys", "list"}, {"keys", "rotate"}, {"serve"}, {"reprocess", "--all"}, {"token", "--secrets-key-file", other}} {
		code, _, stderr := call(t, rootCommand(), append(args, "--data", data)...)
		if code != exitFailed || !strings.Contains(stderr, "--secrets-key-file") || !strings.Contains(stderr, secretsVariable) {
			t.Errorf("%q without the key ends with %d and %s", args, code, stderr)
		}
	}
	run(t, "keys", "seal", "--data", data, "--secrets-key-file", key, "--new-secrets-key-file", other)
	if list := run(t, "keys", "list", "--data", data, "--secrets-key-file", other); !strings.Contains(list, "encrypted with the key") {
		t.Errorf("listed is\n%s", list)
	}
	if plainKeys(t, data) {
		t.Error("after another key was given, private keys can be read in the file")
	}
	run(t, "keys", "rotate", "--revoke", "--data", data, "--secrets-key-file", key) // the other was lost
	run(t, "keys", "seal", "--data", data, "--secrets-key-file", key, "--plain")
	if list := run(t, "keys", "list", "--data", data); !strings.Contains(list, "unencrypted") || !plainKeys(t, data) {
		t.Errorf("listed is\n%s", list)
	}
}

func TestTheKeyForTheSecretsMayComeFromTheEnvironment(t *testing.T) {
	data := newDatabase(t)
	t.Setenv(secretsVariable, base64.StdEncoding.EncodeToString(make([]byte, identity.SealingKeySize)))
	run(t, "token", "--data", data)
	if plainKeys(t, data) {
		t.Error("private keys can be read in the file")
	}
	code, _, stderr := call(t, rootCommand(), "token", "--data", data, "--secrets-key-file", newKey(t, 1))
	if code != exitUsage || !strings.Contains(stderr, "given twice") {
		t.Errorf("two keys are answered with %d, %s", code, stderr)
	}
	for _, text := range []string{
		"x", base64.StdEncoding.EncodeToString(make([]byte, 31)),
		base64.URLEncoding.EncodeToString(bytes.Repeat([]byte{0xff}, 32)),
	} {
		t.Setenv(secretsVariable, text)
		code, _, stderr := call(t, rootCommand(), "keys", "list", "--data", data)
		if code != exitFailed || !strings.Contains(stderr, "32 bytes in base64") || len(text) > 1 && strings.Contains(stderr, text) {
			t.Errorf("%q is answered with %d, %s", text, code, stderr)
		}
	}
}

func TestKeysOfNoDatabase(t *testing.T) {
	t.Parallel()
	code, _, stderr := call(t, rootCommand(), "keys", "rotate", "--data", t.TempDir()+"/none.db")
	if code != exitFailed || !strings.Contains(stderr, "there is no database") {
		t.Errorf("answered with %d, %s", code, stderr)
	}
	empty := newFile(t, "secrets.key", "\n")
	code, _, stderr = call(t, rootCommand(), "keys", "list", "--data", newDatabase(t), "--secrets-key-file", empty)
	if code != exitFailed || !strings.Contains(stderr, empty) {
		t.Errorf("an empty key file is answered with %d, %s", code, stderr)
	}
}
