package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"licensor/internal/server"
)

func adminCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "admin",
		Short: "Recover access for a locked-out user",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(resetPasswordCommand())
	return cmd
}

func resetPasswordCommand() *cobra.Command {
	var where databaseFlags
	var tenantName, user string
	var secrets secretsKey
	cmd := &cobra.Command{
		Use:   "reset-password",
		Short: "Set a new password for a user, directly in a database",
		Long: `Reset-password creates a new password for a user and prints it once. The user must change it at the next
sign-in, and all sessions of the user end. No server must have the database open.`,
		Example: "  licensor admin reset-password --data licensor.db --user admin@contoso.example",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			at, err := where.read()
			if err != nil {
				return err
			}
			s, err := openFounded(cmd.Context(), server.Options{}, at, secrets)
			if err != nil {
				return err
			}
			password, err := resetPassword(cmd.Context(), s, tenantName, user)
			if err = errors.Join(err, s.Close(context.WithoutCancel(cmd.Context()))); err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), password)
			return nil
		},
	}
	where.register(cmd)
	secrets.register(cmd)
	cmd.Flags().StringVar(&tenantName, "tenant", "", "id or domain of the tenant, if there are several")
	cmd.Flags().StringVar(&user, "user", "", "userPrincipalName or id of the user")
	_ = cmd.MarkFlagRequired("user") // the flag exists
	return cmd
}

// resetPassword gives a user of a tenant a new password, which ends the user's sessions.
func resetPassword(ctx context.Context, s *server.Server, tenantName, user string) (string, error) {
	t, err := s.Pick(ctx, tenantName)
	if err != nil {
		return "", err
	}
	defer t.Release()
	return s.ResetPassword(ctx, t, user, true)
}
