package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"licensor/internal/identity"
)

func keysCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "keys",
		Short: "List, replace and encrypt the keys that sign tokens",
		Long: `The commands need a database that is not in use: stop the server, run the command and start the server again.
A running server replaces the keys when they get old (licensor serve --rotate-keys).

` + secretsHelp,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(keysListCommand(), keysRotateCommand(), keysSealCommand())
	return cmd
}

// vault is a database whose keys are managed.
type vault struct {
	where   databaseFlags
	secrets secretsKey
}

func (v *vault) register(cmd *cobra.Command) {
	v.where.register(cmd)
	v.secrets.register(cmd)
}

// open calls work with the store of an existing database and with its keys.
func (v *vault) open(ctx context.Context, do func(stored, keys identity.Keys) error) error {
	at, err := v.where.read()
	if err != nil {
		return err
	}
	s, err := at.open(ctx, "name it with --data")
	if err != nil {
		return err
	}
	var keys identity.Keys
	key, err := v.secrets.read()
	if err == nil {
		keys, err = identity.Seal(s, key)
	}
	if err == nil {
		err = explainSealed(do(s, keys))
	}
	return errors.Join(err, s.Close())
}

func keysListCommand() *cobra.Command {
	var v vault
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the keys and report whether they are encrypted",
		Example: "  licensor keys list --data licensor.db",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return v.open(cmd.Context(), func(_, keys identity.Keys) error {
				return v.list(cmd.Context(), keys, cmd.OutOrStdout())
			})
		},
	}
	v.register(cmd)
	return cmd
}

func (v *vault) list(ctx context.Context, keys identity.Keys, out io.Writer) error {
	list, err := identity.ListKeys(ctx, keys, time.Now())
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "KEY\tCREATED\tUSE")
	for _, key := range list {
		created, use := "unknown", "signs"
		if !key.Created.IsZero() {
			created = key.Created.UTC().Format(time.RFC3339)
		}
		if !key.Until.IsZero() {
			use = "verifies until " + key.Until.UTC().Format(time.RFC3339)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", key.ID, created, use)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	sealingKey, err := v.secrets.read()
	if err != nil {
		return err
	}
	if sealingKey == nil {
		fmt.Fprintln(out, "\nThey are stored unencrypted.")
	} else {
		fmt.Fprintf(out, "\nThey are stored encrypted with the key %s.\n", identity.SealingKeyID(sealingKey))
	}
	return nil
}

func keysRotateCommand() *cobra.Command {
	var v vault
	var revoke bool
	cmd := &cobra.Command{
		Use:   "rotate",
		Short: "Replace the key that signs tokens",
		Long: `Rotate creates a new key, which signs tokens from now on. Tokens signed before stay valid until they expire: the
old keys verify for another day, and the first rotation after that removes them.

With --revoke, the old keys are removed immediately and all tokens issued so far become invalid. Use it if a key may
have been stolen. It also works if the --secrets-key-file was lost: then use any other key.`,
		Example: "  licensor keys rotate --data licensor.db\n  licensor keys rotate --revoke",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return v.open(cmd.Context(), func(stored, keys identity.Keys) error {
				if err := v.rotate(cmd.Context(), stored, keys, revoke); err != nil {
					return err
				}
				return v.list(cmd.Context(), keys, cmd.OutOrStdout())
			})
		},
	}
	v.register(cmd)
	cmd.Flags().BoolVar(&revoke, "revoke", false, "remove the old keys at once: tokens issued so far are no longer valid")
	return cmd
}

func (v *vault) rotate(ctx context.Context, stored, keys identity.Keys, revoke bool) error {
	if !revoke {
		return identity.RotateKeys(ctx, keys, time.Now())
	}
	sealingKey, err := v.secrets.read()
	if err != nil {
		return err
	}
	return identity.RevokeKeys(ctx, stored, sealingKey, time.Now())
}

func keysSealCommand() *cobra.Command {
	var v vault
	var after string
	var plain bool
	cmd := &cobra.Command{
		Use:   "seal",
		Short: "Encrypt the keys, or change the key they are encrypted with",
		Long: "Seal encrypts what --secrets-key-file (or the environment) reads with the key in " +
			"--new-secrets-key-file. Anyone with a copy\n" +
			"of the database from before, when the keys in it were unencrypted, still has them: rotate them " +
			"afterwards.",
		Example: "  licensor keys seal --new-secrets-key-file secrets.key && licensor keys rotate " +
			"--secrets-key-file secrets.key\n" +
			"  licensor keys seal --secrets-key-file secrets.key --new-secrets-key-file new.key\n" +
			"  licensor keys seal --secrets-key-file secrets.key --plain",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			from, err := v.secrets.read()
			if err != nil {
				return err
			}
			var to []byte
			if !plain {
				if to, err = readSecretsKey(after); err != nil {
					return err
				}
			}
			return v.open(cmd.Context(), func(stored, _ identity.Keys) error {
				return identity.Reseal(cmd.Context(), stored, from, to)
			})
		},
	}
	v.register(cmd)
	cmd.Flags().StringVar(&after, "new-secrets-key-file", "", "file with the key to encrypt with from now on (32 bytes in base64)")
	cmd.Flags().BoolVar(&plain, "plain", false, "store the keys unencrypted")
	cmd.MarkFlagsOneRequired("new-secrets-key-file", "plain")
	cmd.MarkFlagsMutuallyExclusive("new-secrets-key-file", "plain")
	return cmd
}
