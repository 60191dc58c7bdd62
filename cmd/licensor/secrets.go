package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"licensor/internal/identity"
)

// secretsVariable is the environment variable with the key that encrypts secrets.
const secretsVariable = "LICENSOR_SECRETS_KEY"

const secretsHelp = `The signing keys are in the database. Anyone with a copy of it can create any token, unless the keys are encrypted:
with a key of 32 random bytes in base64, in a file (--secrets-key-file) or in the environment (` + secretsVariable + `).
Every command that opens the database needs that key from then on. Keep it separate from backups. To create one:
openssl rand -base64 32`

// secretsKey is the source of the key for the secrets of a database: a file, or the environment.
type secretsKey struct{ file string }

func (k *secretsKey) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&k.file, "secrets-key-file", "",
		"file with the key that encrypts the secrets (32 bytes in base64); or set "+secretsVariable)
}

// read returns the key, or nil when there is none.
func (k secretsKey) read() ([]byte, error) {
	text := os.Getenv(secretsVariable)
	switch {
	case k.file == "" && text == "":
		return nil, nil
	case k.file == "":
		return parseSecretsKey(text, secretsVariable)
	case text != "":
		return nil,
			usage(fmt.Errorf("the key for the secrets is given twice, by --secrets-key-file and by %s: remove one",
				secretsVariable))
	}
	return readSecretsKey(k.file)
}

func readSecretsKey(file string) ([]byte, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("the key for the secrets: %w", err)
	}
	return parseSecretsKey(string(text), file)
}

func parseSecretsKey(text, where string) ([]byte, error) {
	key, err := base64.StdEncoding.Strict().DecodeString(strings.TrimSpace(text))
	if err != nil || len(key) != identity.SealingKeySize {
		return nil, fmt.Errorf("%s has no key for the secrets: it must be 32 bytes in base64, as `openssl rand "+
			"-base64 32` prints them", where)
	}
	return key, nil
}

// explainSealed adds to an error about encrypted secrets how to pass the key.
func explainSealed(err error) error {
	if errors.Is(err, identity.ErrSealed) {
		return fmt.Errorf("%w; give the right one with --secrets-key-file or in %s", err, secretsVariable)
	}
	return err
}

// warnPlain warns that anyone with the database has its keys.
func (k secretsKey) warnPlain(log *slog.Logger) {
	if key, err := k.read(); err == nil && key == nil {
		log.Warn("the signing keys are stored unencrypted: to encrypt them see `licensor keys --help`")
	}
}
